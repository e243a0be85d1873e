"""What a guest is to be: frozen, typed, and refused with a position when it makes no sense.

A spec says what is *asked*. What the host can do is a matter of :mod:`domains.capabilities`, and what really
ran is read back from the running guest; the three are never mixed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from domains import document
from domains.document import Document
from domains.quantities import (
    EMULATED_NICS,
    MIB,
    Bytes,
    Count,
    HostCpu,
    Name,
    NicModel,
    PciAddress,
    Switch,
    in_units,
)
from domains.refusal import Refusal
from domains.spec_parts import CpuSpec, DiskSpec, IommuSpec, NetworkSpec, NicSpec, Part

__all__ = [
    "EMULATED_NICS",
    "CpuSpec",
    "DiskSpec",
    "DomainSpec",
    "IommuSpec",
    "Name",
    "NetworkSpec",
    "NicModel",
    "NicSpec",
    "Part",
    "Switch",
    "load",
    "parse",
]

_LEAST_MEMORY = 64 * MIB


class DomainSpec(Part):
    """One guest, as asked for."""

    ALSO_CALLED: ClassVar[dict[str, str]] = {
        "ram": "memory",
        "mem": "memory",
        "cpus": "vcpus",
        "cores": "vcpus",
        "net": "nic",
        "interface": "nic",
        "hostdev": "passthrough",
        "viommu": "iommu",
    }

    name: Name = "guest"
    machine: Literal["q35", "i440fx", "microvm"] = "q35"
    accelerator: Literal["auto", "kvm", "tcg"] = "auto"
    memory: Bytes = 256 * MIB
    hugepages: Literal["2 MiB", "1 GiB"] | None = None
    vcpus: Annotated[Count, Field(le=255)] = 1
    pinning: Annotated[tuple[HostCpu, ...], Field(description="a list of host CPU numbers: [0, 1]")] = ()
    cpu: CpuSpec = CpuSpec()
    nic: NicSpec = NicSpec()
    network: NetworkSpec = NetworkSpec()
    disk: DiskSpec | None = None
    iommu: IommuSpec | None = None
    passthrough: Annotated[
        tuple[PciAddress, ...], Field(description='a list of PCI addresses: ["0000:01:00.0"]')
    ] = ()

    @model_validator(mode="after")
    def _makes_sense(self) -> DomainSpec:
        self._check_cpus()
        self._check_accelerator()
        self._check_machine()
        self._check_microvm()
        self._check_memory()
        self._check_handed_over()
        return self

    def _check_cpus(self) -> None:
        if self.pinning and len(self.pinning) != self.vcpus:
            raise Refusal(
                f"pinning names {len(self.pinning)} of the host's CPUs for {self.vcpus} vCPU",
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
        if self.disk and self.disk.bus == "ide" and self.machine == "q35":
            raise Refusal(
                "q35 has no IDE controller: its disks are SATA",
                path=("disk", "bus"),
                remedy="write bus: sata, or machine: i440fx",
            )

    def _check_microvm(self) -> None:
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
        if self.memory < _LEAST_MEMORY:
            raise Refusal(
                f"memory of {in_units(self.memory)} is less than a guest needs to boot",
                path=("memory",),
                remedy=f"write memory: {in_units(_LEAST_MEMORY)} or more (without a unit it counts bytes)",
            )
        if self.memory % page:
            kind = f"huge pages of {self.hugepages}" if self.hugepages else "MiB"
            raise Refusal(
                f"memory of {in_units(self.memory)} is no whole number of {kind}",
                path=("memory",),
                remedy=f"write memory: {in_units(max(1, round(self.memory / page)) * page)}",
            )

    def _check_handed_over(self) -> None:
        taken = [self.nic.address]
        for index, address in enumerate(self.passthrough):
            if address in taken:
                raise Refusal(
                    f"{address} is handed over twice",
                    path=("passthrough", index),
                    remedy="name each device once",
                )
            taken.append(address)
        if self.nic.is_handed_over and self.network.mode != "isolated":
            raise Refusal(
                f"{self.nic.model} is a real device: its cable is the host's, not a network of ours",
                path=("network", "mode"),
                remedy="remove network",
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
