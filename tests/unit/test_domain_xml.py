from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from domains.paths import LABS
from domains.render import render
from domains.spec import DomainSpec
from grader.checks.domain_rules import ALLOWED, VALUES
from grader.checks.domain_xml import StudentDomain, XmlRefusal, read, rebuilt

QEMU = "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'"


def inside(devices: str = "", above: str = "", attributes: str = "") -> bytes:
    lines = [f"<domain type='kvm' {attributes}>", "<name>web</name>", above, "<devices>", devices]
    return "\n".join([*lines, "</devices></domain>"]).encode()


def refusals(raw: bytes) -> tuple[XmlRefusal, ...]:
    found = read(raw)
    assert not isinstance(found, StudentDomain), "it was let through"
    return found


def test_the_values_are_taken_out() -> None:
    found = read((LABS / "r202" / "solution" / "domains" / "web.xml").read_bytes())
    assert isinstance(found, StudentDomain)
    assert (found.name, found.machine, found.memory, found.vcpus) == ("web", "q35", 256 * 2**20, 1)
    assert [(nic.line, nic.model, nic.vhost) for nic in found.nics] == [(9, "virtio", "off")]


def test_the_document_is_rebuilt_from_our_own_template() -> None:
    raw = inside(
        "<interface type='network'><model type='virtio'/><driver name='vhost' queues='2'/></interface>",
        "<vcpu>2</vcpu><title>EVIL</title><description>EVIL</description><uuid>EVIL</uuid>",
    )
    found = read(raw)
    assert isinstance(found, StudentDomain)
    spec = rebuilt(found)
    assert isinstance(spec, DomainSpec)
    assert (spec.nic.model, spec.nic.vhost, spec.nic.queues) == ("virtio", "on", 2)
    assert "EVIL" not in render(spec)


# Each is something that a domain can be made to do to a host; each must be refused by name and line.
DEVICES = {
    "emulator": "<emulator>/home/eve/x.sh</emulator>",
    "disk": "<disk type='file' device='disk'><source file='/etc/shadow'/></disk>",
    "disk-block": "<disk type='block'><source dev='/dev/sda'/></disk>",
    "filesystem": "<filesystem type='mount'><source dir='/'/><target dir='x'/></filesystem>",
    "serial-file": "<serial type='file'><source path='/root/.ssh/authorized_keys'/></serial>",
    "serial-tcp": "<serial type='tcp'><source mode='bind' host='0.0.0.0' service='22'/></serial>",
    "console-unix": "<console type='unix'><source mode='bind' path='/run/x'/></console>",
    "console-dev": "<console type='dev'/>",
    "channel": "<channel type='unix'><source path='/run/docker.sock'/></channel>",
    "parallel": "<parallel type='file'/>",
    "hostdev": "<hostdev mode='subsystem' type='pci'><source/></hostdev>",
    "interface-hostdev": "<interface type='hostdev'/>",
    "interface-bridge": "<interface type='bridge'><source bridge='br0'/></interface>",
    "interface-direct": "<interface type='direct'/>",
    "interface-ethernet": "<interface type='ethernet'><script path='/home/eve/up.sh'/></interface>",
    "interface-vhostuser": "<interface type='vhostuser'/>",
    "interface-script": "<interface type='network'><script path='/x'/></interface>",
    "interface-rom": "<interface type='network'><rom file='/etc/shadow'/></interface>",
    "interface-backend": "<interface type='network'><backend tap='/dev/x' vhost='/dev/y'/></interface>",
    "source-file": "<interface type='network'><source network='../../x'/></interface>",
    "rng": "<rng model='virtio'><backend model='random'>/dev/sda</backend></rng>",
    "tpm": "<tpm><backend type='passthrough'><device path='/dev/tpm0'/></backend></tpm>",
    "redirdev": "<redirdev bus='usb' type='tcp'/>",
    "graphics": "<graphics type='vnc' listen='0.0.0.0'/>",
    "smartcard": "<smartcard mode='host'/>",
    "shmem": "<shmem name='x'/>",
    "foreign": "<x:y xmlns:x='urn:eve'/>",
    "memballoon-address": "<memballoon model='virtio'><address type='drive'/></memballoon>",
}
ABOVE = {
    "kernel": "<os><type>hvm</type><kernel>/boot/vmlinuz</kernel></os>",
    "initrd": "<os><initrd>/x</initrd></os>",
    "cmdline": "<os><cmdline>init=/bin/sh</cmdline></os>",
    "loader": "<os><loader>/x</loader></os>",
    "nvram": "<os><nvram template='/x'/></os>",
    "seclabel": "<seclabel type='none'/>",
    "memoryBacking": "<memoryBacking><source type='file'/></memoryBacking>",
    "sysinfo": "<sysinfo type='fwcfg'><entry name='x' file='/etc/shadow'/></sysinfo>",
    "metadata": "<metadata><e:e xmlns:e='urn:e'/></metadata>",
    "launchSecurity": "<launchSecurity type='sev'/>",
    "os-type": "<os><type>exe</type></os>",
    "vcpu": "<vcpu>99999</vcpu>",
    "memory-number": "<memory>-1</memory>",
    "memory-unit": "<memory unit='EiB'>1</memory>",
    "description": "<description><emulator/></description>",
}


