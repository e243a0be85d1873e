"""From a spec to domain XML: Jinja2 templates with autoescape, and nothing left undefined."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import jinja2

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


@dataclass(frozen=True)
class Owner:
    """Who made a domain or network: a process, named so that no later process can be taken for it."""

    run: str
    pid: int
    started: int
    boot: str
    machine: str


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

    @property
    def domain_type(self) -> str:
        """libvirt's word for the accelerator: TCG is called "qemu" there."""
        return "kvm" if self.accelerator == "kvm" else "qemu"


@dataclass(frozen=True)
class NetworkPlan:
    """A network of a run's own: its bridge, the host's address on it, and whether it leads outside."""

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
    """Return the domain XML of a spec; without a placement, that of a typical KVM host."""
    place = place or Placement(accelerator="tcg" if spec.accelerator == "tcg" else "kvm")
    return _template("domain.xml.j2").render(
        spec=spec,
        place=place,
        machine=_MACHINES[spec.machine],
        cpu=_cpu(spec, place),
        disks=_disks(spec, place),
        nic_template=f"nic/{_nic_template(spec)}.xml.j2",
    )


def render_network(plan: NetworkPlan) -> str:
    """Return the XML of a run's own network."""
    return _template("network.xml.j2").render(net=plan)


def render_vf_pool(name: str, pf: str) -> str:
    """Return the XML of a network that is a pool of the VFs of one PF (``pf`` is its interface's name)."""
    return _template("vf_pool.xml.j2").render(pool={"name": name, "pf": pf})


def _nic_template(spec: DomainSpec) -> str:
    return spec.nic.model if spec.nic.model in {"virtio", "hostdev", "vf"} else "emulated"


def _cpu(spec: DomainSpec, place: Placement) -> dict[str, Any]:
    """Choose libvirt's CPU mode, and the features that show or hide nested virtualisation."""
    asked = spec.cpu
    features: list[tuple[str, str]] = []
    if asked.vendor and asked.nested == "on":
        extension, two_tables = _EXTENSIONS[asked.vendor]
        features.append((extension, "require"))
        if asked.ept_shown_to_guest:
            features.append((two_tables, "require" if asked.ept_shown_to_guest == "on" else "disable"))
    if asked.model == "max":
        return {"mode": "maximum", "model": None, "features": features}
    if asked.model == "host" or (asked.model == "default" and place.accelerator == "kvm"):
        return {"mode": "host-passthrough", "model": None, "features": features}
    if asked.model != "default":
        return {"mode": "custom", "model": asked.model, "features": features}
    if features and asked.vendor:
        return {"mode": "custom", "model": _NESTED_MODELS[asked.vendor], "features": features}
    return {"mode": None, "model": None, "features": []}


def _disks(spec: DomainSpec, place: Placement) -> list[dict[str, Any]]:
    images = list(place.images)
    if spec.disk:
        images.append(DiskImage(place.disk_path, bus=spec.disk.bus))
    rows = []
    used: dict[str, int] = {}
    for image in images:
        prefix, bus = _DISK_TARGETS[image.bus]
        letter = "abcdefgh"[used.setdefault(prefix, 0)]
        used[prefix] += 1
        rows.append(
            {
                "device": image.device,
                "format": image.format,
                "path": image.path,
                "target": prefix + letter,
                "bus": bus,
                "read_only": image.device == "cdrom",
            }
        )
    return rows


def _pci(address: str) -> Pci:
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
def _template(name: str) -> jinja2.Template:
    return _environment().get_template(name)
