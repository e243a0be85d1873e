"""Give a whole card to one VM, ask for it a second time, then share it out by its VFs."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Mapping

from domains import devices
from domains.devices import VFIO, Inventory, PciDevice
from domains.errors import CapabilityMissing
from domains.lifecycle import Domain
from domains.spec import DomainSpec, NicSpec
from grader.experiments import handover
from grader.experiments.result import Value
from grader.experiments.stage import Stage
from grader.language.bilingual import Bilingual
from grader.measure import cell

SECONDS, ROUNDS = 3, 3
VMS = ("first", "second")
MEASURES = {"first": "first-vf", "second": "second-vf"}
STEPS = {
    "before": Bilingual(fr="avant", en="before"),
    "given": Bilingual(fr="confiée à une VM", en="given to a VM"),
    "opened": Bilingual(fr="l’hôte ouvre {file}", en="the host opens {file}"),
    "asked": Bilingual(fr="une 2e VM la demande", en="a 2nd VM asks for it"),
    "after": Bilingual(fr="la VM est finie", en="the VM has ended"),
}
OPENS = Bilingual(fr="s’ouvre", en="opens")
SEEN_IN_GUEST = Bilingual(fr="l’invité : {driver}, {mac}", en="the guest: {driver}, {mac}")

NO_DRIVER = Bilingual(fr="aucun", en="none")
NO_INTERFACE = Bilingual(fr="aucune", en="none")


def measure(stage: Stage) -> None:
    """Lock a card, then share it."""
    seen = devices.look(stage.host)
    nic = devices.choose(seen, "hostdev")
    _lock(stage, seen, nic)
    try:
        _share(stage, nic)
    except CapabilityMissing as missing:
        for name in MEASURES.values():
            stage.not_measurable(name, missing.problem)


def _lock(stage: Stage, seen: Inventory, nic: PciDevice) -> None:
    address = nic.address
    spec = DomainSpec(name="owner", nic=NicSpec(model="hostdev", address=address))
    stage.asked(device=address, host_driver=VFIO)
    stage.evidence("lspci-before.txt", handover.lspci(stage.host, address))
    rows = [row(STEPS["before"], nic)]
    with devices.bound(stage.host, address, owner=stage.owner, seen=seen), stage.guest(spec) as owner:
        held = devices.look(stage.host).device(address)
        stage.ran(device=address, host_driver=held.driver)
        stage.evidence("lspci-given.txt", handover.lspci(stage.host, address))
        inside = {"driver": owner.guest.driver(), "mac": mac_of(owner)}
        rows.append(row(STEPS["given"], held, filled(SEEN_IN_GUEST, **inside)))
        assert held.iommu_group is not None  # noqa: S101 (VFIO has bound it)
        answer = handover.opened(stage, held.iommu_group) or OPENS
        rows.append(row(filled(STEPS["opened"], file=f"/dev/vfio/{held.iommu_group}"), held, answer))
        said = handover.refused(stage, spec.model_copy(update={"name": "another"}), address)
        rows.append(row(STEPS["asked"], held, said))
    back = devices.look(stage.host).device(address)
    stage.evidence("lspci-after.txt", handover.lspci(stage.host, address))
    rows.append(row(STEPS["after"], back))
    stage.table("lock", rows)
    stage.note("locked", device=address)
    stage.note("back", driver=back.driver or "-", interface=", ".join(back.interfaces) or "-")


def _share(stage: Stage, nic: PciDevice) -> None:
    seen = devices.look(stage.host)
    # The same card where it can make VFs, else another one that can.
    chosen = nic if nic.is_pf else devices.choose(seen, "vf")
    pf = seen.device(chosen.pf or chosen.address)
    with contextlib.ExitStack() as held:
        count = max(len(VMS), len(pf.vfs))
        made = held.enter_context(devices.vfs(stage.host, pf.address, count, owner=stage.owner, seen=seen))
        taken = {
            name: held.enter_context(devices.bound(stage.host, vf.address, owner=stage.owner))
            for name, vf in zip(VMS, made, strict=False)
        }
        guests = {name: held.enter_context(stage.guest(spec)) for name, spec in specs(taken).items()}
        _faced(stage, held, pf, guests)
        stage.evidence(
            "lspci-vfs.txt", handover.lspci(stage.host, pf.address, *[one.address for one in made])
        )
        _traffic(stage, pf, taken, guests)


def _faced(stage: Stage, held: contextlib.ExitStack, pf: PciDevice, guests: Mapping[str, Domain]) -> None:
    """Lead the way to the guests through the PF's interface: the card switches between PF and VFs."""
    now = devices.look(stage.host)
    facing = devices.facing(now, now.vfs(now.device(pf.address))[0]).name
    held.enter_context(devices.raised(stage.host, facing, owner=stage.owner, seen=now))
    here = f"{stage.network().plan.host_address}/32"
    for guest in guests.values():
        peer = f"{guest.address}/32"
        held.enter_context(devices.addressed(stage.host, facing, here, peer=peer, owner=stage.owner))
        cell.wait_for_network(stage.host, guest)


def _traffic(
    stage: Stage, pf: PciDevice, taken: Mapping[str, PciDevice], guests: Mapping[str, Domain]
) -> None:
    addresses = [guests[name].address for name in VMS]
    rounds = [handover.side_by_side(stage.host, addresses, seconds=SECONDS) for _ in range(ROUNDS)]
    rates = {name: [one[index].mbit_per_s for one in rounds] for index, name in enumerate(VMS)}
    for name, samples in rates.items():
        stage.measure(MEASURES[name], samples)
    medians = {name: statistics.median(samples) for name, samples in rates.items()}
    rows: list[dict[str, Value]] = [
        {
            "vm": name,
            "vf": vf.address,
            "group": vf.iommu_group,
            "host_driver": vf.driver,
            "guest_driver": guests[name].guest.driver(),
            "mac": mac_of(guests[name]),
            "rate": medians[name],
        }
        for name, vf in taken.items()
    ]
    stage.table("shared", rows)
    stage.note("shared", pf=pf.address, **{name: f"{rate:.0f}" for name, rate in medians.items()})


def specs(taken: Mapping[str, PciDevice]) -> dict[str, DomainSpec]:
    """Return one guest for each VF."""
    return {
        name: DomainSpec(name=name, nic=NicSpec(model="vf", address=vf.address)) for name, vf in taken.items()
    }


def row(step: Bilingual, device: PciDevice, answer: str | Bilingual | None = None) -> dict[str, Value]:
    """Return a step's row: what the host has of the device, and what was answered."""
    return {
        "step": step,
        "driver": device.driver or NO_DRIVER,
        "interface": ", ".join(device.interfaces) or NO_INTERFACE,
        "answer": answer,
    }


def filled(text: Bilingual, **values: object) -> Bilingual:
    """Return a text with its ``{names}`` filled in, in both languages."""
    return Bilingual(fr=text.say("fr", **values), en=text.say("en", **values))


def mac_of(domain: Domain) -> str:
    """Return the MAC address of a guest's NIC."""
    return domain.guest.shell("cat /sys/class/net/eth0/address").strip()
