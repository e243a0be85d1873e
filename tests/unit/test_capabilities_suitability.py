"""Which specs a host refuses, and why: pure, over capabilities made by hand."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from domains.capabilities import Capabilities, Capability, Facts, model, refusal, survey
from domains.capabilities.probe import facts
from domains.capabilities.suitability import runs_under_kvm
from domains.spec import DomainSpec

HOSTS = Path(__file__).parent.parent / "data" / "hosts"
ROWS = ("kvm", "nested", "iommu", "vhost-net", "sriov", "passthrough-nic")
WORKSTATION = facts(
    survey.parse((HOSTS / "intel-workstation.txt").read_text()), frozenset({"default", "vf-pool"})
)
NIC, VF, PF = "0000:03:00.0", "0000:01:10.0", "0000:01:00.0"


def able(*, lacks: tuple[str, ...] = (), unsure: tuple[str, ...] = (), **changes: Any) -> Capabilities:
    """Return a host that can do everything but what it lacks or cannot tell, with other facts if given."""

    def row(identity: str) -> Capability:
        if identity in lacks:
            return model.no(identity, "", cause=f"no {identity}", remedy=f"get {identity}")
        if identity in unsure:
            return model.unknown(identity, cause=f"{identity} cannot be told", remedy="look closer")
        return model.yes(identity, "seen")

    changed: Facts = dataclasses.replace(WORKSTATION, **changes)
    return Capabilities("host", "key", tuple(row(identity) for identity in ROWS), changed)


def spec(**parts: Any) -> DomainSpec:
    return DomainSpec.model_validate(parts)


@pytest.mark.parametrize(
    "asked",
    [
        spec(),
        spec(accelerator="kvm", cpu={"ept": "on"}),
        spec(nic={"model": "i82557b"}),
        spec(nic={"model": "virtio", "vhost": "on"}),
        spec(nic={"model": "hostdev", "address": NIC}),
        spec(nic={"model": "vf", "address": VF}),
        spec(nic={"model": "vf", "pool": "vf-pool"}),
        spec(nic={"model": "hostdev", "address": "auto"}),
        spec(nic={"model": "vf", "address": "auto"}),
        spec(hugepages="2 MiB"),
        spec(network={"mode": "bridge", "bridge": "br0"}),
        spec(machine="microvm"),
        spec(cpu={"nested": "on", "vendor": "intel"}),
        spec(vcpus=2, pinning=(0, 8)),
        spec(passthrough=(NIC,)),
    ],
)
def test_a_host_that_can_refuses_nothing(asked: DomainSpec) -> None:
    assert refusal(asked, able()) is None


@pytest.mark.parametrize("model_", ["i82557b", "e1000", "rtl8139", "vmxnet3", "virtio"])
def test_a_host_without_kvm_still_runs_the_emulated_models(model_: str) -> None:
    assert refusal(spec(nic={"model": model_}), able(lacks=("kvm", "iommu", "vhost-net"))) is None


@pytest.mark.parametrize(
    ("asked", "host", "cause", "remedy"),
    [
        (spec(accelerator="kvm"), able(lacks=("kvm",)), "asks for KVM: no kvm", "get kvm"),
        (spec(accelerator="kvm"), able(unsure=("kvm",)), "kvm cannot be told", "look closer"),
        (spec(cpu={"ept": "on"}), able(lacks=("kvm",)), "needs KVM", "lab host with working KVM"),
        (spec(cpu={"ept": "off"}), able(lacks=("kvm",)), "needs KVM", "lab host with working KVM"),
        (
            spec(cpu={"ept": "off"}),
            able(),
            "kvm_intel is loaded with ept=1",
            "with ept=0 and put it back",
        ),
        (
            spec(cpu={"ept": "on"}),
            able(module="kvm_amd", two_tables=False),
            "kvm_amd is loaded with npt=0",
            "npt=1 and put it back: --allow-module-reload",
        ),
        (spec(cpu={"ept": "on"}), able(module=None, two_tables=None), "cannot be read", "row ept"),
        (spec(cpu={"model": "host"}), able(lacks=("kvm",)), "'host' needs KVM", "model: max"),
        (
            spec(cpu={"nested": "on", "vendor": "intel"}),
            able(lacks=("kvm",)),
            "does not emulate VMX",
            "vendor: amd",
        ),
        (spec(cpu={"nested": "on", "vendor": "amd"}), able(), "is intel's, not amd's", "vendor: intel"),
        (
            spec(cpu={"nested": "on", "vendor": "intel"}),
            able(lacks=("nested",)),
            "no nested",
            "get nested",
        ),
        (spec(machine="microvm"), able(machines=frozenset({"q35", "pc"})), "no machine microvm", "q35"),
        (
            spec(nic={"model": "igb"}),
            able(devices=frozenset({"e1000"})),
            "no device igb",
            "QEMU 8.0",
        ),
        (
            spec(disk={"bus": "pvscsi"}),
            able(devices=frozenset({"virtio-net-pci"})),
            "no device pvscsi",
            "qemu-system-x86",
        ),
        (
            spec(iommu={"model": "intel"}),
            able(devices=frozenset({"virtio-net-pci"})),
            "no device intel-iommu",
            "qemu-system-x86",
        ),
        (
            spec(nic={"model": "vf", "address": VF}),
            able(lacks=("iommu",)),
            "behind an IOMMU: no iommu",
            "get iommu",
        ),
        (spec(nic={"model": "vf", "pool": "vf-pool"}), able(lacks=("iommu",)), "no iommu", "get iommu"),
        (spec(nic={"model": "vf", "address": "auto"}), able(lacks=("sriov",)), "no sriov", "get sriov"),
        (
            spec(nic={"model": "hostdev", "address": "auto"}),
            able(lacks=("passthrough-nic",)),
            "no passthrough-nic",
            "get passthrough-nic",
        ),
        (
            spec(nic={"model": "hostdev", "address": "0000:01:00.1"}),
            able(),
            "no PCI function 0000:01:00.1; the nearest is",
            "lspci -D",
        ),
        (
            spec(nic={"model": "hostdev", "address": "0000:00:1f.6"}),
            able(),
            "would cut it off",
            "passthrough-nic",
        ),
        (
            spec(nic={"model": "vf", "address": PF}),
            able(),
            "is no VF",
            "model: hostdev",
        ),
        (spec(passthrough=("0000:09:00.0",)), able(), "no PCI function 0000:09:00.0", "lspci -D"),
        (
            spec(nic={"model": "vf", "pool": "vf-pol"}),
            able(),
            "no network 'vf-pol'",
            "did you mean 'vf-pool'?",
        ),
        (
            spec(network={"mode": "bridge", "bridge": "br1"}),
            able(),
            "no bridge 'br1'",
            "did you mean 'br0'?",
        ),
        (
            spec(network={"mode": "bridge", "bridge": "lab"}),
            able(bridges=frozenset()),
            "no bridge 'lab'",
            "ip link add lab type bridge",
        ),
        (
            spec(nic={"model": "virtio", "vhost": "on"}),
            able(lacks=("vhost-net",)),
            "asks for vhost: no vhost-net",
            "get vhost-net",
        ),
        (
            spec(hugepages="2 MiB", memory="1 GiB"),
            able(),
            "needs 512 huge pages of 2 MiB, and 256 are free",
            "echo 768 | sudo tee /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages",
        ),
        (
            spec(hugepages="1 GiB", memory="1 GiB"),
            able(hugepages=()),
            "no huge pages of 1 GiB",
            "2 MiB",
        ),
        (spec(memory="32 GiB"), able(), "is to have 32 GiB", "less memory"),
        (spec(vcpus=2, pinning=(0, 7)), able(), "no CPU 7", "0 to 8"),
    ],
)
def test_what_a_host_lacks_is_refused_with_cause_and_remedy(
    asked: DomainSpec, host: Capabilities, cause: str, remedy: str
) -> None:
    refused = refusal(asked, host)
    assert refused is not None
    assert cause in refused.cause
    assert remedy in refused.remedy


@pytest.mark.parametrize(
    "asked",
    [
        spec(nic={"model": "igb"}),
        spec(machine="microvm"),
        spec(network={"mode": "bridge", "bridge": "br9"}),
        spec(nic={"model": "vf", "pool": "somewhere"}),
        spec(memory="32 GiB"),
        spec(vcpus=1, pinning=(99,)),
        spec(nic={"model": "virtio", "vhost": "on"}),
    ],
)
def test_what_cannot_be_told_refuses_nothing(asked: DomainSpec) -> None:
    blind = able(
        unsure=("iommu", "vhost-net"),
        devices=None,
        machines=None,
        bridges=None,
        networks=None,
        memory_total=None,
        cpus=None,
    )
    assert refusal(asked, blind) is None


def test_a_function_outside_every_iommu_group_is_refused() -> None:
    outside = tuple(dataclasses.replace(function, iommu_group=None) for function in WORKSTATION.pci)
    refused = refusal(spec(nic={"model": "hostdev", "address": NIC}), able(pci=outside))
    assert refused is not None
    assert "is in no IOMMU group" in refused.cause


@pytest.mark.parametrize(
    ("asked", "host", "expected"),
    [
        (spec(), able(), True),
        (spec(), able(unsure=("kvm",)), False),
        (spec(accelerator="tcg"), able(), False),
        (spec(accelerator="kvm"), able(lacks=("kvm",)), False),
    ],
)
def test_kvm_is_used_where_it_works_and_is_not_declined(
    asked: DomainSpec, host: Capabilities, expected: bool
) -> None:
    assert runs_under_kvm(asked, host) is expected


def test_capabilities_are_a_mapping_in_the_order_of_their_rows() -> None:
    host = able(lacks=("iommu",))
    assert list(host) == list(ROWS)
    assert len(host) == len(ROWS)
    assert host.has("kvm")
    assert not host.has("iommu")
    assert not host.has("no such row")
