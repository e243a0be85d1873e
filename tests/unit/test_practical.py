"""Questions answered by doing: orders, transcripts, hosts and experiments, right, wrong and hostile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains import document
from domains.errors import InputError
from domains.paths import LABS
from grader.checks import Context, check
from grader.checks.form import problem
from grader.checks.practical.transcript import parse
from grader.facts.kept import Found, HostFacts, holds
from grader.lab import lab as labs
from grader.lab.practical import ExperimentQuestion, Fact, HostQuestion, OrderQuestion, TranscriptQuestion
from grader.measure.run import CellResult, Measurement, Run
from grader.results.result import CheckResult, Outcome
from grader.submission.answers import Answer
from grader.submission.evidence import Bundle

RECORDED = Path(__file__).parents[1] / "data" / "report" / "experiments"
SAID = {"fr": "Le mot", "en": "The word"}
HEAD: dict[str, Any] = {"id": "q", "points": 4, "ask": SAID, "hint": {"fr": "indice", "en": "hint"}}
JUNK = [b"", b"\x00\xff", b"null", b"[]", b"{" * 5000, b'{"schema": 1e999}', b"9" * 5000, "text", 7, [], {}]


def judged(asked: Any, value: Any, bundle: Bundle | None = None) -> CheckResult:
    return check(asked, Answer(value), Context("r202", "en", bundle or Bundle()))


# ---------------------------------------------------------------- order


def metric(samples: tuple[float, ...]) -> Measurement:
    return Measurement(unit="1/MB", samples=samples, median=sorted(samples)[len(samples) // 2])


def run(**samples: tuple[float, ...]) -> Bundle:
    cells = [
        CellResult.model_validate(
            {
                "id": name,
                "spec": {"nic": {"model": name}},
                "status": "measured" if values else "skipped",
                "cause": None if values else "no such NIC here",
                "measurements": {
                    "exits_per_mb": Measurement(
                        unit="1/MB", samples=values, median=sorted(values)[len(values) // 2]
                    )
                }
                if values
                else {},
            }
        )
        for name, values in samples.items()
    ]
    return Bundle(run=Run(id="r", started="2025-03-10T09:30:00Z", cells=tuple(cells)))


ITEMS = ["virtio", "e1000", "rtl8139"]
FIXED = OrderQuestion.model_validate({**HEAD, "kind": "order", "items": ITEMS, "right": ITEMS})
OWN = OrderQuestion.model_validate(
    {**HEAD, "kind": "order", "items": ITEMS, "measured": {"metric": "exits_per_mb", "first": "most"}}
)
APART = run(virtio=(10, 11, 12), e1000=(100, 101, 102), rtl8139=(900, 901, 902))
TIED = run(virtio=(10, 11, 12), e1000=(100, 200, 300), rtl8139=(150, 250, 350))


@pytest.mark.parametrize(
    ("answer", "points"),
    [
        (["virtio", "e1000", "rtl8139"], 4),
        ("virtio > e1000 > rtl8139", 4),
        ("Virtio, E1000, rtl8139", 4),
        (["e1000", "virtio", "rtl8139"], round(4 / 3, 4)),
        (["e1000", "rtl8139", "virtio"], 0),
        (["rtl8139", "e1000", "virtio"], 0),
    ],
)
def test_an_order_earns_what_its_pairs_agree_more_than_they_disagree(answer: Any, points: float) -> None:
    assert judged(FIXED, answer).points == pytest.approx(points, abs=1e-3)


@pytest.mark.parametrize(
    "answer", [["virtio"], ["virtio", "virtio", "e1000"], "virtio e1000 pcnet", 3, "", True]
)
def test_an_order_that_does_not_hold_each_item_once_says_what_to_write(answer: Any) -> None:
    found = judged(FIXED, answer)
    assert (found.outcome, found.points) == (Outcome.FAIL, 0)
    assert "each of these once: virtio, e1000, rtl8139" in found.hint
    assert problem(FIXED, Answer(answer), "en")


def test_an_order_by_one_s_own_measures_is_read_from_them() -> None:
    assert judged(OWN, ["rtl8139", "e1000", "virtio"], APART).outcome is Outcome.PASS
    wrong = judged(OWN, ["virtio", "e1000", "rtl8139"], APART)
    assert (wrong.outcome, wrong.points) == (Outcome.FAIL, 0)
    assert wrong.expected == "rtl8139 (901) > e1000 (101) > virtio (11)"


def test_where_intervals_meet_either_order_is_right() -> None:
    assert judged(OWN, ["rtl8139", "e1000", "virtio"], TIED).outcome is Outcome.PASS
    assert judged(OWN, ["e1000", "rtl8139", "virtio"], TIED).outcome is Outcome.PASS
    assert judged(OWN, ["virtio", "e1000", "rtl8139"], TIED).outcome is Outcome.FAIL


def test_an_order_of_measures_all_alike_is_left_open_and_costs_nothing() -> None:
    alike = run(virtio=(1, 5, 9), e1000=(2, 5, 8), rtl8139=(1, 6, 9))
    found = judged(OWN, ["rtl8139", "e1000", "virtio"], alike)
    assert found.outcome is Outcome.INCONCLUSIVE
    # The teacher sees what there is to decide, and nobody's missing answer waits for one.
    assert found.actual == "rtl8139 > e1000 > virtio"
    assert [one.seen for one in found.evidence]
    assert judged(OWN, None, alike).outcome is Outcome.FAIL


def test_what_this_host_cannot_measure_is_left_out_of_the_order() -> None:
    some = run(virtio=(10, 11, 12), e1000=(100, 101, 102), rtl8139=())
    assert judged(OWN, ["e1000", "rtl8139", "virtio"], some).outcome is Outcome.PASS
    assert judged(OWN, ["virtio", "rtl8139", "e1000"], some).outcome is Outcome.FAIL
    assert judged(OWN, ["virtio", "e1000", "rtl8139"], run(virtio=(), e1000=(), rtl8139=(1,))).outcome is (
        Outcome.SKIPPED
    )
    assert judged(OWN, ["virtio", "e1000", "rtl8139"]).outcome is Outcome.FAIL


@given(st.permutations(ITEMS))
def test_an_order_and_its_reverse_never_both_earn_points(order: list[str]) -> None:
    points = [judged(FIXED, one).points for one in (order, order[::-1])]
    assert min(points) == 0


# ---------------------------------------------------------------- transcript

PS = TranscriptQuestion.model_validate(
    {
        **HEAD,
        "kind": "transcript",
        "name": "ps",
        "command": r"\bps\b",
        "example": "ps -ef",
        "shows": [
            {
                "id": "qemu",
                "means": {"fr": "QEMU", "en": "QEMU"},
                "pattern": r"^\w+ +(?P<pid>\d+).*qemu-system",
            },
            {"id": "file", "means": {"fr": "pid", "en": "the pid file"}, "pattern": r"^(?P<pid>\d+)$"},
        ],
        "forbidden": [{"pattern": "VirtualBox", "feedback": {"fr": "non", "en": "not that"}}],
    }
)
SHOWN = b"$ ps -ef; cat web.pid\nroot  4211 1 qemu-system-x86_64 -name web\n4211\n"


def test_a_transcript_that_shows_all_is_right() -> None:
    found = judged(PS, SHOWN)
    assert found.outcome is Outcome.PASS
    assert "$ ps -ef" in found.actual


@pytest.mark.parametrize(
    "text",
    [
        b"alice@host:~$ ps -ef; cat web.pid\nroot  4211 1 qemu-system-x86_64\n4211\n",
        b"\x1b[1m# ps -ef; cat x\x1b[0m\r\nroot  4211 1 qemu-system\r\n4211\r\n",
        b"Script started\n[root@h ~]# ps -ef\nroot 4211 1 qemu-system\n4211\n$ exit\n",
        SHOWN.decode().encode("utf-16"),
        b"\xfe\xff" + SHOWN.decode().encode("utf-16-be"),
        b"".join(b"    " + line + b"\n" for line in SHOWN.splitlines()),
        SHOWN.replace(b"$ ", b"$\t"),
        SHOWN.replace(b"$ ", "$\u00a0".encode()),
    ],
)
def test_prompts_and_colours_of_real_terminals_are_read(text: bytes) -> None:
    assert judged(PS, text).outcome is Outcome.PASS


def test_what_is_only_typed_and_not_printed_shows_nothing() -> None:
    found = judged(PS, b"$ ps -ef # root 4211 1 qemu-system\n$ echo 4211\n4211\n")
    assert (found.outcome, found.points) == (Outcome.FAIL, 0)


def test_each_thing_shown_earns_its_part_and_what_is_missing_is_named() -> None:
    found = judged(PS, b"$ ps -ef\nroot  4211 1 qemu-system-x86_64\n")
    assert (found.outcome, found.points) == (Outcome.PARTIAL, 2)
    assert "does not show: the pid file" in found.hint


def test_values_that_must_agree_and_do_not_earn_nothing() -> None:
    found = judged(PS, SHOWN.replace(b"\n4211", b"\n999"))
    assert (found.outcome, found.points) == (Outcome.FAIL, 0)
    assert "more than one pid: 4211, 999" in found.hint


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (None, "is missing"),
        (b"", "no command line"),
        (b"root 4211 1 qemu-system\n4211\n", "no command line"),
        (b"$ ls\nroot 4211 1 qemu-system\n4211\n", "the one asked for"),
        (SHOWN + b"VirtualBox\n", "not that"),
        (SHOWN + b"\n" * 6000, "longer than 5000 lines"),
    ],
)
def test_a_transcript_that_is_not_what_was_asked_says_why(text: bytes | None, hint: str) -> None:
    found = judged(PS, text)
    assert (found.outcome, found.points) == (Outcome.FAIL, 0)
    assert hint in found.hint


def test_a_hostile_transcript_takes_no_time_and_moves_no_terminal() -> None:
    lines = b"$ ps\n" + b"a" * 60_000 + b"\n" + b"$ # % " * 9_000
    found = judged(PS, b"\x1b]0;title\x07" + lines)
    assert found.outcome is Outcome.FAIL
    assert "\x1b" not in found.model_dump_json()


@given(st.binary(max_size=400))
def test_any_bytes_are_read_as_commands_and_output(raw: bytes) -> None:
    assert all("\n" not in line for one in parse(raw) for line in (one.line, *one.output))


# ---------------------------------------------------------------- host


def fact(**keys: Any) -> dict[str, Any]:
    return {"id": "x", "means": {"fr": "vrai", "en": "it is so"}, **keys}


def host_question(*facts: dict[str, Any], needs: list[dict[str, Any]] | None = None) -> HostQuestion:
    return HostQuestion.model_validate({**HEAD, "kind": "host", "facts": facts, "needs": needs or []})


def seen(*found: Found, problem: str | None = None) -> bytes:
    facts = HostFacts(lab="r202", host="lab1", time="2026-01-01T00:00:00Z", found=found, problem=problem)  # type: ignore[arg-type]
    return facts.model_dump_json(by_alias=True).encode()


KVM = Found(
    kind="file", name="/dev/kvm", seen={"exists": True, "mode": "660", "owner": "root", "group": "kvm"}
)
LIBVIRT = Found(kind="service", name="libvirtd", seen={"exists": True, "running": False, "enabled": True})
ONE = {"exists": True, "value": 1}
DEVICE = fact(file="/dev/kvm", mode="0660", group="kvm")
SERVICE = fact(service="libvirtd", running=True)


@pytest.mark.parametrize(
    ("wanted", "found", "so"),
    [
        (DEVICE, KVM, True),
        (fact(file="/dev/kvm", mode="0600"), KVM, False),
        (fact(file="/dev/kvm", absent=True), KVM, False),
        (fact(file="/dev/kvm", contains="x"), KVM, None),
        (SERVICE, LIBVIRT, False),
        (fact(service="libvirtd", enabled=True), LIBVIRT, True),
        (fact(package="qemu"), Found(kind="package", name="qemu", seen={"exists": False}), False),
        (fact(package="qemu", absent=True), Found(kind="package", name="qemu", seen={"exists": False}), True),
        (
            fact(sysctl="a.b", value="1"),
            Found(kind="sysctl", name="a.b", seen={"exists": True, "value": 1}),
            True,
        ),
        (
            fact(process="qemu", argument="-accel kvm"),
            Found(kind="process", name="qemu", seen={"exists": True}, arguments={"-accel kvm": True}),
            True,
        ),
        (fact(module="kvm"), Found(kind="module", name="kvm"), None),
    ],
)
def test_a_fact_holds_by_what_was_found(wanted: dict[str, Any], found: Found, so: bool | None) -> None:
    assert holds(Fact.model_validate(wanted), found) is so


def test_each_fact_of_a_host_earns_its_part() -> None:
    found = judged(host_question(DEVICE, SERVICE), seen(KVM, LIBVIRT))
    assert (found.outcome, found.points) == (Outcome.PARTIAL, 2)
    assert "on lab1, this does not hold" in found.hint


def test_a_host_that_could_not_be_looked_at_is_an_error_and_never_the_student_s() -> None:
    assert judged(host_question(DEVICE), seen(problem="ssh: no route")).outcome is Outcome.ERROR
    broken = Found(kind="file", name="/dev/kvm", problem="time-out")
    assert judged(host_question(DEVICE), seen(broken)).outcome is Outcome.ERROR


def test_a_host_that_cannot_do_what_is_needed_is_not_gradable_and_offers_another() -> None:
    none = Found(kind="file", name="/dev/kvm", seen={"exists": False})
    found = judged(host_question(SERVICE, needs=[DEVICE]), seen(none, LIBVIRT))
    assert found.outcome is Outcome.SKIPPED
    assert "host up --emulated" in found.hint


def test_a_host_that_nobody_looked_at_says_how_to() -> None:
    assert "tdlab check --host" in judged(host_question(DEVICE), None).hint
    assert "tdlab check --host" in judged(host_question(DEVICE), seen(LIBVIRT)).hint


@pytest.mark.parametrize("raw", JUNK)
def test_evidence_of_a_host_that_makes_no_sense_costs_nothing_and_earns_nothing(raw: Any) -> None:
    found = judged(host_question(DEVICE), raw)
    assert found.points == 0
    assert found.outcome is (Outcome.INCONCLUSIVE if isinstance(raw, bytes) else Outcome.FAIL)


# ---------------------------------------------------------------- experiment


def experiment(name: str, *claims: dict[str, Any]) -> ExperimentQuestion:
    named = [{"id": f"c{number}", "means": SAID, **claim} for number, claim in enumerate(claims)]
    return ExperimentQuestion.model_validate(
        {**HEAD, "kind": "experiment", "experiment": name, "claims": named}
    )


def recorded(name: str, **changes: Any) -> bytes:
    data = json.loads((RECORDED / name / "experiment.json").read_text())
    return json.dumps(data | changes).encode()


NOTHING = {"fork-faults-off": "TCG", "fork-faults-on": "TCG"}
SHADOW = {"more": {"of": "fork-faults-off", "than": "fork-faults-on", "times": 10}}


def test_an_experiment_whose_claims_hold_is_right() -> None:
    found = judged(experiment("shadow-paging", SHADOW), recorded("shadow-paging"))
    assert found.outcome is Outcome.PASS, found
    assert found.points == 4


def test_nothing_is_no_more_than_nothing() -> None:
    result = json.loads(recorded("shadow-paging"))
    for name in ("fork-faults-off", "fork-faults-on"):
        result["measurements"][name] |= {"samples": [0, 0, 0], "median": 0, "ci95": [0, 0]}
    found = judged(experiment("shadow-paging", SHADOW), json.dumps(result).encode())
    assert (found.outcome, found.points) == (Outcome.FAIL, 0)


def test_claims_on_intervals_say_yes_no_or_open() -> None:
    result = json.loads(recorded("shadow-paging"))
    name = next(iter(result["measurements"]))
    one = result["measurements"][name] | {"samples": [1, 2, 3], "median": 2, "ci95": [1, 3]}
    result["measurements"][name] = one
    result["emulator"], raw = one["emulator"], json.dumps(result).encode()
    for times, outcome in (
        (0.5, Outcome.PASS),
        (1, Outcome.PASS),
        (2, Outcome.INCONCLUSIVE),
        (4, Outcome.FAIL),
    ):
        claim = {"more": {"of": name, "than": 1, "times": times}}
        assert judged(experiment("shadow-paging", claim), raw).outcome is outcome, times
    for within, outcome in ((3, Outcome.PASS), (1.5, Outcome.INCONCLUSIVE)):
        claim = {"same": {"of": name, "to": 1, "within": within}}
        assert judged(experiment("shadow-paging", claim), raw).outcome is outcome, within
    far = {"same": {"of": name, "to": 50, "within": 2}}
    assert judged(experiment("shadow-paging", far, {"more": {"of": name, "than": 1}}), raw).points == 2


def test_claims_can_be_about_rows_and_cells_of_tables() -> None:
    row: dict[str, Any] = {
        "row": {"table": "threads", "column": "name", "has": "cpu 0", "where": {"column": "vcpu", "is": "0"}}
    }
    cell: dict[str, Any] = {
        "same": {
            "of": {"table": "threads", "column": "vcpu", "where": {"column": "name", "is": "CPU 0/KVM"}},
            "to": 0,
        }
    }
    raw = recorded("ps")
    assert judged(experiment("ps", row, cell), raw).outcome is Outcome.PASS
    assert judged(experiment("ps", {"row": {**row["row"], "has": "CPU 77"}}), raw).outcome is Outcome.FAIL
    threads = (huge := json.loads(raw))["tables"]["threads"]
    at = list(threads["columns"]).index("vcpu")
    threads["rows"] = [[*row[:at], 10**400, *row[at + 1 :]] for row in threads["rows"]]
    assert judged(experiment("ps", cell), json.dumps(huge).encode()).outcome is Outcome.INCONCLUSIVE
    cell["same"]["of"]["where"] = {"column": "name", "is": "CPU 77/KVM"}
    assert judged(experiment("ps", cell), raw).outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"status": "error", "cause": "libvirt died"}, Outcome.ERROR),
        ({"status": "skipped", "cause": "no EPT"}, Outcome.SKIPPED),
        ({"experiment": "tlb"}, Outcome.FAIL),
        ({"lab": "other"}, Outcome.FAIL),
        ({"asked": {"parameter": "npt"}, "ran": {"parameter": "none"}}, Outcome.INCONCLUSIVE),
        ({"started": "yesterday"}, Outcome.INCONCLUSIVE),
        ({"schema": "tdlab.experiment/9"}, Outcome.INCONCLUSIVE),
        ({"measurements": {}}, Outcome.INCONCLUSIVE),
        (
            {"measurements": {}, "not_measurable": {"fork-faults-off": "TCG", "fork-faults-on": "TCG"}},
            Outcome.SKIPPED,
        ),
    ],
)
def test_a_result_is_judged_by_whose_fault_it_is(changes: dict[str, Any], outcome: Outcome) -> None:
    found = judged(experiment("shadow-paging", SHADOW), recorded("shadow-paging", **changes))
    assert (found.outcome, found.points) == (outcome, 0), found.hint
    if outcome is Outcome.SKIPPED:
        assert "host up --emulated" in found.hint


@pytest.mark.parametrize(
    "change", [{"median": 5.0}, {"ci95": [0.0, 1e9]}, {"samples": []}, {"emulator": None}]
)
def test_a_measure_that_does_not_agree_with_itself_goes_to_the_teacher(change: dict[str, Any]) -> None:
    result = json.loads(recorded("shadow-paging"))
    result["emulator"] = "QEMU"
    result["measurements"]["fork-faults-off"] |= change
    found = judged(experiment("shadow-paging", SHADOW), json.dumps(result).encode())
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "does not agree with itself" in found.hint


def test_an_experiment_that_was_not_run_says_how_to() -> None:
    assert "tdlab measure r202 shadow-paging" in judged(experiment("shadow-paging", SHADOW), None).hint


@pytest.mark.parametrize("raw", JUNK)
def test_a_result_that_makes_no_sense_earns_nothing_and_breaks_nothing(raw: Any) -> None:
    found = judged(experiment("shadow-paging", SHADOW), raw)
    assert found.points == 0
    assert found.outcome is (Outcome.INCONCLUSIVE if isinstance(raw, bytes) else Outcome.FAIL)


# ---------------------------------------------------------------- what an author writes

LAB = """schema: tdlab.lab/1
title: {fr: Essai, en: Trial}
parts:
  - id: one
    title: {fr: Un, en: One}
    questions:
      - id: "1.1"
        points: 2
        ask: {fr: Quoi, en: What}
        hint: {fr: Lisez, en: Read}
