"""A student's domain, rebuilt from our template, is booted on a lab host, and a check looks inside."""

from __future__ import annotations

from pathlib import Path

import pytest

from domains import hypervisor
from domains.ownership import PREFIX
from grader.grading import grading
from grader.proof.verify import prove

pytestmark = pytest.mark.integration

LAB = """\
schema: tdlab.lab/1
title: {fr: Essai, en: Trial}
parts:
  - id: one
    title: {fr: Un, en: One}
    questions:
      - id: "1"
        kind: code
        points: 2
        ask: {fr: Quelle carte, en: Which NIC}
        hint: {fr: Lisez, en: Read}
        file: domains/a.xml
"""
CHECK = """\
from grader.api import question

@question("1")
def test_the_guest_drives_the_card(domain, lab_host, award, note):
    inside = lab_host.look(domain.spec)
    note(source="guest", seen=inside.tree())
    (card,) = inside.network
    assert card.vendor == "1af4", f"{card.vendor}:{card.device}"
    award(1, "the driver")
    assert inside.driver == "virtio_net"
    award(1)
"""
DOMAIN = """\
<domain type='kvm'>
  <name>mine</name>
  <title>$(touch /tmp/evil)</title>
  <os><type machine='q35'>hvm</type></os>
  <devices><interface type='network'><model type='{model}'/></interface></devices>
</domain>
"""


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    (tmp_path / "trial" / "checks").mkdir(parents=True)
    (tmp_path / "trial" / "lab.yaml").write_text(LAB)
    (tmp_path / "trial" / "checks" / "test_card.py").write_text(CHECK)
    return tmp_path / "trial"


def hand_in(place: Path, model: str) -> Path:
    (place / "domains").mkdir(parents=True)
    (place / "answers.yaml").write_text("answers: {}\n")
    (place / "domains" / "a.xml").write_text(DOMAIN.format(model=model))
    return place


def test_a_students_domain_is_booted_and_judged_by_what_its_guest_shows(
    lab: Path, tmp_path: Path, libvirt_daemon: None
) -> None:
    places = [hand_in(tmp_path / name, model) for name, model in (("ann", "virtio"), ("bob", "e1000"))]
    ann, bob = (one.questions[0] for one in grading.grade(lab, places, host="localhost").submissions)
    assert (ann.outcome, ann.points) == ("pass", 2), ann.hint
    assert "1af4:1000 class 020000 driver virtio-pci" in ann.evidence[0].seen
    assert (bob.outcome, bob.points, bob.hint) == ("fail", 0, "8086:100e")
    with hypervisor.connected() as connection:
        names = [machine.name for machine, _ in connection.machines()]
    assert not [one for one in names if one.startswith(PREFIX) and one.endswith("-guest")]


def test_a_lab_is_proved_by_the_guests_of_its_samples(lab: Path, libvirt_daemon: None) -> None:
    solution = hand_in(lab / "solution", "virtio")
    (solution / "answers.yaml").write_text("lab: trial\nlang: en\nanswers: {}\n")
    assert prove(lab, seeds=1).needs_lab_host == ("1",)
    proof = prove(lab, seeds=1, host="localhost")
    assert proof.holds, proof.problems
    assert (proof.solution.fraction, proof.needs_lab_host) == (1, ())
