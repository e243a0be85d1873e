"""List the IOMMU groups, let a card reach for memory that is not its own, and ask VFIO without remapping."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domains import daemon, devices, hosts
from domains import hypervisor as hypervisors
from domains.capabilities import pci
from domains.capabilities import survey as surveys
from domains.capabilities.survey import Survey
from domains.devices import Inventory, PciDevice, essential
from domains.emulated import sibling
from domains.errors import InfrastructureError
from domains.host import Host
from domains.hypervisor import LOCAL_URI
from grader.experiments import programs
from grader.experiments.result import Value
from grader.experiments.stage import Stage
from grader.language.bilingual import Bilingual

HERE = Path(__file__).resolve().parent
# The program knows the registers of these.
KNOWN_DRIVER = "igb"
UNSAFE = "/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts"
RESERVED = "for one in /sys/kernel/iommu_groups/*/reserved_regions; do cat $one; done | sort -u"
PCI_BRIDGE = 0x0604
FAULT = ("DMAR: [DMA", "IO_PAGE_FAULT")
MEANINGS = {
    "msi": Bilingual(
        fr="réservée aux messages d’interruption : aucune mémoire n’y est donnée",
        en="reserved for interrupt messages: no memory is given there",
    ),
    "direct": Bilingual(fr="le micrologiciel la veut telle quelle", en="the firmware wants it as it is"),
    "direct-relaxable": Bilingual(
        fr="telle quelle pour l’hôte, libre pour un invité", en="as it is for the host, free for a guest"
    ),
    "reserved": Bilingual(fr="réservée", en="reserved"),
    "window": Bilingual(fr="fenêtre où VFIO donne de la mémoire", en="window in which VFIO gives memory"),
}
OPENS = Bilingual(fr="accepté", en="accepted")


@dataclass(frozen=True)
class Asked:
    """VFIO was asked for a device: what remaps interrupts there, and what came of it."""

    host: str
    remapped: bool
    unsafe: str | None
    told: dict[str, Any]


def measure(stage: Stage) -> None:
    """Show the groups, the confinement, and the condition under which VFIO hands anything over."""
    seen = devices.look(stage.host)
    _groups(stage, seen)
    reserved = stage.host.run(["sh", "-c", RESERVED], timeout=20).stdout
    stage.evidence("reserved-regions.txt", reserved)
    rows: list[dict[str, Value]] = reserved_rows(reserved)
    subject = chosen(seen)
    asked: list[Asked] = []
    if subject is None:
        stage.not_measurable("faults", f"{stage.host.name} can spare no NIC")
    else:
        asked.append(_ask(stage, stage.host, stage.survey, subject))
        rows += [window(first, last) for first, last in asked[0].told["windows"]]
        _confinement(stage, subject, asked[0])
    stage.table("windows", rows)
    if stage.second_host:
        with _second_host(stage) as other:
            asked.append(_ask_elsewhere(stage, other))
    if asked:
        stage.table("remapping", [remapping_row(one) for one in asked])
    _conclude(stage, asked)


def _groups(stage: Stage, seen: Inventory) -> None:
    stage.table("groups", group_rows(seen))
    numbers = seen.groups()
    stage.measure("groups", [len(numbers)])
    stage.measure("alone", [sum(len(seen.group(one)) == 1 for one in numbers)])
    stage.note("unit")


def _ask(stage: Stage, host: Host, survey: Survey, subject: PciDevice) -> Asked:
    """Have the program ask VFIO for a device on a host, and try the card's DMA where it knows the card."""
    known = KNOWN_DRIVER in {subject.driver, *subject.modules}
    with devices.bound(host, subject.address, owner=stage.owner) as got:
        words = [str(got.iommu_group), *([got.address] if known else [])]
        text = programs.run(host, HERE / "confinement.py", words, timeout=60, root=True).stdout
        unsafe = (host.read(UNSAFE) or "").strip() or None
    stage.evidence(f"vfio-{host.name}.json", text)
    return Asked(host.name, remaps(survey), unsafe, json.loads(text))


@contextlib.contextmanager
def _second_host(stage: Stage) -> Iterator[Host]:
    """Own a host without interrupt remapping; it is made on this machine, as the first one was."""
    if not hosts.is_emulated(stage.host):
        stage.skip(
            f"{stage.host.name} is no emulated host: a second one like it cannot be made",
            "leave --second-host out, or name one of `tdlab host list`",
        )
    if said := daemon.ensure_running():
        stage.say(said)
    with (
        hypervisors.connected(LOCAL_URI) as here,
        sibling.without_interrupt_remapping(here, stage.host.name, stage.say) as other,
    ):
        yield other