@pytest.mark.parametrize("name", DEVICES)
def test_devices_that_reach_the_host_are_refused_by_name_and_line(name: str) -> None:
    found = refusals(inside(DEVICES[name]))
    assert found[0].line == 5
    assert found[0].element in {
        *name.split("-"),
        "interface",
        "source",
        "script",
        "rom",
        "backend",
        "x:y",
        "y",
        "address",
    }
    assert found[0].why.fr
    assert found[0].why.en


@pytest.mark.parametrize("name", ABOVE)
def test_what_stands_beside_the_devices_is_refused_too(name: str) -> None:
    found = refusals(inside(above=ABOVE[name]))
    assert found[0].line == 3


def test_qemu_commandline_is_refused_by_the_name_that_students_know() -> None:
    raw = inside(above="<qemu:commandline><qemu:arg value='-x'/></qemu:commandline>", attributes=QEMU)
    found = refusals(raw)
    assert [one.element for one in found] == ["qemu:commandline"]
    assert "another namespace" in found[0].why.en


@pytest.mark.parametrize("space", ["a///", "////", "/", "urn:x", "http://a.b/c"])
def test_a_namespace_of_any_form_is_refused(space: str) -> None:
    found = read(f'<domain type="qemu" xmlns:x="{space}"><x:devices/></domain>'.encode())
    assert isinstance(found, tuple)
    assert "namespace" in found[0].why.en


def test_the_whole_domain_in_a_foreign_namespace_is_refused() -> None:
    assert refusals(b"<domain xmlns='urn:eve' type='kvm'><name>x</name></domain>")


@pytest.mark.parametrize("kind", ["xen", "lxc", "vmware", ""])
def test_other_hypervisors_are_refused(kind: str) -> None:
    assert refusals(f"<domain type='{kind}'/>".encode())[0].element == "domain"


LAUGHS = "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10))


@pytest.mark.parametrize(
    "raw",
    [
        b"<!DOCTYPE d [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><domain type='kvm'><name>&x;</name></domain>",
        b"<!doctype d SYSTEM 'http://127.0.0.1:1/x.dtd'><domain type='kvm'/>",
        f"<!DOCTYPE d [<!ENTITY a0 'ha'>{LAUGHS}]><domain type='kvm'><title>&a9;</title></domain>".encode(),
        f"<!DOCTYPE d [<!ENTITY a0 'ha'>{LAUGHS}]><domain type='&a9;'/>".encode(),
        "<?xml version='1.0' encoding='UTF-16'?><!DOCTYPE d []><domain type='kvm'/>".encode("utf-16"),
        b"<?xml version='1.0' encoding='UTF-7'?><domain type='kvm'/>",
        b"<domain type='kvm'>&x;</domain>",
        b"<domain type='kvm'>" + b"<a>" * 5000 + b"</a>" * 5000 + b"</domain>",
        b"<domain type='kvm'><devices>" + b"<input/>" * 5000 + b"</devices></domain>",
        b"<domain" + b" type='kvm'" * 2 + b"/>",
        b"<domain type='kvm'>" + b" " * 70000 + b"</domain>",
        b"<domain type='kvm'>\x00</domain>",
        b"\xff\xfe\x00",
        b"",
        b"not xml",
    ],
    ids=lambda raw: repr(raw[:24]),
)
def test_documents_that_attack_the_parser_are_refused(raw: bytes) -> None:
    assert refusals(raw)


