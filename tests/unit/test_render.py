"""Rendered XML: one golden file for each member of the family, and every field and choice of a spec in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from lxml import etree
from pydantic import BaseModel

from domains import catalogue, validate
from domains.catalogue import Rendered
from domains.errors import UsageError
from domains.refusal import model_in
from domains.render import DiskImage, NetworkPlan, Owner, Placement, render, render_network, render_vf_pool
from domains.spec import DomainSpec

GOLDEN = Path(__file__).parent.parent / "data" / "xml"
FAMILY = list(catalogue.family())


@pytest.mark.parametrize("one", FAMILY, ids=lambda one: one.name)
def test_rendered_xml_is_the_golden_file(one: Rendered) -> None:
    file = GOLDEN / f"{one.name}.xml"
    if os.environ.get("TDLAB_UPDATE_GOLDEN"):
        file.write_text(one.xml)
    assert file.is_file(), f"no golden file {file}: look at the XML, then run with TDLAB_UPDATE_GOLDEN=1"
    assert one.xml == file.read_text()


def test_every_golden_file_belongs_to_a_member_of_the_family() -> None:
    assert {file.stem for file in GOLDEN.iterdir()} == {one.name for one in FAMILY}


@pytest.mark.parametrize("one", FAMILY, ids=lambda one: one.name)
def test_rendered_xml_is_valid(one: Rendered) -> None:
    validate.validate(one.xml, kind=one.kind)


def _fields(model: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, field in model.model_fields.items():
        if part := model_in(field.annotation):
            yield from _fields(part, (*above, name))
        else:
            yield (*above, name), field


def _value(spec: DomainSpec, path: tuple[str, ...]) -> Any:
    value: Any = spec
    for name in path:
        value = getattr(value, name, None)
    return value


def _choices(annotation: Any) -> set[str]:
    if get_origin(annotation) is Literal:
        return set(get_args(annotation))
    return {word for part in get_args(annotation) for word in _choices(part)}


@pytest.mark.parametrize("path", [path for path, _ in _fields(DomainSpec)], ids=".".join)
def test_every_field_of_a_spec_is_exercised_by_the_family(path: tuple[str, ...]) -> None:
    values = {str(_value(spec, path)) for spec in catalogue.specs().values()}
    assert len(values) > 1, f"no member of the family sets {'.'.join(path)}: add one to domains/catalogue.py"


@pytest.mark.parametrize(
    ("path", "choice"),
    [(path, choice) for path, field in _fields(DomainSpec) for choice in sorted(_choices(field.annotation))],
)
def test_every_choice_of_a_spec_is_exercised_by_the_family(path: tuple[str, ...], choice: str) -> None:
    assert choice in {_value(spec, path) for spec in catalogue.specs().values()}


def _find(xml: str, path: str) -> Any:
    found = etree.fromstring(xml.encode()).find(path)
    assert found is not None, f"no {path} in\n{xml}"
    return found


def test_vhost_is_always_written_since_libvirt_would_choose_in_silence() -> None:
    drivers = {
        vhost: _find(render(DomainSpec(nic={"model": "virtio", "vhost": vhost})), ".//interface/driver")
        for vhost in ("on", "off", None)
    }
    assert {vhost: driver.get("name") for vhost, driver in drivers.items()} == {
        "on": "vhost",
        "off": "qemu",
        None: "qemu",
    }


@pytest.mark.parametrize("accelerator", ["kvm", "tcg"])
def test_nested_off_is_written_since_a_cpu_model_may_have_the_extension(accelerator: str) -> None:
    xml = render(DomainSpec(accelerator=accelerator))
    features = {
        one.get("name"): one.get("policy") for one in etree.fromstring(xml.encode()).iterfind("cpu/feature")
    }
    assert features == {"svm": "disable", "vmx": "disable"}


def test_ept_changes_nothing_but_a_comment_that_says_so() -> None:
    on, off = (render(catalogue.specs()[name]) for name in ("ept-on", "ept-off"))
    different = [(a, b) for a, b in zip(on.splitlines(), off.splitlines(), strict=True) if a != b]
    assert [(a.strip()[:20], b.strip()[:21]) for a, b in different] == [
        ("<!-- cpu.ept: on can", "<!-- cpu.ept: off can")
    ]
    assert "kvm_intel" in different[0][0]
    assert "kvm_amd" in different[0][0]


def test_ept_shown_to_guest_is_a_feature_of_the_domains_cpu() -> None:
    for name, feature, policy in (
        ("ept-shown-to-guest-intel", "vmx-ept", "require"),
        ("ept-hidden-from-guest-intel", "vmx-ept", "disable"),
        ("ept-shown-to-guest-amd", "npt", "require"),
        ("ept-hidden-from-guest-amd", "npt", "disable"),
    ):
        found = _find(render(catalogue.specs()[name]), f"cpu/feature[@name='{feature}']")
        assert found.get("policy") == policy


def test_microvm_has_acpi_through_which_its_guest_finds_its_devices() -> None:
    _find(render(DomainSpec(machine="microvm")), "features/acpi")


def test_interrupt_remapping_brings_the_io_apic_that_it_needs() -> None:
    xml = render(catalogue.specs()["iommu"])
    assert _find(xml, "features/ioapic").get("driver") == "qemu"
    assert _find(xml, ".//iommu/driver").get("intremap") == "on"
    without = render(catalogue.specs()["iommu-without-interrupt-remapping"])
    assert "ioapic" not in without
    # Written too: left out, QEMU remaps interrupts wherever it can.
    assert _find(without, ".//iommu/driver").get("intremap") == "off"


def test_images_get_targets_in_order_and_their_controller() -> None:
    images = (
        DiskImage("/a", bus="virtio"),
        DiskImage("/b", "raw", bus="sata", device="cdrom"),
        DiskImage("/c", bus="pvscsi"),
    )
    xml = render(DomainSpec(disk={"bus": "virtio"}), Placement(kernel=None, initramfs=None, images=images))
    rows = etree.fromstring(xml.encode()).findall(".//disk")
    targets = [(row.find("target").get("dev"), row.find("source").get("file")) for row in rows]
    assert targets == [("vda", "/a"), ("sda", "/b"), ("sdb", "/c"), ("vdb", Placement().disk_path)]
    assert rows[1].find("readonly") is not None
    assert _find(xml, ".//controller[@type='scsi']").get("model") == "vmpvscsi"
    assert _find(xml, "os/boot").get("dev") == "hd"
    validate.validate(xml)


def test_kernel_without_initramfs_leaves_it_out() -> None:
    assert "initrd" not in render(DomainSpec(), Placement(initramfs=None))


def test_owner_is_written_into_domain_and_network() -> None:
    owner = Owner("r1", 7, 42, "boot", "machine")
    plan = NetworkPlan("n", "b", "10.0.0.1", owner=owner)
    for xml in (render(DomainSpec(), Placement(owner=owner)), render_network(plan)):
        element = _find(xml, ".//{urn:tdlab:owner:1}owner")
        assert dict(element.attrib) == {
            "run": "r1",
            "pid": "7",
            "started": "42",
            "boot": "boot",
            "machine": "machine",
        }


@pytest.mark.parametrize(
    ("place", "problem"),
    [
        (Placement(kernel_arguments="quiet\x07"), "placement.kernel_arguments holds the character U+0007"),
        (Placement(kernel_arguments="a\nb"), "U+000A"),
        (Placement(name="a\ud800"), "U+D800"),
        (Placement(name="a/b"), "placement.name 'a/b' cannot be used"),
        (Placement(name=""), "placement.name '' cannot be used"),
        (Placement(network="  "), "placement.network '  ' cannot be used"),
        (Placement(emulator="qemu"), "placement.emulator 'qemu' cannot be used"),
        (Placement(kernel=""), "placement.kernel '' cannot be used"),
        (Placement(disk_path="../x"), "placement.disk_path '../x' cannot be used"),
        (Placement(images=(DiskImage("a"),)), "placement.images[0].path 'a' cannot be used"),
        (Placement(images=(DiskImage("/a\x00"),)), "placement.images[0].path holds the character U+0000"),
        (Placement(owner=Owner("r\x01", 1, 1, "b", "m")), "placement.owner.run holds the character U+0001"),
    ],
)
def test_placement_that_xml_or_libvirt_cannot_take_is_refused(place: Placement, problem: str) -> None:
    with pytest.raises(UsageError) as refused:
        render(DomainSpec(), place)
    assert problem in refused.value.problem
    assert refused.value.remedy


def test_network_names_are_refused_as_placements_are() -> None:
    for plan in (NetworkPlan("a/b", "b", "10.0.0.1"), NetworkPlan("a", "b" * 16, "10.0.0.1")):
        with pytest.raises(UsageError):
            render_network(plan)
    for name, pf in (("a\nb", "eth0"), ("a", "eth 0")):
        with pytest.raises(UsageError):
            render_vf_pool(name, pf)


def test_address_auto_is_the_hosts_choice_and_has_no_xml_yet() -> None:
    with pytest.raises(UsageError, match="auto is chosen by the host"):
        render(DomainSpec(nic={"model": "vf", "address": "auto"}))
