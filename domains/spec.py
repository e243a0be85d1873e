"""What a guest is to be: frozen, typed, and refused with a position when it makes no sense.

A spec says what is *asked*. What the host can do is a matter of :mod:`domains.capabilities`, and what really
ran is read back from the running guest; the three are never mixed.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from domains import document
from domains.document import Document, Refusal

EMULATED_NICS = ("i82557b", "e1000", "e1000e", "rtl8139", "pcnet", "vmxnet3", "igb")
NicModel = Literal[
    "i82557b", "e1000", "e1000e", "rtl8139", "pcnet", "vmxnet3", "igb", "virtio", "hostdev", "vf"
]

# What people type for a model, and the one name it has here (and in QEMU, where QEMU has one).
_NIC_ALIASES = {
    "e100": "i82557b",
    "eepro100": "i82557b",
    "i82557": "i82557b",
    "virtio-net": "virtio",
    "virtio-net-pci": "virtio",
    "passthrough": "hostdev",
    "sriov": "vf",
    "sr-iov": "vf",
    "vmxnet": "vmxnet3",
    "82576": "igb",
    "pcnet32": "pcnet",
    "8139": "rtl8139",
}

_UNITS = {"": 1, "b": 1, "kib": 2**10, "k": 2**10, "mib": 2**20, "m": 2**20, "gib": 2**30, "g": 2**30}
MIB = 2**20


def _switch(value: Any) -> Any:
    """YAML reads a bare on/off as a boolean; a spec means the word."""
    return {True: "on", False: "off"}.get(value, value) if isinstance(value, bool) else value


def _size(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = re.fullmatch(r"(\d+)\s*([A-Za-z]*)", str(value).strip())
    if not match or match[2].lower() not in _UNITS:
        raise Refusal(f"{value!r} is not a size", remedy="write a whole number and a unit: 256 MiB, 2 GiB")
    return int(match[1]) * _UNITS[match[2].lower()]


def _nic_model(value: Any) -> Any:
    known = NicModel.__args__  # type: ignore[attr-defined]
    if value in known:
        return value
    guess = _NIC_ALIASES.get(str(value).lower()) or document.nearest(value, known)
    remedy = f"did you mean {guess!r}?" if guess else f"known models: {', '.join(known)}"
    raise Refusal(f"unknown NIC model {value!r}", remedy=remedy)


_PCI = r"[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]"


def _pci_address(value: Any) -> Any:
    text = str(value).lower()
    if re.fullmatch(r"[0-9a-f]{2}:[01][0-9a-f]\.[0-7]", text):
        text = f"0000:{text}"
    if not re.fullmatch(_PCI, text):
        raise Refusal(f"{value!r} is not a PCI address", remedy="write it as lspci -D does: 0000:03:10.0")
    return text


Switch = Annotated[Literal["on", "off"], BeforeValidator(_switch)]
Bytes = Annotated[int, BeforeValidator(_size), Field(ge=0, lt=2**50)]
PciAddress = Annotated[str, BeforeValidator(_pci_address)]
Mac = Annotated[str, Field(pattern=r"^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
# Linux limits an interface's name to 15 bytes.
Interface = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$")]


class Part(BaseModel):
    """One part of a spec: frozen, and without keys of its own invention."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NicSpec(Part):
    """The network device under study: an emulated chip, a paravirtual one, or a real function handed over."""

    model: Annotated[NicModel, BeforeValidator(_nic_model)] = "virtio"
    vhost: Switch | None = None
    queues: Annotated[int, Field(ge=1, le=16)] = 1
    address: PciAddress | None = None
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

    Two switches that are often confused, kept apart by name: ``ept`` is what *this* guest runs on (EPT, or RVI
    at AMD; off means shadow page tables; it is a parameter of the host's kvm module), while
    ``ept_shown_to_guest`` only shows or hides the feature to a hypervisor *inside* the guest.
    """

    model: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] = "default"
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
    size: Annotated[Bytes, Field(ge=MIB)] = 64 * MIB


class IommuSpec(Part):
    """A virtual IOMMU (Intel's), for a guest that is to hand devices over to guests of its own."""

    model: Literal["intel"] = "intel"
    interrupt_remapping: Switch = "on"


class DomainSpec(Part):
    """One guest, as asked for."""

    name: Name = "guest"
    machine: Literal["q35", "i440fx", "microvm"] = "q35"
    accelerator: Literal["auto", "kvm", "tcg"] = "auto"
    memory: Annotated[Bytes, Field(ge=64 * MIB)] = 256 * MIB
    hugepages: Literal["2 MiB", "1 GiB"] | None = None
    vcpus: Annotated[int, Field(ge=1, le=255)] = 1
    pinning: tuple[Annotated[int, Field(ge=0, lt=4096)], ...] = ()
    cpu: CpuSpec = CpuSpec()
    nic: NicSpec = NicSpec()
    network: NetworkSpec = NetworkSpec()
    disk: DiskSpec | None = None
    iommu: IommuSpec | None = None
    passthrough: tuple[PciAddress, ...] = ()

    @model_validator(mode="after")
    def _makes_sense(self) -> DomainSpec:
        self._check_cpus()
        self._check_accelerator()
        self._check_machine()
        self._check_memory()
        return self

    def _check_cpus(self) -> None:
        if self.pinning and len(self.pinning) != self.vcpus:
            raise Refusal(
                f"pinning names {len(self.pinning)} host CPUs for {self.vcpus} vCPUs",
                path=("pinning",),
                remedy="name one host CPU for each vCPU",
            )
        if self.nic.queues > self.vcpus:
            raise Refusal(
                f"{self.nic.queues} queues for {self.vcpus} vCPUs: a queue without a vCPU is never used",
                path=("nic", "queues"),
                remedy=f"write queues: {self.vcpus}, or vcpus: {self.nic.queues}",
            )

    def _check_accelerator(self) -> None:
        if self.accelerator == "tcg" and self.cpu.ept:
            raise Refusal(
                "TCG translates guest addresses in software: it has neither EPT nor shadow page tables",
                path=("cpu", "ept"),
                remedy="remove ept, or write accelerator: kvm",
            )
        if self.accelerator == "tcg" and self.cpu.vendor == "intel" and self.cpu.nested == "on":
            raise Refusal(
                "TCG emulates AMD's SVM but not Intel's VMX",
                path=("cpu", "vendor"),
                remedy="write vendor: amd, or accelerator: kvm",
            )
        if self.cpu.model == "host" and self.accelerator == "tcg":
            raise Refusal(
                "cpu model 'host' passes the real CPU through, which TCG cannot",
                path=("cpu", "model"),
                remedy="write model: max, or accelerator: kvm",
            )

    def _check_machine(self) -> None:
        if self.iommu and self.machine != "q35":
            raise Refusal(
                f"{self.machine} has no virtual IOMMU",
                path=("iommu",),
                remedy="write machine: q35, or remove iommu",
            )
        if self.machine != "microvm":
            return
        if self.nic.model != "virtio" or self.passthrough:
            path = ("nic", "model") if self.nic.model != "virtio" else ("passthrough",)
            raise Refusal(
                "microvm has no PCI bus: only virtio devices on MMIO fit",
                path=path,
                remedy="write machine: q35, or nic: {model: virtio}",
            )
        if self.disk and self.disk.bus != "virtio":
            raise Refusal(
                f"microvm has no {self.disk.bus} controller", path=("disk", "bus"), remedy="write bus: virtio"
            )

    def _check_memory(self) -> None:
        page = {"2 MiB": 2 * MIB, "1 GiB": 1024 * MIB}.get(self.hugepages or "", MIB)
        if self.memory % page:
            raise Refusal(
                f"memory of {self.memory} bytes is no whole number of {self.hugepages or '1 MiB'} pages",
                path=("memory",),
                remedy=f"write memory: {max(1, self.memory // page) * page // MIB} MiB",
            )


def load(file: Path) -> DomainSpec:
    """Read one spec from a YAML file; raises :class:`domains.errors.InputError` with file:line:column."""
    return parse(document.read(file))


def parse(doc: Document) -> DomainSpec:
    """Turn a document into a spec."""
    if not isinstance(doc.data, dict):
        raise doc.error(
            (), "a spec is a mapping of keys to values", "begin with a line such as: nic: {model: e1000}"
        )
    return document.validate(doc, DomainSpec)
