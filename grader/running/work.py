"""What a run has to work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from domains.cloud import guest as cloud_guest
from domains.cloud.image import CloudImage
from domains.guest_image.contents import NIC_DRIVERS
from domains.host import Host
from domains.hypervisor import Hypervisor
from domains.lifecycle import Domain
from domains.render import Owner
from grader.measure import cell as measuring
from grader.measure.matrix import Cell, Matrix
from grader.running import lending
from grader.running.journal import Journal

Say = Callable[[str], None]

# Beyond this the host's disk and its libvirt are what is waited for.
MOST_BOOTS = 4


@dataclass(frozen=True)
class Bench:
    """Everything a run needs to know."""

    host: Host
    hypervisor: Hypervisor
    journal: Journal
    matrix: Matrix
    owner: Owner
    say: Say
    # An ordinary cloud image to measure with, instead of the tiny guest.
    cloud: CloudImage | None = None
    # Whether KVM's module may be loaded anew, for cells that ask for other page tables.
    may_reload: bool = False
    # Whether cells that differ in their NIC only share a guest, into which each NIC is plugged while it runs.
    one_guest: bool = False
    # How many guests may boot at the same time.
    boots: int = MOST_BOOTS
    # Why KVM's counters are not to be believed on this host, or None.
    no_counters: str | None = None
    # Why exits cannot be counted by hardware reason, or None.
    no_reasons: str | None = None

    def asked(self, cell: Cell) -> dict[str, Any]:
        """Return what a cell asks for, and of which image when it is not the tiny guest's."""
        image = {"image": self.cloud.label} if self.cloud else {}
        return measuring.asked(cell.spec) | lending.asked(cell.spec) | image

    def ran(self, domain: Domain) -> dict[str, Any]:
        """Return what runs, read back; see :meth:`asked`."""
        facts = measuring.ran(self.host, domain)
        if self.cloud:
            facts["image"] = f"{self.cloud.file.name} {cloud_guest.image_digest(domain.machine.xml())}"
            facts["channel"] = domain.guest.channel
        return facts

    @property
    def drivers(self) -> tuple[str, ...] | None:
        """The NIC drivers that the guests have; None for a cloud image, which has a whole kernel's."""
        return None if self.cloud else NIC_DRIVERS