def test_an_include_is_an_element_like_any_other() -> None:
    raw = inside("<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='/etc/passwd' parse='text'/>")
    assert "include" in refusals(raw)[0].element


def test_all_refusals_are_named_and_their_number_is_capped() -> None:
    found = refusals(inside("<emulator>/x</emulator>\n<disk/>"))
    assert [(one.element, one.line) for one in found] == [("emulator", 5), ("disk", 6)]
    assert len(refusals(inside("<disk/>" * 100))) == 20


def test_no_allowed_attribute_takes_a_path() -> None:
    """What is taken over, or steers a choice, has a form; none of the forms lets a slash through."""
    for path, pattern in VALUES.items():
        assert pattern.fullmatch("/etc/passwd") is None, path
        assert pattern.fullmatch("../x") is None, path
    assert not any(tag in path.split("/") for path in ALLOWED for tag in ("emulator", "disk", "filesystem"))


@given(st.binary(max_size=200) | st.text("<>/='\" domaintypevcpu\n&;!-[]?", max_size=120).map(str.encode))
def test_no_bytes_raise_anything(raw: bytes) -> None:
    found = read(raw)
    assert isinstance(found, StudentDomain) or found


TAG = st.sampled_from([*sorted({path.rsplit("/", 1)[-1] for path in ALLOWED}), "emulator", "x"])


def _with(tag: str, children: list[etree._Element]) -> etree._Element:
    element = etree.Element(tag)
    element.extend(children)
    return element


@given(st.recursive(TAG.map(etree.Element), lambda inner: st.builds(_with, TAG, st.lists(inner, max_size=3))))
def test_no_tree_of_known_elements_raises_anything(tree: etree._Element) -> None:
    found = read(b"<domain type='qemu'>" + etree.tostring(tree) + b"</domain>")
    if isinstance(found, StudentDomain):
        assert isinstance(rebuilt(found), DomainSpec | str)


def test_the_parser_reads_no_other_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("top secret")
    raw = (
        f"<!DOCTYPE d [<!ENTITY x SYSTEM '{secret.as_uri()}'>]><domain type='kvm'><title>&x;</title></domain>"
    )
    assert "top secret" not in str(refusals(raw.encode()))


def test_two_interfaces_with_one_mac_address_are_refused() -> None:
    nic = "<interface type='user'><mac address='52:54:00:12:34:5{0}'/><model type='virtio'/></interface>"
    (same,) = refusals(inside(nic.format("a") + "\n" + nic.format("A")))
    assert (same.element, same.line) == ("interface", 6)
    assert isinstance(read(inside(nic.format("a") + nic.format("b"))), StudentDomain)


@pytest.mark.parametrize(
    ("unit", "worth"),
    [("MiB", 2**20), ("mib", 2**20), ("M", 2**20), ("MB", 10**6), ("mb", 10**6), ("TiB", 2**40), ("byte", 1)],
)
def test_a_unit_of_memory_is_read_in_any_case_as_libvirt_does(unit: str, worth: int) -> None:
    domain = read(f"<domain type='kvm'><name>a</name><memory unit='{unit}'>3</memory></domain>".encode())
    assert isinstance(domain, StudentDomain)
    assert domain.memory == 3 * worth


@pytest.mark.parametrize("unit", ["Mo", "EiB", "MiBs", "", "m i b"])
def test_a_unit_of_memory_that_is_none_is_refused(unit: str) -> None:
    refused = read(f"<domain type='kvm'><name>a</name><memory unit='{unit}'>3</memory></domain>".encode())
    assert [one.element for one in refused] == ["memory"]  # type: ignore[union-attr]
