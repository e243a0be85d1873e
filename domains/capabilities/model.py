"""What a host can do, as data: rows with evidence, and the facts behind them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

Status = Literal["yes", "no", "unknown"]

# What helps wherever a host itself can do no more.
ELSEWHERE = "measure on a lab host with working KVM, VFIO and SR-IOV: tdlab host up --emulated"


@dataclass(frozen=True)
class Capability:
    """One thing a host can or cannot do, how that is known, and what would change it.

    ``id`` is a stable word (see :mod:`domains.capabilities`). A row that is not "yes" has a cause
    and a remedy.
    """

    id: str
    status: Status
    evidence: str
    cause: str | None = None
    remedy: str | None = None

    def __post_init__(self) -> None:
        if self.status != "yes" and not (self.cause and self.remedy):
            raise ValueError(f"{self.id} is {self.status!r} without a cause and a remedy")

    def as_dict(self) -> dict[str, str | None]:
        """Return the row of the ``tdlab.doctor/1`` contract."""
        return dataclasses.asdict(self)


def yes(identity: str, evidence: str) -> Capability:
    """Return a row that says: it was seen to work."""
    return Capability(identity, "yes", evidence)


def no(identity: str, evidence: str, *, cause: str, remedy: str) -> Capability:
    """Return a row that says: it was seen not to work."""
    return Capability(identity, "no", evidence, cause, remedy)


def unknown(identity: str, *, cause: str, remedy: str, evidence: str = "") -> Capability:
    """Return a row that says: cannot tell, and why."""
    return Capability(identity, "unknown", evidence, cause, remedy)


@dataclass(frozen=True)
class PciFunction:
    """A PCI function of the host, as sysfs shows it. ``vfs_possible`` is None for what is no PF."""

    address: str
    device_class: int
    vendor: str = ""
    device: str = ""
    driver: str | None = None
    iommu_group: int | None = None
    pf: str | None = None
    vfs_possible: int | None = None
    vfs_enabled: int = 0
    interfaces: tuple[str, ...] = ()

    @property
    def is_nic(self) -> bool:
        """Whether it is a network controller (PCI base class 02h)."""
        return self.device_class >> 16 == 0x02

    @property
    def is_bridge(self) -> bool:
        """Whether it is a bridge (PCI base class 06h), which VFIO lets stay with the host."""
        return self.device_class >> 16 == 0x06

    def __str__(self) -> str:
        names = f" {'/'.join(self.interfaces)}" if self.interfaces else ""
        return f"{self.address}{names} ({self.driver or 'no driver'})"


@dataclass(frozen=True)
class HugePages:
    """The huge pages of one size: bytes a page, how many there are, how many are free."""

    size: int
    total: int
    free: int


@dataclass(frozen=True)
class Facts:
    """What a spec is held against. None where it could not be read: then nothing is refused because of it.

    ``two_tables`` says whether the loaded kvm module uses EPT or RVI; ``module`` is that module.
    """

    vendor: Literal["intel", "amd"] | None = None
    module: str | None = None
    two_tables: bool | None = None
    cpus: frozenset[int] | None = None
    devices: frozenset[str] | None = None
    machines: frozenset[str] | None = None
    pci: tuple[PciFunction, ...] = ()
    management: frozenset[str] = frozenset()
    bridges: frozenset[str] | None = None
    networks: frozenset[str] | None = None
    hugepages: tuple[HugePages, ...] = ()
    memory_total: int | None = None

    def function(self, address: str) -> PciFunction | None:
        """Return the PCI function at an address, or None if there is none."""
        return next((function for function in self.pci if function.address == address), None)


class Capabilities(Mapping[str, Capability]):
    """The rows of one host by id, in the order they are shown.

    ``environment`` is a digest of what the expensive verdicts depend on: kernel, boot, microcode, QEMU,
    libvirt.
    """

    def __init__(self, host: str, environment: str, rows: tuple[Capability, ...], facts: Facts) -> None:
        self.host = host
        self.environment = environment
        self.rows = rows
        self.facts = facts
        self._by_id = {row.id: row for row in rows}

    def __getitem__(self, key: str) -> Capability:
        return self._by_id[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_id)

    def __len__(self) -> int:
        return len(self._by_id)

    def has(self, identity: str) -> bool:
        """Return whether a capability was seen to work."""
        return identity in self._by_id and self._by_id[identity].status == "yes"


@dataclass(frozen=True)
class Accelerator:
    """Which accelerator guests get on a host, one sentence that says why, and the row of ``kvm``."""

    name: Literal["kvm", "tcg"]
    why: str
    capability: Capability


@dataclass(frozen=True)
class Refused:
    """Why a host cannot run a spec, and what would help."""

    cause: str
    remedy: str
