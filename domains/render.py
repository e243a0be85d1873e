"""From a spec to domain XML: Jinja2 templates with autoescape, and nothing left undefined."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import jinja2

from domains.errors import UsageError
from domains.paths import TEMPLATES
from domains.spec import DomainSpec

OWNER_NAMESPACE = "urn:tdlab:owner:1"

# libvirt's machine type for each of ours; the plain names are the newest version that QEMU has.
_MACHINES = {"q35": "q35", "i440fx": "pc", "microvm": "microvm"}
_DISK_TARGETS = {
    "virtio": ("vd", "virtio"),
    "ide": ("hd", "ide"),
    "sata": ("sd", "sata"),
    "pvscsi": ("sd", "scsi"),
}
# A CPU that has the vendor's virtualisation extension even where QEMU emulates it.
_NESTED_MODELS = {"amd": "EPYC-Milan", "intel": "Skylake-Client"}
_EXTENSIONS = {"amd": ("svm", "npt"), "intel": ("vmx", "vmx-ept")}
# What QEMU takes without <cpu> under TCG; it has svm, so "nested: off" must be written.
_TCG_MODEL = "qemu64"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
# XML cannot carry these, or does not bring them back as they were.
_NOT_FOR_XML = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Owner:
    """Who made a domain or network: a process, named so that no later process can be taken for it.

    ``kept`` names the lab host that it belongs to once that is up: then it outlives the process.
    """

    run: str
    pid: int
    started: int
    boot: str
    machine: str
    kept: str = ""


@dataclass(frozen=True)
class DiskImage:
    """A disk image to attach; ``path`` is on the host that runs the guest."""

    path: str
    format: Literal["qcow2", "raw"] = "qcow2"
    bus: Literal["virtio", "ide", "sata", "pvscsi"] = "virtio"
    device: Literal["disk", "cdrom"] = "disk"


@dataclass(frozen=True)
class Placement:
    """What a spec leaves open and a host decides: names, paths, the accelerator. Paths are on that host."""

    name: str | None = None
    accelerator: Literal["kvm", "tcg"] = "kvm"
    emulator: str = "/usr/bin/qemu-system-x86_64"
    kernel: str | None = "/var/lib/libvirt/images/tdlab/vmlinuz"
    initramfs: str | None = "/var/lib/libvirt/images/tdlab/initramfs"
    kernel_arguments: str = "console=ttyS0 quiet"
    network: str = "tdlab"
    disk_path: str = "/var/lib/libvirt/images/tdlab/disk.qcow2"
    images: tuple[DiskImage, ...] = ()
    owner: Owner | None = None
    # How many NICs are to be plugged in later, in place of the spec's own: one root port each.
    ports: int = 0

    @property
    def domain_type(self) -> str:
        """libvirt's word for the accelerator: TCG is called "qemu" there."""
        return "kvm" if self.accelerator == "kvm" else "qemu"


@dataclass(frozen=True)
class NetworkPlan:
    """A network of a run's own: its bridge, the host's address on it ("": none), whether it leads outside."""

    name: str
    bridge: str
    host_address: str
    prefix: int = 24
    mode: Literal["isolated", "nat"] = "isolated"
    owner: Owner | None = field(default=None, compare=False)


class Pci(NamedTuple):
    """A PCI address in libvirt's notation, each part in hexadecimal."""

    domain: str
    bus: str
    slot: str
    function: str


def render(spec: DomainSpec, place: Placement | None = None) -> str:
    """Return the domain XML of a spec; without a placement, that of a typical KVM host.

    Raises :class:`UsageError` when the placement holds what XML, libvirt or its schema cannot take.
    """
    place = place or Placement(accelerator="tcg" if spec.accelerator == "tcg" else "kvm")
    _refuse_placement(place)
    return template("domain.xml.j2").render(
        spec=spec,
        place=place,
        machine=_MACHINES[spec.machine],
        cpu=_cpu(spec, place),
        disks=_disks(spec, place),
        nic_template=f"nic/{_nic_template(spec)}.xml.j2",
        port=None,
    )


def render_nic(spec: DomainSpec, place: Placement, port: str) -> str:
    """Return the XML of a spec's NIC alone, to be plugged into a root port (its bus: ``0x03``)."""
    _refuse_placement(place)
    return template(f"nic/{_nic_template(spec)}.xml.j2").render(spec=spec, place=place, port=port)


def render_network(plan: NetworkPlan) -> str:
    """Return the XML of a run's own network; raises :class:`UsageError` as :func:`render` does."""
    _refuse_text("network", plan)
    _refuse_unlike("network.name", plan.name, _OBJECT_NAME, "a name without a slash")
    _refuse_unlike("network.bridge", plan.bridge, _INTERFACE, "at most 15 letters, digits and _.-")
    return template("network.xml.j2").render(net=plan)


def render_owner(owner: Owner, *, bare: bool = False) -> str:
    """Return the element that says whose a domain is; ``bare`` when libvirt itself adds the namespace."""
    return template("owner.xml.j2").render(owner=owner, bare=bare).strip()


def render_vf_pool(name: str, pf: str) -> str:
    """Return the XML of a network that is a pool of the VFs of one PF (``pf`` is its interface's name).

    Raises :class:`UsageError` for a name that libvirt or Linux could not take.
    """
    _refuse_unlike("pool.name", name, _OBJECT_NAME, "a name without a slash")
    _refuse_unlike("pool.pf", pf, _INTERFACE, "an interface's name, such as enp1s0f0")
    return template("vf_pool.xml.j2").render(pool={"name": name, "pf": pf})


