"""Devices of the host for the cells whose NIC is handed over: who can have one, and who gets which."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from domains import devices
from domains.capabilities import Refused
from domains.devices import Inventory, Pool, changes
from domains.errors import TdlabError
from domains.host import Host
from domains.lifecycle import Network
from domains.render import Owner
from domains.spec import DomainSpec
from grader.measure.matrix import Cell

_REMEDY = "see the rows sriov and passthrough-nic of `tdlab doctor`"


def asked(spec: DomainSpec) -> dict[str, Any]:
    """Return what a spec asks of a device, under the keys that :func:`lent` answers with."""
    if not devices.is_lent(spec.nic):
        return {}
    named = spec.nic.address if spec.nic.address != "auto" else "any"
    return {"device": named, "host_driver": devices.VFIO}


def refusal(seen: Inventory, spec: DomainSpec, drivers: Collection[str] | None) -> Refused | None:
    """Return why a host has no device for a spec, or None; ``drivers`` as for :func:`devices.choose`.

    Only for what is there now: a named VF must exist, one of ``auto`` can still be made.
    """
    nic = spec.nic
    if not devices.is_lent(nic):
        return None
    try:
        if nic.address and nic.address != "auto":
            found = seen.device(nic.address)
            changes.refuse_binding(seen, found)
        else:
            found = devices.choose(seen, "vf" if nic.model == "vf" else "hostdev", drivers=drivers)
        if not found.is_pf or nic.model == "hostdev":
            devices.facing(seen, found)
    except TdlabError as why:
        return Refused(why.problem, why.remedy or _REMEDY)
    return None


def opened(
    host: Host, owner: Owner, cells: Sequence[Cell], drivers: Collection[str] | None
) -> AbstractContextManager[Pool]:
    """Own what the cells of a group need of the host's devices, as :func:`devices.opened` does."""
    return devices.opened(host, owner, [cell.spec.nic for cell in cells], drivers=drivers)


def is_alone(spec: DomainSpec) -> bool:
    """Return whether a guest must be measured apart: a card handed over whole makes no VFs for others."""
    return spec.nic.model == "hostdev"


@contextlib.contextmanager
def lent(
    pool: Pool, spec: DomainSpec, net: Network, number: int
) -> Iterator[tuple[DomainSpec, dict[str, Any]]]:
    """Own the device of the n-th guest; yield its spec with the device's address, and what was read back.

    Specs of other NICs come through as they are.
    """
    if not devices.is_lent(spec.nic):
        yield spec, {}
        return
    with pool.lent(spec.nic, here=net.plan.host_address, there=net.guest_address(number)) as loan:
        nic = spec.nic.model_copy(update={"address": loan.address})
        facts = {
            "device": loan.address,
            "host_driver": loan.driver,
            "iommu_group": loan.iommu_group,
            "pf": loan.pf,
            "facing": loan.facing,
        }
        yield spec.model_copy(update={"nic": nic}), facts
