"""The parts of a spec: NIC, CPU, network, disk and IOMMU, each refused alone when it makes no sense alone."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domains.quantities import (
    MIB,
    AnyAddress,
    Bytes,
    Count,
    CpuModel,
    Interface,
    Mac,
    Model,
    Name,
    Switch,
    in_units,
)
from domains.refusal import Refusal

_SECTOR = 512


class Part(BaseModel):
    """One part of a spec: frozen, and without keys of its own invention.

    ``ALSO_CALLED`` names the keys that people write for ours, to tell them the right one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    ALSO_CALLED: ClassVar[dict[str, str]] = {}


class NicSpec(Part):
    """The network device under study: an emulated chip, a paravirtual one, or a real function handed over."""

    ALSO_CALLED: ClassVar[dict[str, str]] = {"type": "model", "pci": "address", "multiqueue": "queues"}

    model: Model = "virtio"
    vhost: Switch | None = None
    queues: Annotated[Count, Field(le=16)] = 1
    address: AnyAddress | None = None
    pool: Name | None = None
    mac: Mac | None = None

    @property
    def is_handed_over(self) -> bool:
        """Whether the guest gets a real PCI function rather than one that QEMU makes."""
        return self.model in {"hostdev", "vf"}

    @model_validator(mode="after")
    def _makes_sense(self) -> NicSpec:
        if self.vhost is not None and self.model != "virtio":
            raise Refusal(
                f"vhost does not exist for {self.model}: it moves virtio's rings into the host kernel",
                path=("vhost",),
                remedy="remove vhost, or use model: virtio",
            )
        if self.queues > 1 and self.model != "virtio":
            raise Refusal(
                f"{self.model} has one queue in QEMU",
                path=("queues",),
                remedy="remove queues, or use model: virtio",
            )
        self._check_address()
        return self

    def _check_address(self) -> None:
        if self.address and not self.is_handed_over:
            raise Refusal(
                f"{self.model} is made by QEMU and takes no host PCI address",
                path=("address",),
                remedy="remove address, or use model: hostdev or vf",
            )
        if self.pool and self.model != "vf":
            raise Refusal(
                "only a VF comes from a pool", path=("pool",), remedy="remove pool, or use model: vf"
            )
        if self.mac and self.model == "hostdev":
            raise Refusal(
                "a device handed over as it is keeps its own MAC address",
                path=("mac",),
                remedy="remove mac; for a VF, whose MAC libvirt can set, use model: vf",
            )
        if self.model == "hostdev" and not self.address:
            raise Refusal(
                "hostdev needs the PCI address of the device",
                path=("model",),
                remedy="add address: 0000:BB:DD.F (tdlab doctor lists the devices)",
            )
        if self.model == "vf" and bool(self.address) == bool(self.pool):
            raise Refusal(
                "a VF needs either its PCI address or the network that is its pool",
                path=("model",),
                remedy="add address: 0000:BB:DD.F, or pool: NETWORK",
            )


class CpuSpec(Part):
    """The virtual CPU, and on which page tables it runs.

    Two switches that are often confused, kept apart by name: ``ept`` is what *this* guest runs on (EPT, or
    RVI at AMD; off means shadow page tables; it is a parameter of the host's kvm module, in no domain XML),
    while ``ept_shown_to_guest`` only shows or hides the feature to a hypervisor *inside* the guest.
    ``model`` is ``default``, ``host``, ``max``, or one that libvirt knows (EPYC, Skylake-Client …).
    """

    ALSO_CALLED: ClassVar[dict[str, str]] = {
        "npt": "ept",
        "rvi": "ept",
        "slat": "ept",
        "vmx": "nested",
        "svm": "nested",
        "hide_ept": "ept_shown_to_guest",
        "nested_ept": "ept_shown_to_guest",
    }

    model: CpuModel = "default"
    nested: Switch = "off"
    ept: Switch | None = None
    ept_shown_to_guest: Switch | None = None
    vendor: Literal["intel", "amd"] | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> CpuSpec:
        if self.ept_shown_to_guest and self.nested == "off":
            raise Refusal(
                "ept_shown_to_guest has no meaning without nested: it is for a hypervisor inside the guest",
                path=("ept_shown_to_guest",),
                remedy="add nested: on; to run this guest itself on shadow page tables write ept: off",
            )
        if self.nested == "on" and self.vendor is None:
            raise Refusal(
                "nested needs the vendor: VMX is Intel's, SVM is AMD's",
                path=("nested",),
                remedy="add vendor: intel, or vendor: amd",
            )
        return self


class NetworkSpec(Part):
    """What the NIC is plugged into: a network of the run's own, or a bridge that exists."""

    mode: Literal["isolated", "nat", "bridge"] = "isolated"
    bridge: Interface | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> NetworkSpec:
        if self.mode == "bridge" and not self.bridge:
            raise Refusal("mode: bridge needs the bridge's name", path=("mode",), remedy="add bridge: br0")
        if self.bridge and self.mode != "bridge":
            raise Refusal(
                f"mode {self.mode} makes its own bridge", path=("bridge",), remedy="write mode: bridge"
            )
        return self


class DiskSpec(Part):
    """An extra disk, thrown away with the guest, on the controller under study."""

    bus: Literal["virtio", "ide", "sata", "pvscsi"] = "virtio"
    size: Bytes = 64 * MIB

    @model_validator(mode="after")
    def _makes_sense(self) -> DiskSpec:
        if self.size < MIB or self.size % _SECTOR:
            near = max(1, round(self.size / MIB))
            raise Refusal(
                f"a disk of {in_units(self.size)}: it takes whole sectors of {_SECTOR} bytes, and 1 MiB",
                path=("size",),
                remedy=f"write size: {near} MiB",
            )
        return self


class IommuSpec(Part):
    """A virtual IOMMU (Intel's), for a guest that is to hand devices over to guests of its own."""

    model: Literal["intel"] = "intel"
    interrupt_remapping: Switch = "on"
