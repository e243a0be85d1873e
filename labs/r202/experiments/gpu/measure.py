"""Hand a display device to a guest: seen there, lost here, and put back."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from domains import devices
from domains.devices import VFIO, Inventory, PciDevice, essential
from domains.errors import InfrastructureError
from domains.lifecycle import Domain
from domains.spec import DomainSpec
from grader.experiments import handover
from grader.experiments.handover import Function
from grader.experiments.result import Value
from grader.experiments.stage import Stage
from grader.language.bilingual import Bilingual

DISPLAY = 0x03
STEPS = {
    "before": Bilingual(fr="avant", en="before"),
    "given": Bilingual(fr="confiée à la VM", en="given to the VM"),
    "after": Bilingual(fr="la VM est finie", en="the VM has ended"),
}
OPENS = Bilingual(fr="s’ouvre", en="opens")
NONE = Bilingual(fr="aucun", en="none")
# What a kernel makes of a display that it drives.
SCREENS = "ls -d /sys/class/drm/card[0-9]* /sys/class/graphics/fb[0-9]* 2>/dev/null; true"
REMEDY = "add a second display device behind an IOMMU; or use a lab host: tdlab host up --emulated"


@dataclass(frozen=True)
class Verdict:
    """Why a display stays with the host; None when it can be handed over."""

    device: PciDevice
    reason: str | None


def measure(stage: Stage) -> None:
    """Give the display, look at both sides, and take it back."""
    seen = devices.look(stage.host)
    display = _chosen(stage, seen)
    along = handover.going(seen, display)
    addresses = tuple(one.address for one in along)
    rows = [row(STEPS["before"], display, _screens(stage))]
    stage.evidence("lspci-before.txt", handover.lspci(stage.host, *addresses))
    stage.asked(device=display.address, host_driver=VFIO)
    with contextlib.ExitStack() as held:
        for one in along:
            held.enter_context(devices.bound(stage.host, one.address, owner=stage.owner))
        guest = held.enter_context(stage.guest(DomainSpec(name="viewer", passthrough=addresses)))
        rows.append(_given(stage, display, guest))
    back = devices.look(stage.host).device(display.address)
    stage.evidence("lspci-after.txt", handover.lspci(stage.host, *addresses))
    rows.append(row(STEPS["after"], back, _screens(stage)))
    stage.table("where", rows)
    if display.driver:
        stage.note("lost", driver=back.driver)
    else:
        stage.note("driverless")
    if others := [str(one) for one in along[1:]]:
        stage.note("together", others=", ".join(others))


def _given(stage: Stage, display: PciDevice, guest: Domain) -> dict[str, Value]:
    now = devices.look(stage.host).device(display.address)
    stage.ran(device=display.address, host_driver=now.driver)
    stage.evidence("lspci-given.txt", handover.lspci(stage.host, display.address))
    inside = handover.functions(guest)
    stage.evidence("guest-pci.txt", "".join(f"{one}\n" for one in inside))
    found = seen_as(inside, display)
    assert now.iommu_group is not None  # noqa: S101 (VFIO has bound it)
    answer = handover.opened(stage, now.iommu_group) or OPENS
    stage.measure("visible", [sum(one.class_ >> 16 == DISPLAY for one in inside)])
    stage.measure("memory", [sum(found.memory) / 2**20])
    stage.note(
        "given",
        device=display.address,
        class_=f"{found.class_ >> 8:04x}",
        address=found.address,
        identity=f"{found.vendor}:{found.device}",
    )
    told = f"{found.address} {found.vendor}:{found.device} class {found.class_ >> 8:04x}"
    return row(STEPS["given"], now, _screens(stage), answer=answer, guest=told)


def _chosen(stage: Stage, seen: Inventory) -> PciDevice:
    found = [verdict(seen, one, ours=stage.emulator is not None) for one in seen if one.is_display]
    if free := [one.device for one in found if one.reason is None]:
        return free[0]
    told = "; ".join(f"{one.device} {one.reason}" for one in found) or "there is none on PCI"
    return stage.skip(f"no display device of {stage.host.name} can be handed over: {told}", REMEDY)


def verdict(seen: Inventory, device: PciDevice, *, ours: bool) -> Verdict:
    """Say whether a display may be taken from the host; of a host of ours nobody looks at the screen."""
    if device.iommu_group is None:
        return Verdict(device, "is in no IOMMU group")
    if device.is_held or device.driver == VFIO:
        return Verdict(device, "is in a guest's hands")
    if reason := essential.reason(seen, device):
        return Verdict(device, reason)
    if not ours and (warning := essential.warning(seen, device)):
        return Verdict(device, f"stays: {warning}")
    return Verdict(device, None)


def seen_as(inside: tuple[Function, ...], display: PciDevice) -> Function:
    """Return the guest's view of the device; raises :class:`InfrastructureError` when it has none."""
    for one in inside:
        if (one.vendor, one.device, one.class_) == (display.vendor, display.device, display.class_):
            return one
    raise InfrastructureError(f"the guest does not see {display}", remedy="its XML is among the evidence")


def row(
    step: Bilingual,
    device: PciDevice,
    screens: str | None,
    *,
    answer: str | Bilingual | None = None,
    guest: str | None = None,
) -> dict[str, Value]:
    """Return a step's row: what the host has of the device, and what the guest has."""
    return {
        "step": step,
        "driver": device.driver or NONE,
        "screens": screens or NONE,
        "answer": answer,
        "guest": guest,
    }


def _screens(stage: Stage) -> str | None:
    said = stage.host.run(["sh", "-c", SCREENS], timeout=20).stdout.split()
    return ", ".join(one.rpartition("/")[2] for one in said) or None