def _ask_elsewhere(stage: Stage, host: Host) -> Asked:
    seen = devices.look(host)
    subject = chosen(seen)
    if subject is None:
        raise InfrastructureError(f"{host.name} has no NIC to spare, and was made with two")
    return _ask(stage, host, surveys.look(host), subject)


def _confinement(stage: Stage, subject: PciDevice, asked: Asked) -> None:
    tries: list[dict[str, Any]] = asked.told["tries"]
    if not tries:
        cause = (
            refusal(asked) or f"the registers of {subject} are not known: only those of {KNOWN_DRIVER} are"
        )
        stage.not_measurable("faults", cause)
        return
    rows = [dma_row(one) for one in tries]
    faults = sum(bool(one["faulted"]) for one in rows)
    stage.table("dma", rows)
    stage.measure("faults", [faults])
    given, other = (f"{one['iova']:#x}" for one in tries)
    if is_confined(rows):
        stage.note("confined", device=subject.address, given=given, other=other)
    else:
        stage.note("unconfined", device=subject.address, faults=faults)


def _conclude(stage: Stage, asked: Sequence[Asked]) -> None:
    if refusals := [answer for one in asked if not one.remapped and (answer := refusal(one))]:
        stage.note("refused", answer=refusals[0])
    elif not stage.second_host:
        stage.note("only-with" if stage.emulator else "real")


def chosen(seen: Inventory) -> PciDevice | None:
    """Return a NIC that the host can spare, alone in its group; one whose registers are known if possible."""
    spare = [
        one
        for one in reversed(seen.devices)
        if one.is_nic and not one.pf and not one.vfs and is_spare(seen, one) and not along(seen, one)
    ]
    spare.sort(key=lambda one: KNOWN_DRIVER not in {one.driver, *one.modules})
    return spare[0] if spare else None


def is_spare(seen: Inventory, device: PciDevice) -> bool:
    """Return whether the host could hand a device over now."""
    return device.iommu_group is not None and not device.is_held and essential.reason(seen, device) is None


def group_rows(seen: Inventory) -> list[dict[str, Value]]:
    """Return one row for each device of each group."""
    return [
        {
            "group": number,
            "kind": seen.group_types.get(number),
            "device": device.address,
            "driver": device.driver,
            "along": ", ".join(one.address for one in along(seen, device)) or None,
            "spare": all(is_spare(seen, one) for one in (device, *along(seen, device))),
        }
        for number in seen.groups()
        for device in seen.group(number)
    ]


def along(seen: Inventory, device: PciDevice) -> list[PciDevice]:
    """Return what VFIO wants with a device: its group but for PCI bridges (an ISA bridge is a device)."""
    group = seen.group(device.iommu_group) if device.iommu_group is not None else ()
    return [one for one in group if one.address != device.address and one.class_ >> 8 != PCI_BRIDGE]


def reserved_rows(text: str) -> list[dict[str, Value]]:
    """Read the regions that the kernel reserves: first, last and kind, one a line."""
    rows: list[dict[str, Value]] = []
    for line in text.splitlines():
        first, last, kind = line.split()
        meaning = MEANINGS.get(kind, kind)
        rows.append({"first": f"{int(first, 16):#x}", "last": f"{int(last, 16):#x}", "meaning": meaning})
    return rows


def window(first: int, last: int) -> dict[str, Value]:
    """Return the row of a range in which a device can be given memory."""
    return {"first": f"{first:#x}", "last": f"{last:#x}", "meaning": MEANINGS["window"]}


def dma_row(tried: dict[str, Any]) -> dict[str, Value]:
    """Return the row of one reading by the card."""
    told = [line for line in tried["log"] if any(word in line for word in FAULT)]
    return {
        "address": f"{tried['iova']:#x}",
        "given": tried["given"],
        "faulted": bool(told),
        "log": told[0] if told else None,
    }


def is_confined(rows: Sequence[dict[str, Value]]) -> bool:
    """Return whether what was given could be read, and nothing else."""
    return all(one["faulted"] is not one["given"] for one in rows)


def refusal(asked: Asked) -> str | None:
    """Return VFIO's words of refusal, or None."""
    refused = asked.told["refused"]
    return f"{refused['step']}: {refused['why']}" if refused else None


def remapping_row(asked: Asked) -> dict[str, Value]:
    """Return the row of one host."""
    return {
        "host": asked.host,
        "remapped": asked.remapped,
        "unsafe": asked.unsafe,
        "answer": refusal(asked) or OPENS,
        "log": "; ".join(asked.told["log"]) or None,
    }


def remaps(survey: Survey) -> bool:
    """Return whether a host's IOMMU remaps interrupts, as its row of `tdlab doctor` says."""
    return any(one.id == "interrupt-remapping" and one.status == "yes" for one in pci.rows(survey))
