"""A student's domain by what it means: its form does not matter, and nothing of it slips through."""

from __future__ import annotations

import copy
import dataclasses
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from domains import validate
from domains.render import render
from domains.spec import DomainSpec
from grader.checks.domain_rules import ALLOWED, REPEATED, VALUES
from grader.checks.domain_xml import StudentDomain, XmlRefusal, read, rebuilt

FULL = """\
<domain type='kvm'>
  <name>web</name>
  <uuid>0b9f4a2e-0000-4000-8000-000000000001</uuid>
  <title>A title</title>
  <memory unit='MiB'>256</memory>
  <currentMemory unit='MiB'>256</currentMemory>
  <vcpu placement='static'>2</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <boot dev='hd'/>
    <boot dev='network'/>
  </os>
  <features>
    <acpi/>
    <apic/>
    <ioapic driver='qemu'/>
  </features>
  <cpu mode='custom' match='exact'>
    <model fallback='allow'>qemu64</model>
    <feature policy='disable' name='vmx'/>
  </cpu>
  <clock offset='utc'/>
  <on_poweroff>destroy</on_poweroff>
  <devices>
    <controller type='pci' index='0' model='pcie-root'/>
    <controller type='pci' index='1' model='pcie-root-port'>
      <target chassis='1' port='0x10'/>
    </controller>
    <interface type='network'>
      <mac address='52:54:00:12:34:56'/>
      <source network='default'/>
      <model type='virtio'/>
      <driver name='qemu' queues='2'/>
      <link state='up'/>
      <address type='pci' domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>
    </interface>
    <serial type='pty'>
      <target type='isa-serial' port='0'/>
    </serial>
    <console type='pty'/>
    <input type='keyboard' bus='ps2'/>
    <memballoon model='none'/>
    <iommu model='intel'>
      <driver intremap='off' caching_mode='on'/>
    </iommu>
  </devices>
</domain>
"""


def tree() -> etree._Element:
    return etree.fromstring(FULL.encode())


def taken(root: etree._Element | str) -> StudentDomain:
    raw = root.encode() if isinstance(root, str) else etree.tostring(root)
    found = read(raw)
    assert isinstance(found, StudentDomain), [str(one) for one in found]
    return found


def meaning(found: StudentDomain) -> StudentDomain:
    """Return the values alone, without where they stand."""
    nics = tuple(dataclasses.replace(one, line=0) for one in found.nics)
    return dataclasses.replace(found, nics=nics, lines={})


def refusals(root: etree._Element | str) -> tuple[XmlRefusal, ...]:
    raw = root.encode() if isinstance(root, str) else etree.tostring(root)
    found = read(raw)
    assert not isinstance(found, StudentDomain), "it was let through"
    return found


def test_all_that_matters_is_taken_over_into_our_own_document() -> None:
    found = taken(FULL)
    spec = rebuilt(found)
    assert isinstance(spec, DomainSpec)
    assert (spec.name, spec.machine, spec.memory, spec.vcpus) == ("web", "q35", 256 * 2**20, 2)
    assert (spec.nic.model, spec.nic.vhost, spec.nic.queues) == ("virtio", "off", 2)
    assert spec.nic.mac == "52:54:00:12:34:56"
    assert spec.iommu
    assert spec.iommu.interrupt_remapping == "off"
    validate.validate(render(spec))


# Form.


@given(seed=st.integers(0, 2**32))
def test_order_does_not_matter(seed: int) -> None:
    root, chance = tree(), random.Random(seed)  # noqa: S311
    for element in root.iter():
        children = list(element)
        chance.shuffle(children)
        element[:] = children
    assert meaning(taken(root)) == meaning(taken(FULL))


