"""The kinds of question, each with right, wrong, partial, missing and hostile answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains.errors import Position
from domains.paths import LABS
from grader.checks import Context, check
from grader.checks.number import readings
from grader.lab import lab as labs
from grader.lab.questions import KINDS, Question
from grader.language import Lang
from grader.measure.run import CellResult, Measurement, Run
from grader.results.result import CheckResult, Outcome
from grader.submission import evidence
from grader.submission.answers import Answer
from grader.submission.evidence import Bundle, Commitment, commitment_hash

LAB = labs.load(LABS / "r202")


def question(kind: str, **more: Any) -> Question:
    text = {"fr": "Le mot", "en": "The word"}
    return KINDS[kind].model_validate(
        {"id": "q", "kind": kind, "points": 4, "ask": text, "hint": {"fr": "indice", "en": "hint"}, **more}
    )


def judged(asked: Question, value: Any, bundle: Bundle | None = None, lang: Lang = "en") -> CheckResult:
    where = None if value is None else Position(Path("answers.yaml"), 3, 8)
    return check(asked, Answer(value, where), Context("r202", lang, bundle or Bundle()))


def options(*names: str) -> dict[str, dict[str, str]]:
    return {name: {"fr": f"{name} fr", "en": f"{name} en"} for name in names}


def measured(**medians: float) -> Bundle:
    cells = tuple(
        CellResult.model_validate(
            {
                "id": name,
                "spec": {"nic": {"model": name}},
                "status": "measured",
                "measurements": {"tcp_to_guest": Measurement(unit="Mbit/s", samples=(value,), median=value)},
                "not_measurable": {"exits_per_mb": "TCG has none"},
            }
        )
        for name, value in medians.items()
    )
    return Bundle(run=Run(id="r", started="2025-03-10T09:30:00Z", cells=cells))


CHOICE = question(
    "choice", options=options("a", "b", "c"), right="b", feedback={"c": {"fr": "pas c", "en": "not c"}}
)
CHOICES = question("choices", options=options("a", "b", "c", "d"), right=["a", "b"])
RATIO = {"of": {"metric": "tcp_to_guest", "nic": "virtio"}, "to": {"metric": "tcp_to_guest", "nic": "e1000"}}
NUMBER = question("number", unit="times", tolerance="5 %", expect={"ratio": RATIO})
PREDICTION = question("prediction", unit="times", measured={"ratio": RATIO})
HOSTILE: list[Any] = [
    True,
    [],
    {},
    {"a": {"b": []}},
    [["a"]],
    "",
    " ",
    "\x1b[2J",
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "x" * 60000,
    "9" * 5000,
    10**4000,
    float("inf"),
    float("nan"),
    -0.0,
    b"\x00\xff",
]


# ---------------------------------------------------------------- every kind


@pytest.mark.parametrize("asked", list(LAB), ids=lambda one: one.id)
@pytest.mark.parametrize("value", HOSTILE, ids=lambda one: repr(one)[:12])
def test_nothing_hostile_breaks_a_check_or_earns_a_point(asked: Question, value: Any) -> None:
    found = judged(asked, value, measured(virtio=20, e1000=10))
    assert found.outcome is not Outcome.PASS
    assert found.points == 0
    assert "\x1b" not in found.actual + found.hint
    assert len(found.actual) < 2100


@pytest.mark.parametrize(
    "asked", [CHOICE, CHOICES, PREDICTION, LAB.question("1.4")], ids=lambda one: one.kind
)
def test_an_unanswered_question_is_the_students(asked: Question) -> None:
    found = judged(asked, None)
    assert found.outcome is Outcome.FAIL
    assert found.hint == "no answer given"
    assert judged(asked, None, lang="fr").hint == "aucune réponse donnée"


def test_an_answer_under_a_wrong_name_is_pointed_at() -> None:
    answer = Answer(None, None, "answers.yaml:2:3: unknown question 'p'; did you mean 'q'?")
    found = check(CHOICE, answer, Context("r202", "en", Bundle()))
    assert found.outcome is Outcome.FAIL
    assert "did you mean 'q'?" in found.hint


# ---------------------------------------------------------------- choice, choices


def test_the_right_option_earns_all_points_and_no_hint() -> None:
    found = judged(CHOICE, "b")
    assert (found.outcome, found.points, found.max, found.hint) == (Outcome.PASS, 4, 4, "")
    assert found.actual == "b: b en"


def test_a_wrong_option_gets_its_own_feedback_or_the_hint() -> None:
    assert judged(CHOICE, "c").hint == "not c"
    assert judged(CHOICE, "a").hint == "hint"
    assert judged(CHOICE, "a").outcome is Outcome.FAIL


def test_an_option_that_does_not_exist_is_refused_at_its_place() -> None:
    assert judged(CHOICE, "e").hint == "answers.yaml:3:8: answer with one of: a, b, c"
    assert judged(CHOICES, ["a", "z"]).hint == "answers.yaml:3:8: answer with a list of some of: a, b, c, d"


@pytest.mark.parametrize(
    ("ticked", "outcome", "points"),
    [
        (["b", "a"], Outcome.PASS, 4),
        (["a"], Outcome.PARTIAL, 2),
        ("a", Outcome.PARTIAL, 2),
        (["a", "a"], Outcome.PARTIAL, 2),
        (["a", "b", "c"], Outcome.PARTIAL, 2),
        (["a", "c"], Outcome.FAIL, 0),
        (["a", "b", "c", "d"], Outcome.FAIL, 0),
        (["c", "d"], Outcome.FAIL, 0),
    ],
)
def test_right_ticks_earn_and_wrong_ticks_take_back(ticked: Any, outcome: Outcome, points: float) -> None:
    found = judged(CHOICES, ticked)
    assert (found.outcome, found.points) == (outcome, points)


def test_ticking_everything_earns_nothing_even_when_most_options_are_right() -> None:
    asked = question("choices", options=options("a", "b", "c", "d"), right=["a", "b", "c"])
    assert judged(asked, ["a", "b", "c", "d"]).points == 0


# ---------------------------------------------------------------- number


@pytest.mark.parametrize("value", [2, 2.0, "2", "2,0", "2 ×", "1.95x", "200 %", "2 fois"])
def test_a_number_within_the_tolerance_is_right_however_it_is_written(value: Any) -> None:
    found = judged(NUMBER, value, measured(virtio=20, e1000=10))
    assert found.outcome is Outcome.PASS
    assert found.expected == "2 × ± 5 %"
    assert found.evidence[0].seen.startswith("tcp_to_guest[virtio] = 20 Mbit/s")


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (2.2, "hint"),
        (0.5, "that is one divided by the right number: you divided the other way round"),
        ("2 Mbit/s", "the unit Mbit/s does not fit: × is asked for"),
        ("two", "write a number, with its unit if you like: 2.4 ×"),
        (None, "no answer given"),
    ],
)
def test_a_wrong_number_is_told_what_is_wrong_with_it(value: Any, hint: str) -> None:
    found = judged(NUMBER, value, measured(virtio=20, e1000=10))
    assert (found.outcome, found.points, found.hint) == (Outcome.FAIL, 0, hint)


def test_the_expected_number_follows_the_students_own_measures() -> None:
    assert judged(NUMBER, 2, measured(virtio=90, e1000=10)).outcome is Outcome.FAIL
    assert judged(NUMBER, 9, measured(virtio=90, e1000=10)).outcome is Outcome.PASS


def test_evidence_that_was_not_brought_is_the_students_with_a_way_out() -> None:
    found = judged(NUMBER, 2)
    assert found.outcome is Outcome.FAIL
    assert "evidence/report.json is missing" in found.hint
    assert "Measure with `tdlab bench` in your workspace" in found.hint


def test_what_the_host_cannot_measure_is_skipped_answered_or_not() -> None:
    exits = {"measure": {"metric": "exits_per_mb", "nic": "virtio"}}
    asked = question("number", unit="1/MB", tolerance="5 %", expect=exits)
    for value in (None, 12):
        found = judged(asked, value, measured(virtio=20))
        assert found.outcome is Outcome.SKIPPED
        assert "TCG has none" in found.hint


def test_evidence_against_itself_is_left_to_the_teacher() -> None:
    bundle = measured(virtio=20, e1000=10)
    assert bundle.run is not None
    lied = bundle.run.cells[0].measurements["tcp_to_guest"].model_copy(update={"median": 99.0})
    cell = bundle.run.cells[0].model_copy(update={"measurements": {"tcp_to_guest": lied}})
    run = bundle.run.model_copy(update={"cells": (cell, bundle.run.cells[1])})
    found = judged(NUMBER, 9.9, Bundle(run=run))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.hint.startswith("unverified, left to the teacher: ")


def test_a_counter_that_got_lost_is_ours() -> None:
    lost = {"measure": {"metric": "rtt", "nic": "virtio"}}
    asked = question("number", unit="us", tolerance="5 %", expect=lost)
    assert judged(asked, 3, measured(virtio=20)).outcome is Outcome.ERROR


@pytest.mark.parametrize(
    ("text", "unit", "values"),
    [
        ("1 424 Mbit/s", "Mbit/s", [1424]),
        ("1,424", "Mbit/s", [1.424, 1424]),
        ("1,424.5", "Mbit/s", [1424.5]),
        ("1.424,5", "Mbit/s", [1424.5]),
        ("1.424 Gbit/s", "Mbit/s", [1424]),
        ("178 Mo/s", "Mbit/s", [1424]),
        ("0,4 ms", "us", [400]),
        ("-3e2", "count", [-300]),
        ("12 apples", "count", "apples"),
        ("1e999", "count", None),
        ("5.,", "count", [5]),
        ("1.2.3,4,5", "count", None),
    ],
)
def test_numbers_are_read_as_french_and_english_people_write_them(text: str, unit: str, values: Any) -> None:
    found = readings(text, unit)
    assert found == (pytest.approx(values) if isinstance(values, list) else values)


@given(st.text(max_size=80), st.sampled_from(["times", "Mbit/s", "us", "count"]))
def test_any_text_is_read_as_finite_numbers_or_not_at_all(text: str, unit: str) -> None:
    found = readings(text, unit)
    assert found is None or isinstance(found, str) or all(abs(number) < 1e308 for number in found)


# ---------------------------------------------------------------- text

SHADOW = LAB.question("2.2")
NIC = LAB.question("3.1")


@pytest.mark.parametrize(
    "text",
    [
        "L'invité modifie ses tables des pages, et chaque écriture provoque une sortie.",
        "L’INVITE CHANGE SES TABLES ; chaque faute réveille l'hyperviseur.",
        "The guest updates its page tables. Each write is an exit to the hypervisor.",
    ],
)
def test_a_text_with_all_ideas_is_right_in_either_language(text: str) -> None:
    assert SHADOW
    found = judged(SHADOW, text)
    assert (found.outcome, found.points) == (Outcome.PASS, 3)


@pytest.mark.parametrize(
    "text", ["Les tables fantômes consomment de la mémoire.", "It uses twice the RAM.", "je ne sais pas", "?"]
)
def test_a_wrong_idea_alone_or_nothing_said_is_wrong(text: str) -> None:
    assert SHADOW
    found = judged(SHADOW, text)
    assert (found.outcome, found.points) == (Outcome.FAIL, 0)


def test_a_wrong_idea_gets_its_own_feedback() -> None:
    assert NIC
    found = judged(NIC, "Le paquet va directement à la carte physique.", lang="fr")
    assert found.hint.startswith("L’e1000 n’existe pas")
    assert [(one.source, one.seen) for one in found.evidence] == [
        ("wrong idea host-nic", "said: directement … carte … physique")
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "L'invité modifie ses tables, et alors tout le monde attend que le chef arrive avec le café.",
            "found 1 of 2 ideas",
        ),
        (
            "Chaque modification des tables provoque une sortie, et la table fantôme consomme de la mémoire.",
            "right and wrong ideas stand side by side",
        ),
        ("L'invité modifie ses tables, mais aucune sortie n'a lieu.", "stand side by side"),
        ("L'invité ne modifie jamais ses tables, et l'hyperviseur est réveillé.", "a negation"),
        ("Soit l'invité modifie ses tables et ça sort, soit il ne le fait pas.", "both ways at once"),
        ("Table modifiée, sortie chaque fois. " + "mot " * 130, "longer than a short answer"),
    ],
)
def test_what_only_a_teacher_can_judge_is_left_to_the_teacher(text: str, why: str) -> None:
    assert SHADOW
    found = judged(SHADOW, text)
    assert (found.outcome, found.points) == (Outcome.INCONCLUSIVE, 0)
    assert why in found.hint


@pytest.mark.parametrize("text", ["L'invité modifie ses tables.", "the guest edits its page table"])
def test_one_idea_alone_and_nothing_else_earns_its_part(text: str) -> None:
    assert SHADOW
    found = judged(SHADOW, text)
    assert (found.outcome, found.points) == (Outcome.PARTIAL, 1.5)
    assert "each change causes an exit" in found.hint


@pytest.mark.parametrize(
    ("question_id", "text"),
    [
        (
            "1.4",
            "Le code s'exécute directement sur le processeur, sans jamais rendre la main à l'hyperviseur.",
        ),
        ("1.4", "It runs directly on the CPU and exits are free, the hypervisor is not needed."),
        ("2.2", "Chaque accès mémoire provoque une sortie, car la table est modifiée."),
        ("3.1", "Les accès aux registres ne provoquent pas de sortie : QEMU imite la puce."),
        (
            "3.1",
            "A register access traps and QEMU emulates the chip, but it goes directly to the real card.",
        ),
    ],
)
def test_half_truths_and_hedges_are_never_marked_right_alone(question_id: str, text: str) -> None:
    asked = LAB.question(question_id)
    assert asked
    assert judged(asked, text).outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("question_id", "text"),
    [
        ("1.4", "Guest code runs directly on the CPU; privileged work exits to the hypervisor by hardware."),
        (
            "1.4",
            "Le code tourne directement sur le CPU. Le reste est intercepté et passé à l'hyperviseur.",
        ),
        ("3.1", "Chaque écriture dans un registre (MMIO) provoque une sortie, et QEMU émule la carte."),
        ("3.1", "Each register access traps. The hypervisor emulates the chip in software."),
    ],
)
def test_plain_right_answers_are_marked_alone(question_id: str, text: str) -> None:
    asked = LAB.question(question_id)
    assert asked
    assert judged(asked, text).outcome is Outcome.PASS


def test_the_question_copied_is_no_answer() -> None:
    assert SHADOW
    found = judged(SHADOW, SHADOW.ask.say("fr"))
    assert found.outcome is Outcome.FAIL
    assert "in your own words" in found.hint


# ---------------------------------------------------------------- how options are written


@pytest.mark.parametrize("value", ["b", " b ", "B"])
def test_an_option_is_meant_in_either_case(value: str) -> None:
    assert judged(CHOICE, value).outcome is Outcome.PASS


def test_case_counts_where_options_differ_in_nothing_else() -> None:
    asked = question("choice", options=options("a", "A"), right="A")
    assert [judged(asked, value).outcome for value in ("A", "a")] == [Outcome.PASS, Outcome.FAIL]


@pytest.mark.parametrize("value", ["a, b", "b;a", "A b", ["a", "B"]])
def test_several_options_may_be_written_as_people_do(value: Any) -> None:
    assert judged(CHOICES, value).outcome is Outcome.PASS


@pytest.mark.parametrize("value", ["a, x", ",", "a, b?"])
def test_what_names_no_option_is_still_wrong(value: str) -> None:
    assert judged(CHOICES, value).outcome is Outcome.FAIL


# ---------------------------------------------------------------- prediction


def committed(value: Any, hour: int = 9, minute: int = 0, question_id: str = "q") -> Bundle:
    moment = datetime(2025, 3, 10, hour, minute, tzinfo=UTC)
    one = Commitment(question=question_id, sha256=commitment_hash("r202", "q", value), time=moment)
    return Bundle(run=measured(virtio=20, e1000=10).run, commitments=(one,))


@pytest.mark.parametrize("value", [2, 50.0, "1,5"])
def test_any_prediction_committed_before_the_run_is_right(value: Any) -> None:
    number = 1.5 if isinstance(value, str) else float(value)
    found = judged(PREDICTION, value, committed(number))
    assert (found.outcome, found.points) == (Outcome.PASS, 4)
    assert "measured 2 ×" in found.actual
    assert "tcp_to_guest[virtio] = 20 Mbit/s" in found.evidence[1].seen


@pytest.mark.parametrize(
    ("bundle", "hint"),
    [
        (committed(2.0, 9, 31), "after the measure had begun"),
        (committed(3.0), "was another one"),
        (committed(2.0, question_id="other"), "not committed before measuring"),
        (measured(virtio=20, e1000=10), "not committed before measuring"),
        (Bundle(), "evidence/report.json is missing"),
        (Bundle(run=measured(virtio=1).run, commitments_problem="predictions.jsonl:1:1: bad"), "jsonl:1:1"),
    ],
)
def test_a_prediction_that_did_not_come_first_is_the_students(bundle: Bundle, hint: str) -> None:
    found = judged(PREDICTION, 2, bundle)
    assert found.outcome is Outcome.FAIL
    assert hint in found.hint


def test_a_prediction_within_the_second_in_which_the_run_began_is_not_late() -> None:
    bundle = committed(2.0, 9, 30)
    moment = bundle.commitments[0].time.replace(microsecond=700_000)
    same_second = bundle.commitments[0].model_copy(update={"time": moment})
    assert judged(PREDICTION, 2, replace(bundle, commitments=(same_second,))).outcome is Outcome.PASS


def test_a_torn_line_costs_no_prediction_that_was_committed_whole() -> None:
    bundle = replace(committed(2.0), commitments_problem="predictions.jsonl:2:1: torn")
    assert judged(PREDICTION, 2, bundle).outcome is Outcome.PASS


@pytest.mark.parametrize("asked", [PREDICTION, NUMBER])
def test_measures_that_cannot_be_read_are_left_to_the_teacher(asked: Question) -> None:
    newer = measured(virtio=20, e1000=10).run
    assert newer is not None
    raw = newer.to_json().replace('"notes"', '"news"').encode()
    found = judged(asked, 2, evidence.read(raw, None))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "could not be read" in found.hint


def test_the_first_commitment_counts_when_it_was_repeated() -> None:
    early, late = committed(2.0, 9), committed(2.0, 10)
    bundle = Bundle(run=early.run, commitments=(*late.commitments, *early.commitments))
    assert judged(PREDICTION, 2, bundle).outcome is Outcome.PASS


def test_an_order_is_committed_and_checked_as_a_list() -> None:
    asked = question("prediction", items=["e1000", "virtio"])
    assert judged(asked, ["virtio", "e1000"], committed(["virtio", "e1000"])).outcome is Outcome.PASS
    assert judged(asked, ["e1000", "virtio"], committed(["virtio", "e1000"])).outcome is Outcome.FAIL
    assert "each of these once" in judged(asked, ["e1000"], committed(["e1000"])).hint


# ---------------------------------------------------------------- domain

DOMAIN = question("domain", file="domains/web.xml", wants={"nic": "virtio", "vhost": "off"})


def xml(*interfaces: str) -> bytes:
    nics = "\n".join(f"<interface type='network'>{one}</interface>" for one in interfaces)
    return f"<domain type='kvm'><name>web</name><devices>\n{nics}\n</devices></domain>".encode()


QEMU, VHOST = "<driver name='qemu'/>", "<driver name='vhost'/>"


@pytest.mark.parametrize("model", ["virtio", "virtio-transitional", "virtio-non-transitional"])
def test_a_domain_that_means_what_was_asked_is_right_and_rebuilt(model: str) -> None:
    found = judged(DOMAIN, xml(f"{QEMU}<model type='{model}'/>"))
    assert (found.outcome, found.points) == (Outcome.PASS, 4)
    assert found.evidence[0].source == "domains/web.xml, rebuilt"
    assert "<name>web</name>" in found.evidence[0].seen


@pytest.mark.parametrize(
    ("interfaces", "points", "hint"),
    [
        ([f"<model type='e1000'/>{QEMU}"], 0, "line 2: the interface's model is e1000, virtio is asked for"),
        (["<model type='virtio'/>"], 2, "write <driver name='qemu'/>"),
        ([f"<model type='virtio'/>{VHOST}"], 2, "vhost is on, off is asked for"),
        ([""], 0, "names no model"),
        ([f"<model type='virtio'/>{QEMU}", "<model type='rtl8139'/>"], 0, "line 3: the interface's model"),
        ([], 0, "the domain has no network interface"),
    ],
)
def test_a_domain_that_means_something_else_is_told_where(
    interfaces: list[str], points: float, hint: str
) -> None:
    found = judged(DOMAIN, xml(*interfaces))
    assert found.points == points
    assert found.outcome is (Outcome.PARTIAL if points else Outcome.FAIL)
    assert hint in found.hint


MAC = "52:54:00:12:db:88"
OWN = question(
    "domain", file="domains/web.xml", wants={"nic": "virtio", "vhost": "off", "name": "web", "mac": MAC}
)


@pytest.mark.parametrize(
    ("name", "mac", "driver", "points", "hint"),
    [
        ("web", MAC.upper(), QEMU, 4, ""),
        ("shop", MAC, QEMU, 10 / 3, "the domain is named shop, and web was asked for"),
        ("web", "52:54:00:12:db:89", QEMU, 10 / 3, "line 2: the MAC address is 52:54:00:12:db:89"),
        (
            "shop",
            "52:54:00:12:db:89",
            VHOST,
            2,
            "vhost is on, off is asked for; write <driver name='qemu'/>; the domain is named shop",
        ),
    ],
)
def test_a_domain_is_to_be_the_students_own(
    name: str, mac: str, driver: str, points: float, hint: str
) -> None:
    raw = xml(f"<mac address='{mac}'/><model type='virtio'/>{driver}").replace(b"web<", f"{name}<".encode())
    found = judged(OWN, raw)
    assert found.points == pytest.approx(points, abs=1e-3)
    assert hint in found.hint
    assert found.expected == f"nic virtio, vhost off, name web, mac {MAC}"


def test_a_domain_that_was_not_handed_in_or_is_refused_is_the_students() -> None:
    assert judged(DOMAIN, None).hint == "domains/web.xml was not handed in"
    found = judged(DOMAIN, b"<domain type='kvm'>\n<devices><emulator>/x</emulator></devices></domain>")
    assert found.outcome is Outcome.FAIL
    assert found.hint.startswith("domains/web.xml:2: <emulator>: libvirt runs the program")


def test_a_domain_of_which_no_guest_can_be_made_is_refused() -> None:
    small = xml(f"{QEMU}<model type='virtio'/>").replace(
        b"<devices>", b"<memory unit='KiB'>3</memory><devices>"
    )
    found = judged(DOMAIN, small)
    assert found.outcome is Outcome.FAIL
    assert found.hint.startswith("domains/web.xml: ")
