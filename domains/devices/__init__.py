"""PCI devices, SR-IOV and IOMMU groups of a host, here or over SSH: looked at, changed, and put back.

:func:`look` reads everything in one round trip; :class:`Inventory` answers questions about it. Changes are
context managers: :func:`vfs`, :func:`bound`, :func:`raised`, :func:`addressed`. Each writes down what was
before on the host itself, so that :func:`put_back` can undo what a killed process left. :func:`choose` is
what ``address: auto`` means, and :func:`opened` lends devices to the guests of a run.
"""

from __future__ import annotations

from domains.devices.changes import addressed, bound, put_back, raised, vfs
from domains.devices.choice import choose, facing
from domains.devices.model import VFIO, Disk, Interface, Inventory, Mount, PciDevice
from domains.devices.pool import Loan, Pool, is_lent, opened
from domains.devices.records import Record
from domains.devices.survey import look, parse

__all__ = [
    "VFIO",
    "Disk",
    "Interface",
    "Inventory",
    "Loan",
    "Mount",
    "PciDevice",
    "Pool",
    "Record",
    "addressed",
    "bound",
    "choose",
    "facing",
    "is_lent",
    "look",
    "opened",
    "parse",
    "put_back",
    "raised",
    "vfs",
]
