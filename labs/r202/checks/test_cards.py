"""What the guest of a student's own domain shows of its NIC, and which NIC their measures speak for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NoReturn

from grader.api import Measure, question
from grader.api.case import StudentAnswer
from grader.api.domain import StudentsDomain
from grader.api.lab_host import LabHost
from grader.api.tools import Award, Measures, Note, Say
from grader.checks.domain_xml import plain_model
from grader.measure.run import CellResult
from grader.submission.evidence import Bundle, Seen

Review = Callable[[str], NoReturn]
WEB = "domains/web.xml"
# Of each model, the drivers that Linux has for it, its maker's PCI id, and the ids that QEMU gives the card.
CARDS = {
    "i82557b": ({"e100"}, "8086", {"1229", "1209"}),
    "e1000": ({"e1000"}, "8086", {"100e", "100f", "1008"}),
    "e1000e": ({"e1000e"}, "8086", {"10d3"}),
    "igb": ({"igb"}, "8086", {"10c9"}),
    "rtl8139": ({"8139cp", "8139too"}, "10ec", {"8139"}),
    "pcnet": ({"pcnet32"}, "1022", {"2000"}),
    "vmxnet3": ({"vmxnet3"}, "15ad", {"07b0"}),
    # lspci names the driver of the PCI function, /sys/class/net the one of the card; 1041 is its modern id.
    "virtio": ({"virtio_net", "virtio_pci"}, "1af4", {"1000", "1041"}),
}
# A card is as good as the best within this part of its throughput; below half of it, it is not worth it.
AS_GOOD, NOT_WORTH = 0.9, 0.5


def said(answer: StudentAnswer) -> tuple[set[str], set[tuple[str, str]]]:
    """Return the words of an answer and the PCI ids in it; a maker's alone has no second half."""
    text = answer.text().casefold().replace("-", "_")
    ids = set(re.findall(r"(?<!\w)(?:0x)?([0-9a-f]{4})(?::(?:0x)?([0-9a-f]{4}))?(?!\w)", text))
    return set(re.findall(r"\w+", text)), ids


@question("3.2-inside", file=WEB)
def test_driver_and_id_are_those_of_the_card(
    domain: StudentsDomain, answer: StudentAnswer, award: Award, note: Note, say: Say
) -> None:
    model = plain_model(domain.nic.model)
    assert model, say(
        en=f"{WEB} names no model: libvirt would choose the NIC, and nobody knows which.",
        fr=f"{WEB} ne nomme aucun modèle : libvirt choisirait la carte, et nul ne sait laquelle.",
    )
    drivers, maker, devices = CARDS[model]
    note(expected=f"{'/'.join(sorted(drivers))} {maker}:{'/'.join(sorted(devices))}")
    words, ids = said(answer)
    if words & drivers:
        award(0.25, say(en="Not that PCI id.", fr="Pas cet identifiant PCI."))
    if ids and all(one == maker and two in {"", *devices} for one, two in ids):
        award(0.25, say(en="Not that driver.", fr="Pas ce pilote."))
    award(0)


@question("3.2-booted")
def test_the_guest_drives_a_card_of_virtio(
    domain: StudentsDomain, lab_host: LabHost, award: Award, note: Note, say: Say
) -> None:
    # What is asserted before the guest is booted is judged where there is no lab host, too.
    asked = [(plain_model(nic.model), nic.vhost) for nic in domain.values.nics]
    assert all(model == "virtio" for model, _ in asked), say(
        en=f"{WEB} asks for another NIC than virtio: no boot will show one.",
        fr=f"{WEB} demande une autre carte que virtio : aucun démarrage n’en montrera une.",
    )
    assert all(vhost != "on" for _, vhost in asked), say(
        en=f"{WEB} asks for vhost itself.",
        fr=f"{WEB} demande lui-même vhost.",
    )
    inside = lab_host.look(domain.spec)
    (card,) = inside.network
    shown = f"{inside.driver} {card.vendor}:{card.device}, vhost {inside.ran['vhost'] or '–'}"
    note(expected="virtio_net 1af4:1000/1041, vhost off", actual=shown)
    note(source=f"{WEB}, {lab_host.name}", seen=inside.tree())
    drivers, maker, _ = CARDS[domain.spec.nic.model]
    if inside.driver not in drivers or card.vendor != maker:
        # What was asked for is ours to make: no student is to blame for another card.
        raise RuntimeError(f"{domain.spec.nic.model} was asked for, and the guest shows {shown}")
    award(0.25, say(en=f"The guest shows {shown}.", fr=f"L’invité montre {shown}."))
    if inside.ran["vhost"] == "off":
        award(0.25)


def candidates(evidence: Bundle) -> Iterator[tuple[CellResult, float]]:
    """Yield the cards of QEMU's own that were measured, with their throughput."""
    for cell in evidence.run.cells if evidence.run else ():
        found = cell.measurements.get("tcp_to_guest")
        if cell.status == "measured" and cell.spec.nic.model in CARDS and cell.spec.cpu.ept is None and found:
            yield cell, found.median


@question("3.6-cards")
def test_the_card_for_many_guests_is_the_one_that_the_measures_speak_for(
    answer: StudentAnswer,
    evidence: Bundle,
    measure: Measures,
    award: Award,
    note: Note,
    say: Say,
    review: Review,
) -> None:
    named = answer.text().casefold().strip(" .")
    # Whose fault it is when nothing was measured, the measure itself says.
    measure(metric="tcp_to_guest", nic="virtio", vhost="off")
    found = sorted(candidates(evidence), key=lambda one: -one[1])
    mine = [value for cell, value in found if named in {cell.id, cell.spec.nic.model}]
    best = found[0][1]
    note(
        expected=", ".join(cell.id for cell, value in found if value >= AS_GOOD * best),
        source="evidence/report.json",
        seen=", ".join(f"{cell.id} {value:.0f} Mbit/s" for cell, value in found),
    )
    assert mine, say(
        en=f"Name one of the cards of your report: {', '.join(cell.id for cell, _ in found)}.",
        fr=f"Nommez une des cartes de votre rapport : {', '.join(cell.id for cell, _ in found)}.",
    )
    model = next(cell.spec.nic.model for cell, _ in found if named in {cell.id, cell.spec.nic.model})
    chosen, emulated = (measure.try_(Measure(metric="exits_per_mb", nic=one)) for one in (model, "e1000"))
    share = mine[0] / best
    # What earns nothing anyway needs no teacher.
    is_odd = isinstance(chosen, Seen) and isinstance(emulated, Seen) and chosen.value > emulated.value
    if is_odd and share >= NOT_WORTH:
        review(
            say(
                en="your report has it exit more often than e1000",
                fr="selon le rapport, elle sort plus que l’e1000",
            )
        )
    slow = say(
        en=f"By your own measures it carries {share * 100:.0f} % of what {found[0][0].id} does.",
        fr=f"D’après vos propres mesures, elle porte {share * 100:.0f} % de ce que porte {found[0][0].id}.",
    )
    award(0.5 if share >= AS_GOOD else 0.25 if share >= NOT_WORTH else 0, slow)
