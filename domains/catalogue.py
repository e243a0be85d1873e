"""The whole family of guests that tdlab can make: one named spec for every device model and CPU feature.

Golden files, the schema, libvirt's own parser and, where the host can, a real start are tried on each of
these. Addresses stand for the reader's own devices.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from domains.quantities import EMULATED_NICS
from domains.render import (
    DiskImage,
    NetworkPlan,
    render,
    render_network,
    render_pool,
    render_vf_pool,
    render_volume,
)
from domains.spec import DomainSpec

Kind = Literal["domain", "network", "storagepool", "storagevol"]

_NICS: dict[str, dict[str, Any]] = {
    **{f"nic-{model}": {"nic": {"model": model}} for model in EMULATED_NICS},
    "nic-virtio-vhost-off": {"nic": {"model": "virtio", "vhost": "off"}},
    "nic-virtio-vhost-on": {"nic": {"model": "virtio", "vhost": "on"}},
    "nic-virtio-multiqueue": {"vcpus": 4, "nic": {"model": "virtio", "vhost": "on", "queues": 4}},
    "nic-mac": {"nic": {"model": "e1000e", "mac": "52:54:00:12:34:56"}},
    "nic-hostdev": {"nic": {"model": "hostdev", "address": "0000:03:00.0"}},
    "nic-vf-by-address": {"nic": {"model": "vf", "address": "0000:03:10.0", "mac": "52:54:00:12:34:57"}},
    "nic-vf-from-pool": {"nic": {"model": "vf", "pool": "vf-pool"}},
}

_CPUS: dict[str, dict[str, Any]] = {
    "cpu-host": {"accelerator": "kvm", "cpu": {"model": "host"}},
    "cpu-max": {"accelerator": "tcg", "cpu": {"model": "max"}},
    "cpu-named": {"cpu": {"model": "EPYC-Milan"}},
    "nested-off": {"cpu": {"nested": "off"}},
    "nested-on-amd": {"cpu": {"nested": "on", "vendor": "amd"}},
    "nested-on-intel": {"cpu": {"nested": "on", "vendor": "intel"}},
    "nested-on-amd-tcg": {"accelerator": "tcg", "cpu": {"nested": "on", "vendor": "amd"}},
    "ept-on": {"cpu": {"ept": "on"}},
    "ept-off": {"cpu": {"ept": "off"}},
    "ept-shown-to-guest-intel": {"cpu": {"nested": "on", "vendor": "intel", "ept_shown_to_guest": "on"}},
    "ept-hidden-from-guest-intel": {"cpu": {"nested": "on", "vendor": "intel", "ept_shown_to_guest": "off"}},
    "ept-shown-to-guest-amd": {"cpu": {"nested": "on", "vendor": "amd", "ept_shown_to_guest": "on"}},
    "ept-hidden-from-guest-amd": {"cpu": {"nested": "on", "vendor": "amd", "ept_shown_to_guest": "off"}},
    "pinning": {"vcpus": 2, "pinning": [0, 1]},
}

_MACHINES: dict[str, dict[str, Any]] = {
    "machine-q35": {"machine": "q35"},
    "machine-i440fx": {"machine": "i440fx"},
    "machine-microvm": {"machine": "microvm"},
    "accelerator-tcg": {"accelerator": "tcg"},
    "memory": {"name": "larger", "memory": "1 GiB"},
    "hugepages-2-mib": {"hugepages": "2 MiB"},
    "hugepages-1-gib": {"memory": "1 GiB", "hugepages": "1 GiB"},
    "iommu": {"iommu": {"interrupt_remapping": "on"}},
    "iommu-without-interrupt-remapping": {"iommu": {"interrupt_remapping": "off"}},
    "gpu-passthrough": {"passthrough": ["0000:01:00.0", "0000:01:00.1"]},
}

_DISKS: dict[str, dict[str, Any]] = {
    "disk-virtio": {"disk": {"bus": "virtio"}},
    "disk-virtio-microvm": {"machine": "microvm", "disk": {"bus": "virtio"}},
    "disk-ide": {"machine": "i440fx", "disk": {"bus": "ide"}},
    "disk-sata": {"disk": {"bus": "sata"}},
    "disk-pvscsi": {"disk": {"bus": "pvscsi", "size": "128 MiB"}},
}

_NETWORKS: dict[str, dict[str, Any]] = {
    "network-isolated": {"network": {"mode": "isolated"}},
    "network-nat": {"network": {"mode": "nat"}},
    "network-bridge": {"network": {"mode": "bridge", "bridge": "br0"}},
}


@dataclass(frozen=True)
class Rendered:
    """One member of the family as libvirt reads it; ``kind`` names its schema."""

    name: str
    kind: Kind
    xml: str


@cache
def specs() -> dict[str, DomainSpec]:
    """Return every guest of the family by name."""
    written = _NICS | _CPUS | _MACHINES | _DISKS | _NETWORKS
    return {name: DomainSpec.model_validate(fields) for name, fields in written.items()}


def family() -> Iterator[Rendered]:
    """Render every guest, the networks that they are plugged into, and where their images and disks are."""
    for name, spec in specs().items():
        yield Rendered(name, "domain", render(spec))
    modes: tuple[Literal["isolated", "nat"], ...] = ("isolated", "nat")
    for mode in modes:
        yield Rendered(f"network-{mode}-itself", "network", own_network(mode))
    yield Rendered("vf-pool-itself", "network", render_vf_pool("vf-pool", "enp3s0f0"))
    yield Rendered("images-pool-itself", "storagepool", render_pool("tdlab", "/var/lib/libvirt/images/tdlab"))
    formats: tuple[Literal["raw", "qcow2"], ...] = ("raw", "qcow2")
    for format_ in formats:
        volume = render_volume("disk", 64 * 2**20, format_=format_)
        yield Rendered(f"volume-{format_}-itself", "storagevol", volume)
    image = DiskImage("/var/lib/libvirt/images/tdlab/cloud.qcow2")
    overlay = render_volume("disk", 64 * 2**20, format_="qcow2", backing=image)
    yield Rendered("volume-overlay-itself", "storagevol", overlay)


def own_network(mode: Literal["isolated", "nat"]) -> str:
    """Return the XML of the network that a run makes for its guests, with the subnet it might get."""
    return render_network(NetworkPlan("tdlab", "tdlab0", "10.208.0.1", mode=mode))