def render_pool(name: str, folder: str) -> str:
    """Return the XML of a storage pool that is a folder on the host."""
    return template("pool.xml.j2").render(name=name, folder=folder)


def render_volume(
    name: str,
    capacity: int,
    *,
    format_: Literal["raw", "qcow2"] = "raw",
    backing: DiskImage | None = None,
) -> str:
    """Return the XML of a volume of ``capacity`` bytes: empty, or what it differs in from ``backing``."""
    return template("volume.xml.j2").render(name=name, capacity=capacity, format=format_, backing=backing)


def _nic_template(spec: DomainSpec) -> str:
    return spec.nic.model if spec.nic.model in {"virtio", "hostdev", "vf"} else "emulated"


def _cpu(spec: DomainSpec, place: Placement) -> dict[str, Any]:
    """Choose libvirt's CPU mode, and the features that show or hide nested virtualisation."""
    asked = spec.cpu
    features = _nested(spec)
    if asked.model == "max":
        return {"mode": "maximum", "model": None, "features": features}
    if asked.model == "host" or (asked.model == "default" and place.accelerator == "kvm"):
        return {"mode": "host-passthrough", "model": None, "features": features}
    if asked.model != "default":
        return {"mode": "custom", "model": asked.model, "features": features}
    if asked.nested == "on" and asked.vendor:
        return {"mode": "custom", "model": _NESTED_MODELS[asked.vendor], "features": features}
    return {"mode": "custom", "model": _TCG_MODEL, "features": features}


def _nested(spec: DomainSpec) -> list[tuple[str, str]]:
    """Say what a hypervisor inside the guest finds; "off" is written too: host-passthrough would show it."""
    asked = spec.cpu
    if asked.nested == "off" or asked.vendor is None:
        vendors = [asked.vendor] if asked.vendor else sorted(_EXTENSIONS)
        return [(_EXTENSIONS[vendor][0], "disable") for vendor in vendors]
    extension, two_tables = _EXTENSIONS[asked.vendor]
    features = [(extension, "require")]
    if asked.ept_shown_to_guest:
        features.append((two_tables, "require" if asked.ept_shown_to_guest == "on" else "disable"))
    return features


def _disks(spec: DomainSpec, place: Placement) -> list[dict[str, Any]]:
    images = list(place.images)
    if spec.disk:
        images.append(DiskImage(place.disk_path, bus=spec.disk.bus))
    rows = []
    used: dict[str, int] = {}
    for image in images:
        prefix, bus = _DISK_TARGETS[image.bus]
        number = used.setdefault(prefix, 0)
        used[prefix] += 1
        rows.append(
            {
                "device": image.device,
                "format": image.format,
                "path": image.path,
                "target": prefix + _LETTERS[number],
                "bus": bus,
                "read_only": image.device == "cdrom",
            }
        )
    return rows


_ABSOLUTE = re.compile("/.+")
# libvirt takes any other text, and logs under this name.
_OBJECT_NAME = re.compile("[^/]*[^/\\s][^/]*")
_INTERFACE = re.compile(r"[A-Za-z0-9_.-]{1,15}")


def _refuse_placement(place: Placement) -> None:
    _refuse_text("placement", place)
    for name, path in _paths(place):
        _refuse_unlike(name, path, _ABSOLUTE, "an absolute path on the host")
    for label, text in (("name", place.name), ("network", place.network)):
        if text is not None:
            _refuse_unlike(f"placement.{label}", text, _OBJECT_NAME, "a name without a slash")


def _paths(place: Placement) -> Iterator[tuple[str, str]]:
    yield "placement.emulator", place.emulator
    yield "placement.disk_path", place.disk_path
    for number, image in enumerate(place.images):
        yield f"placement.images[{number}].path", image.path
    for name, path in (("kernel", place.kernel), ("initramfs", place.initramfs)):
        if path is not None:
            yield f"placement.{name}", path


def _refuse_text(label: str, holder: Any) -> None:
    """Refuse what would make broken XML, or come back from it changed."""
    for one in fields(holder):
        value = getattr(holder, one.name)
        if isinstance(value, str) and (bad := _NOT_FOR_XML.search(value)):
            raise UsageError(
                f"{label}.{one.name} holds the character U+{ord(bad[0]):04X}, which XML cannot carry",
                remedy="remove it",
            )
    if isinstance(holder, Placement):
        for number, image in enumerate(holder.images):
            _refuse_text(f"{label}.images[{number}]", image)
        if holder.owner:
            _refuse_text(f"{label}.owner", holder.owner)
    if isinstance(holder, NetworkPlan) and holder.owner:
        _refuse_text(f"{label}.owner", holder.owner)


def _refuse_unlike(label: str, text: str, form: re.Pattern[str], wanted: str) -> None:
    if not form.fullmatch(text) or _NOT_FOR_XML.search(text):
        raise UsageError(f"{label} {text!r} cannot be used", remedy=f"write {wanted}")


def _pci(address: str) -> Pci:
    if address == "auto":
        raise UsageError(
            "address: auto is chosen by the host that runs the guest",
            remedy="write the device's address to see its XML",
        )
    domain, bus, rest = address.split(":")
    slot, function = rest.split(".")
    return Pci(f"0x{domain}", f"0x{bus}", f"0x{slot}", f"0x{function}")


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["pci"] = _pci
    environment.globals["owner_namespace"] = OWNER_NAMESPACE
    return environment


@lru_cache(maxsize=16)
def template(name: str) -> jinja2.Template:
    """Return one of the templates, ready to render."""
    return _environment().get_template(name)