@given(seed=st.integers(0, 2**32), filler=st.sampled_from(["\n\n", "\t", "<!-- <emulator/> -->", "<?x y?>"]))
def test_space_comments_and_instructions_do_not_matter(seed: int, filler: str) -> None:
    lines, chance = FULL.splitlines(), random.Random(seed)  # noqa: S311
    for _ in range(5):
        lines.insert(chance.randrange(1, len(lines)), filler)
    assert meaning(taken("\n".join(lines))) == meaning(taken(FULL))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "<domain type='kvm'>",
            "<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>",
        ),
        ("<memory unit='MiB'>256</memory>", "<memory>262144</memory>"),
        ("<memory unit='MiB'>256</memory>", "<memory unit='KiB'> 262144 </memory>"),
        ("<memory unit='MiB'>256</memory>", "<memory unit='b'>268435456</memory>"),
        ("<vcpu placement='static'>2</vcpu>", "<vcpu>2</vcpu>"),
        ("machine='q35'", "machine='pc-q35-8.2'"),
        ("52:54:00:12:34:56", "52:54:00:12:34:56".upper()),
        ("<source network='default'/>", ""),
        ("<link state='up'/>", ""),
        ("<title>A title</title>", "<title><![CDATA[<emulator/>]]></title>"),
        ("<console type='pty'/>", "<console type='pty'></console>"),
    ],
)
def test_defaults_prefixes_and_ways_to_write_do_not_matter(before: str, after: str) -> None:
    assert before in FULL
    assert meaning(taken(FULL.replace(before, after, 1))) == meaning(taken(FULL))


@pytest.mark.parametrize("model", ["virtio-transitional", "virtio-non-transitional", "virtio-net-pci"])
def test_virtios_names_are_one_device(model: str) -> None:
    spec = rebuilt(taken(FULL.replace("type='virtio'", f"type='{model}'")))
    assert isinstance(spec, DomainSpec)
    assert spec.nic.model == "virtio"


@pytest.mark.parametrize(
    ("machine", "meant"), [("machine='pc'", "i440fx"), ("", "i440fx"), ("machine='pc-i440fx-9.0'", "i440fx")]
)
def test_a_machine_that_is_left_out_is_libvirts_default(machine: str, meant: str) -> None:
    text = FULL.replace("machine='q35'", machine)
    assert taken(text).machine == meant
    # It has no virtual IOMMU, and the element that is to blame is named with its line.
    found = rebuilt(taken(text))
    assert isinstance(found, str)
    line = 1 + FULL.splitlines().index("    <iommu model='intel'>")
    assert found.startswith(f"line {line}: <iommu>: i440fx has no virtual IOMMU")


def test_a_user_network_has_no_vhost() -> None:
    text = FULL.replace("<interface type='network'>", "<interface type='user'>")
    assert taken(text.replace("<driver name='qemu' queues='2'/>", "")).nics[0].vhost == "off"
    found = refusals(text.replace("<driver name='qemu' queues='2'/>", "<driver name='vhost'/>"))
    assert [(one.element, "no vhost" in one.why.en) for one in found] == [("driver", True)]


@pytest.mark.parametrize(
    ("change", "element", "said"),
    [
        (("queues='2'", "queues='9'"), "interface", "9 queues for 2 vCPUs"),
        (("type='virtio'", "type='e1000'"), "interface", "vhost does not exist for e1000"),
        (("<memory unit='MiB'>256", "<memory unit='MiB'>9"), "memory", "less than a guest needs"),
        (("<memory unit='MiB'>256", "<memory unit='b'>268435457"), "memory", "no whole number of MiB"),
        (("placement='static'>2", "placement='static'>999"), "vcpu", "255"),
    ],
)
def test_what_makes_no_guest_is_named_with_element_and_line(
    change: tuple[str, str], element: str, said: str
) -> None:
    text = FULL.replace(*change)
    found = rebuilt(taken(text))
    assert isinstance(found, str)
    line = next(number for number, one in enumerate(text.splitlines(), 1) if f"<{element}" in one)
    assert found.startswith(f"line {line}: <{element}>: ")
    assert said in found


# Nothing slips through.


def places(root: etree._Element) -> list[tuple[etree._Element, str]]:
    """Return every element with its path."""
    found = []
    for element in root.iter():
        above = [one.tag for one in element.iterancestors()][::-1]
        found.append((element, "/".join([*above, element.tag])))
    return found


@pytest.mark.parametrize("path", sorted({path for _, path in places(tree())} - REPEATED - {"domain"}))
def test_what_stands_there_twice_is_refused_at_the_second(path: str) -> None:
    root = tree()
    element = next(one for one, found in places(root) if found == path)
    element.addnext(copy.deepcopy(element))
    (found,) = refusals(root)
    assert found.element == element.tag
    assert "twice" in found.why.en


