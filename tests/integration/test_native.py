"""What libvirt's own parsers say of the family: the command line it would run, or why there is none here."""

from __future__ import annotations

from collections.abc import Iterator

import libvirt
import pytest

from domains import catalogue, hypervisor
from domains.errors import HypervisorError
from domains.hypervisor import Hypervisor
from domains.render import render

pytestmark = pytest.mark.integration

# libvirt's conversion drops the place of a NIC, and then looks for a PCI bus, which a microvm has not.
_NO_PCI = {name for name, one in catalogue.specs().items() if one.machine == "microvm"}
# Conversion frees this interface and then reads it, which can crash libvirtd (seen with 11.3): never asked.
_CRASHES = {"nic-vf-by-address"}
# What the host must have for it, and what libvirt says where the host has not.
_NEEDS = {
    "nic-hostdev": ('"driver":"vfio-pci"', "host doesn't support passthrough of host PCI devices"),
    "gpu-passthrough": ('"driver":"vfio-pci"', "host doesn't support passthrough of host PCI devices"),
    "hugepages-2-mib": ('"hugetlb":true', "hugetlbfs filesystem is not mounted"),
    "hugepages-1-gib": ('"hugetlb":true', "hugetlbfs filesystem is not mounted"),
}
# How QEMU is told of each: a part of the command line.
_TOLD = {
    **{f"nic-{model}": f'"driver":"{model}"' for model in catalogue.EMULATED_NICS},
    "nic-virtio-vhost-off": '"driver":"virtio-net-pci"',
    "nic-mac": '"mac":"52:54:00:12:34:56"',
    "nested-on-amd-tcg": "EPYC-Milan,svm=on",
    "nested-off": "svm=off,vmx=off",
    "ept-hidden-from-guest-intel": "vmx=on,vmx-ept=off",
    "ept-hidden-from-guest-amd": "svm=on,npt=off",
    "cpu-host": "-cpu host,",
    "cpu-max": "-cpu max,",
    "cpu-named": "-cpu EPYC-Milan,",
    "iommu": '"driver":"intel-iommu","id":"iommu0","intremap":"on","caching-mode":true',
    "iommu-without-interrupt-remapping": '"intremap":"off"',
    "disk-virtio": '"driver":"virtio-blk-pci"',
    "disk-ide": '"driver":"ide-hd","bus":"ide.0"',
    "disk-sata": '"driver":"ide-hd","bus":"ide.0"',
    "disk-pvscsi": '"driver":"pvscsi"',
    "machine-i440fx": "-machine pc-i440fx",
    "machine-q35": "-machine pc-q35",
    "accelerator-tcg": "-accel tcg",
    "pinning": "-smp 2",
    "memory": "-m size=1048576k",
}


@pytest.fixture(scope="module")
def connection(libvirt_daemon: None) -> Iterator[Hypervisor]:
    with hypervisor.connected() as open_one:
        yield open_one


@pytest.fixture(scope="module")
def test_driver() -> Iterator[libvirt.virConnect]:
    """libvirt's driver in memory: it parses everything and starts nothing."""
    open_one = libvirt.open("test:///default")
    yield open_one
    open_one.close()


@pytest.mark.parametrize("name", sorted(set(catalogue.specs()) - _NO_PCI - _CRASHES - set(_NEEDS)))
def test_libvirt_makes_a_command_line(connection: Hypervisor, name: str) -> None:
    line = connection.to_native(render(catalogue.specs()[name]))
    assert _TOLD.get(name, "-name guest=") in line, line


@pytest.mark.parametrize("name", _NEEDS)
def test_libvirt_refuses_only_what_the_host_lacks(connection: Hypervisor, name: str) -> None:
    """Where the host has what it needs there is a command line; else the refusal is not about our XML."""
    word, lacking = _NEEDS[name]
    try:
        said = connection.to_native(render(catalogue.specs()[name]))
    except HypervisorError as refused:
        said = refused.problem
    assert word in said or lacking in said, said


def test_microvm_has_no_command_line_by_libvirt(connection: Hypervisor) -> None:
    # Once this fails, `tdlab render --native` need not refuse microvm any more.
    with pytest.raises(HypervisorError, match="No PCI buses available"):
        connection.to_native(render(catalogue.specs()["machine-microvm"]))


@pytest.mark.parametrize("one", list(catalogue.family()), ids=lambda one: one.name)
def test_libvirts_parser_takes_it(test_driver: libvirt.virConnect, one: catalogue.Rendered) -> None:
    match one.kind:
        case "network":
            made = test_driver.networkDefineXML(one.xml)
            made.undefine()
        case "storagepool":
            made = test_driver.storagePoolDefineXML(one.xml)
            made.undefine()
        case "storagevol":
            pool = test_driver.storagePoolLookupByName("default-pool")
            pool.createXML(one.xml).delete()
        case "domain":
            made = test_driver.defineXMLFlags(_of_type_test(one.xml), libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
            made.undefine()


def _of_type_test(xml: str) -> str:
    """The driver in memory runs guests of its own type only."""
    return xml.replace('<domain type="kvm">', '<domain type="test">').replace(
        '<domain type="qemu">', '<domain type="test">'
    )
