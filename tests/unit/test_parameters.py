"""Names, addresses, models and sizes of a student's own: declared in lab.yaml, drawn by hashes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from domains import document
from domains.errors import InputError
from domains.paths import LABS
from grader.lab import lab as labs
from grader.lab import parameters, variants
from grader.lab.lab import Lab
from grader.lab.questions import DomainQuestion, NumberQuestion, TextQuestion

HEAD = """\
schema: tdlab.lab/1
title: {fr: Un TD, en: A lab}
variants:
  vm: [web, shop, wiki]
  nic: [e1000, rtl8139]
  loops: {from: 2000, to: 4000, step: 200}
  mac: {mac: "52:54:00"}
  subnet: {subnet: 10.20.0.0/16}
parts:
  - id: one
    title: {fr: Un, en: One}
    questions:
"""
EXITS = """\
      - id: exits
        kind: number
        points: 1
        unit: count
        ask: {fr: "Combien de sorties pour {loops} out et un hlt sur {vm} ?", en: "Exits of {vm} at {mac}?"}
        hint: {fr: "Autant que {loops+1}", en: "As many as {loops+1}, in {subnet}"}
        expect: {value: "{loops+1}"}
        tolerance: 0
"""
RATIO = """\
      - id: ratio
        kind: number
        points: 1
        unit: times
        ask: {fr: "virtio / {nic} ?", en: "virtio / {nic}?"}
        hint: {fr: "Divisez", en: "Divide"}
        expect: {ratio: {of: {metric: rtt, nic: virtio}, to: {metric: rtt, nic: "{nic}"}}}
        tolerance: 5 %
"""
DOMAIN = """\
      - id: domain
        kind: domain
        points: 1
        file: domains/one.xml
        wants: {nic: "{nic}"}
        ask: {fr: "Un domaine {vm}", en: "A domain {vm}"}
        hint: {fr: "Écrivez", en: "Write"}
"""


def lab(text: str = HEAD + EXITS + RATIO + DOMAIN) -> Lab:
    return labs.parse(document.parse(text.encode(), Path("student/lab.yaml")))


def number(lab: Lab, question_id: str) -> NumberQuestion:
    found = lab.question(question_id)
    assert isinstance(found, NumberQuestion)
    return found


def test_the_author_reads_the_lab_with_the_first_values() -> None:
    found = lab()
    assert dict(found.values) == {
        "vm": "web",
        "nic": "e1000",
        "loops": 2000,
        "mac": "52:54:00:00:00:01",
        "subnet": "10.20.0.0/24",
    }
    assert number(found, "exits").expect.value == 2001
    assert number(found, "exits").ask.en == "Exits of web at 52:54:00:00:00:01?"


def test_a_student_is_asked_about_values_of_their_own() -> None:
    found = lab()
    mine = variants.drawn(found, "alice")
    own = variants.values(found, "alice")
    assert number(mine, "exits").expect.value == int(own["loops"]) + 1
    assert str(own["vm"]) in number(mine, "exits").ask.fr
    ratio = number(mine, "ratio").expect.ratio
    assert ratio is not None
    assert ratio.to.nic == own["nic"]
    domain = mine.question("domain")
    assert isinstance(domain, DomainQuestion)
    assert domain.wants.nic == own["nic"]
    assert mine.values == own


def test_values_are_the_same_on_every_day_and_machine() -> None:
    # Pinned: other values would turn right answers that were handed in into wrong ones.
    assert variants.values(lab(), "alice") == variants.values(lab(), " Alice ")
    assert variants.values(lab(), "alice") == PINNED


def test_one_more_variable_moves_no_other() -> None:
    more = lab(HEAD.replace("variants:\n", "variants:\n  os: [debian, alpine]\n") + EXITS)
    assert {**variants.values(more, "bob"), "os": ""} == {**variants.values(lab(), "bob"), "os": ""}


def test_neighbours_draw_every_value_and_hardly_ever_the_same_address() -> None:
    drawn = [variants.values(lab(), f"student{at}") for at in range(300)]
    assert {one["vm"] for one in drawn} == {"web", "shop", "wiki"}
    assert {one["loops"] for one in drawn} == set(range(2000, 4001, 200))
    assert len({one["mac"] for one in drawn}) >= 299
    assert all(str(one["mac"]).startswith("52:54:00:") for one in drawn)
    assert len({one["subnet"] for one in drawn}) > 100


@pytest.mark.parametrize(
    ("old", "new", "where", "said"),
    [
        ("Exits of {vm}", "Exits of {vn}", "17:83", "no variant is named 'vn'"),
        ('{loops+1}"}\n        tol', '{vm+1}"}\n        tol', "19:25", "vm is no whole number"),
        ("[e1000, rtl8139]", "[e1000, rtl8193]", "27:81", "did you mean 'rtl8139'"),
        ("[web, shop, wiki]", "[web]", "4:7", "nothing to choose from"),
        ("to: 4000", "to: 1", "6:27", "nothing between"),
        ('mac: "52:54:00"', 'mac: "51:54:00"', "7:14", "mac"),
        ("10.20.0.0/16", "8.8.8.0/16", "8:20", "no IPv4 network"),
        ("10.20.0.0/16", "8.8.0.0/16", "8:20", "no private network"),
        ("vm: [web, shop, wiki]", "vm: {names: web}", "4:7", "neither a list nor a range"),
        ("step: 200", "stop: 200", "6:33", "unknown key 'stop'"),
    ],
)
def test_an_authors_mistake_has_its_place(old: str, new: str, where: str, said: str) -> None:
    text = (HEAD + EXITS + RATIO + DOMAIN).replace(old, new)
    with pytest.raises(InputError) as caught:
        lab(text)
    assert f"lab.yaml:{where}: " in str(caught.value)
    assert said in str(caught.value)


def test_without_variants_braces_are_braces() -> None:
    text = HEAD[: HEAD.index("variants")] + HEAD[HEAD.index("parts") :] + EXITS.replace('"{loops+1}"', "1")
    assert "{vm}" in number(lab(text), "exits").ask.en


def test_a_text_question_keeps_the_labs_vocabulary_in_every_variant(tmp_path: Path) -> None:
    folder = tmp_path / "r202"
    shutil.copytree(LABS / "r202", folder)
    part = folder / "parts" / "devices.yaml"
    part.write_text(part.read_text().replace("par une carte e1000 émulée", "par une carte {nic} émulée"))
    written = labs.load(folder)
    mine = variants.drawn(written, "Zoé")
    question, asked = written.question("3.1"), mine.question("3.1")
    assert isinstance(question, TextQuestion)
    assert isinstance(asked, TextQuestion)
    assert asked.vocabulary == question.vocabulary != ()
    assert str(mine.values["nic"]) in asked.ask.fr


def test_filling_touches_no_other_braces() -> None:
    values = {"vm": "web"}
    assert parameters.filled({"a": ["{vm} ${HOME} {exit}"]}, values) == {"a": ["web ${HOME} {exit}"]}


PINNED = {
    "vm": "shop",
    "nic": "e1000",
    "loops": 2200,
    "mac": "52:54:00:12:db:88",
    "subnet": "10.20.149.0/24",
}