"""
MORE = "more: {of: fork-time-off, than: fork-time-on}"
BODIES = {
    "order": "kind: order\nitems: [virtio, e1000]\nright: [virtio, e1000]",
    "own": "kind: order\nitems: [virtio, e1000]\nmeasured: {metric: rtt, first: least}",
    "first": "kind: code\nitems: [virtio, e1000]\nmeasured: {metric: rtt, first: least}",
    "transcript": (
        "kind: transcript\nname: ps\ncommand: ps\nexample: ps -ef\n"
        "shows: [{id: a, means: {fr: a, en: a}, pattern: 'qemu'}]"
    ),
    "host": "kind: host\nfacts: [{id: a, means: {fr: a, en: a}, service: libvirtd, running: true}]",
    "experiment": (
        "kind: experiment\nexperiment: shadow-paging\n"
        "claims: [{id: a, means: {fr: a, en: a}, more: {of: fork-time-off, than: fork-time-on}}]"
    ),
}


def parsed(body: str) -> labs.Lab:
    text = LAB + "".join(f"        {line}\n" for line in body.split("\n"))
    return labs.parse(document.parse(text.encode(), LABS / "r202" / "lab.yaml"))


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_what_an_author_writes_is_read(body: str) -> None:
    assert len(list(parsed(body))) == 1


@pytest.mark.parametrize(
    ("name", "old", "new", "problem"),
    [
        ("order", "right: [virtio, e1000]", "right: [virtio]", "right must hold each item once"),
        ("order", "right: [virtio, e1000]", "right: [virtio, e100]", "did you mean 'e1000'?"),
        ("order", "right: [virtio, e1000]", "labels: {}", "either right or measured"),
        ("order", "items: [virtio, e1000]", "items: [virtio, virtio]", "stands there twice"),
        ("own", "[virtio, e1000]", "[virtio, cable]", "'cable' is no NIC model"),
        ("own", "rtt", "rttt", "did you mean 'rtt'?"),
        ("first", "[virtio, e1000]", "[virtio, cable]", "'cable' is no NIC model"),
        ("first", "items: [virtio, e1000]\n", "", "items and measured belong together"),
        ("first", "\nmeasured: {metric: rtt, first: least}", "", "items and measured belong together"),
        ("transcript", "'qemu'", "'qemu('", "is no regular expression"),
        ("transcript", "'qemu'", "'(a+)+$'", "could take for ever"),
        ("transcript", "'qemu'", '"' + "a" * 301 + '"', "too long"),
        ("host", "running: true", "mode: '0644'", "a service has no mode"),
        ("host", "service: libvirtd, running: true", "absent: true", "exactly one of"),
        ("host", "running: true", "runing: true", "did you mean 'running'?"),
        ("experiment", "shadow-paging", "shadow-pagin", "did you mean 'shadow-paging'?"),
        ("experiment", "of: fork-time-off", "of: fork-time-of", "did you mean 'fork-time-off'?"),
        ("experiment", MORE, "row: {table: x, column: y, has: z}", "no table 'x'"),
        ("experiment", f", {MORE}", "", "exactly one of more, same and row"),
    ],
)
def test_an_author_s_mistake_is_refused_with_its_position(
    name: str, old: str, new: str, problem: str
) -> None:
    assert old in BODIES[name]
    with pytest.raises(InputError) as caught:
        parsed(BODIES[name].replace(old, new))
    assert problem in str(caught.value)
    assert caught.value.where.line >= 7


@pytest.mark.parametrize("kind", ["package", "service", "module", "process", "sysctl", "domain"])
def test_an_attribute_belongs_to_one_kind_of_fact(kind: str) -> None:
    more = {"running": True, "mode": "0644", "argument": "-x", "value": "1", "state": "running"}
    refused = []
    for key, value in more.items():
        try:
            Fact.model_validate(fact(**{kind: "x", key: value}))
        except ValueError as bad:
            refused.append(f"a {kind} has no {key}" in str(bad))
    assert all(refused)
    assert len(refused) == (5 if kind in {"package", "module"} else 4)