FOREIGN = [
    *(
        "emulator",
        "disk",
        "hostdev",
        "filesystem",
        "kernel",
        "initrd",
        "cmdline",
        "loader",
        "nvram",
        "seclabel",
    ),
    *("channel", "parallel", "redirdev", "rng", "tpm", "rom", "script", "backend", "graphics", "shmem", "x"),
    *(
        "memoryBacking",
        "sysinfo",
        "metadata",
        "launchSecurity",
        "panic",
        "watchdog",
        "vsock",
        "crypto",
        "audio",
    ),
    *(
        "resource",
        "iothreads",
        "cputune",
        "numatune",
        "qemu",
        "commandline",
        "init",
        "bootloader",
        "pm",
        "perf",
    ),
]


@given(where=st.integers(0, 200), tag=st.sampled_from(FOREIGN), deep=st.booleans())
def test_an_element_that_is_not_on_the_list_is_refused_wherever_it_stands(
    where: int, tag: str, deep: bool
) -> None:
    root = tree()
    spots = places(root)
    parent, path = spots[where % len(spots)]
    alien = etree.SubElement(parent, tag)
    if deep:
        etree.SubElement(alien, "source", file="/etc/passwd")
    etree.indent(root)
    text = etree.tostring(root).decode()
    found = refusals(text)
    assert f"{path}/{tag}" not in ALLOWED
    assert tag in {one.element for one in found}
    lines = text.splitlines()
    for one in found:
        assert f"<{one.element}" in lines[one.line - 1]


@given(
    where=st.integers(0, 200), name=st.sampled_from(["file", "path", "dev", "host", "startupPolicy", "type"])
)
def test_an_attribute_that_is_not_on_the_list_is_refused_with_its_element_and_line(
    where: int, name: str
) -> None:
    root = tree()
    spots = places(root)
    element, path = spots[where % len(spots)]
    element.set(name, "/etc/passwd")
    etree.indent(root)
    if name in ALLOWED[path] and f"{path}@{name}" not in VALUES:
        # It is not taken over: a target's type, say.
        spec = rebuilt(taken(root))
        assert isinstance(spec, DomainSpec)
        assert "/etc/passwd" not in render(spec)
        return
    text = etree.tostring(root).decode()
    (found,) = refusals(text)
    assert found.element == element.tag
    assert f"<{element.tag}" in text.splitlines()[found.line - 1]


TEXTS = st.one_of(
    st.sampled_from(
        [
            "/etc/passwd",
            "../x",
            "$(id)",
            "`id`",
            "x' evil='1",
            "'/><disk/>",
            "{{ 7*7 }}",
            "{% x %}",
            "-enable",
            "%n",
        ]
    ),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20),
)
# What is the student's own: a name, and an address.
OWN = {"domain/name", "domain/devices/interface/mac@address"}


@settings(max_examples=400)
@given(where=st.integers(0, 200), which=st.integers(0, 9), text=TEXTS)
def test_no_text_of_a_submission_reaches_our_document(where: int, which: int, text: str) -> None:
    """Whatever stands wherever it may: it is refused, or one of few values, or not taken over."""
    root = tree()
    spots = places(root)
    element, path = spots[where % len(spots)]
    names = sorted(ALLOWED[path])
    marked = f"EVIL{text}"
    if names and which:
        name = names[which % len(names)]
        element.set(name, marked)
        path = f"{path}@{name}"
    elif not len(element):
        element.text = marked
    try:
        raw = etree.tostring(root)
    except ValueError:
        return
    found = read(raw)
    if isinstance(found, StudentDomain):
        spec = rebuilt(found)
        if isinstance(spec, DomainSpec):
            shown = render(spec)
            assert path in OWN or "EVIL" not in shown
            validate.validate(shown)


@settings(max_examples=200)
@given(cut=st.integers(0, len(FULL)), junk=st.binary(max_size=6), at=st.integers(0, len(FULL)))
def test_damaged_documents_raise_nothing_and_are_refused_with_a_line(cut: int, junk: bytes, at: int) -> None:
    raw = FULL.encode()
    for damaged in (raw[:cut], raw[:at] + junk + raw[at:], raw[:at] + raw[cut:]):
        found = read(damaged)
        if isinstance(found, StudentDomain):
            assert isinstance(rebuilt(found), DomainSpec | str)
        else:
            assert found
            assert all(one.line >= 1 and one.element and one.why.fr and one.why.en for one in found)
