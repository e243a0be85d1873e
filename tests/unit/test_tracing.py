"""Exits by reason in a run: which cells are due, what the journal holds, and what comes of it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, cast

import pytest

from domains import ownership
from domains.errors import InfrastructureError
from domains.host import Host
from domains.lifecycle import Domain
from grader.measure import exit_reasons, matrix
from grader.measure.exit_reasons import Histogram
from grader.measure.run import ExitReasons
from grader.running import journal, summary, tracing

PLAN = {"id": "r1", "asked": {}, "started": "2026-01-01T00:00:00+00:00", "tdlab": "0"}
ROUND = {"samples": {"tcp_to_guest": 10.0}, "warmups": {}, "not_measurable": {}}
FOUND = exit_reasons.result(Histogram("svm", {0x400: 90, 0x7C: 10}), 2.0, 100)


@pytest.fixture
def held(tmp_path: Path) -> Any:
    """A run of two cells under KVM and one under TCG, each with its rounds."""
    with journal.opened(tmp_path, PLAN, resume=False) as made:
        for name, accelerator in (("a", "kvm"), ("b", "kvm"), ("c", "tcg")):
            made.add("cell", cell=name, status="measured", ran={"accelerator": accelerator, "vcpus": 1})
            made.add("round", cell=name, round=0, **ROUND)
        yield made


@pytest.fixture
def said() -> list[str]:
    return []


def trace(held: journal.Journal, said: list[str], *, refused: str | None = None) -> None:
    guests = dict.fromkeys("abc", cast("Domain", None))
    owner = ownership.this_process("r1")
    linked = contextlib.nullcontext
    tracing.trace(held, Host(), owner, guests, linked, refused=refused, believed=True, say=said.append)


def run(held: journal.Journal, tmp_path: Path) -> Any:
    file = tmp_path / "matrix.yaml"
    file.write_text("workload: {repeats: 1}\ncells: [{id: a}, {id: b}, {id: c}]\n")
    return summary.summarise(held, matrix.load(file))


def measured(monkeypatch: pytest.MonkeyPatch, *answers: ExitReasons | Exception) -> None:
    waiting = list(answers)

    def answer(*_: object, **__: object) -> ExitReasons:
        now = waiting.pop(0)
        if isinstance(now, Exception):
            raise now
        return now

    monkeypatch.setattr(exit_reasons, "measure", answer)


def test_each_cell_under_kvm_is_traced_once(
    held: journal.Journal, said: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert tracing.due(held) == {"a", "b"}
    measured(monkeypatch, FOUND, FOUND)  # a third would find no answer
    trace(held, said)
    trace(held, said)
    assert said == [f"{name}: exits per MB by reason: NPF 45, MSR 5" for name in "ab"]
    a, b, c = run(held, tmp_path).cells
    assert a.exit_reasons == b.exit_reasons == FOUND
    assert c.exit_reasons is None
    assert "TCG has no VM exits" in c.not_measurable["exit_reasons"]


def test_what_broke_is_told_and_traced_again(
    held: journal.Journal, said: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    measured(monkeypatch, InfrastructureError("no room"), FOUND, FOUND)
    trace(held, said)
    assert said[0] == "a: exits were not counted by reason, no room"
    a = run(held, tmp_path).cells[0]
    assert (a.status, a.not_measurable) == ("measured", {"exit_reasons": "no room"})
    assert tracing.due(held) == {"a"}
    trace(held, said)
    a = run(held, tmp_path).cells[0]
    assert (a.exit_reasons, a.not_measurable) == (FOUND, {})


def test_what_a_host_cannot_do_is_not_tried_again(
    held: journal.Journal, said: list[str], tmp_path: Path
) -> None:
    trace(held, said, refused="tracefs is not mounted")
    assert tracing.due(held) == set()
    assert run(held, tmp_path).cells[1].not_measurable == {"exit_reasons": "tracefs is not mounted"}


def test_a_run_that_ended_before_says_so(held: journal.Journal, tmp_path: Path) -> None:
    assert "ended before" in run(held, tmp_path).cells[0].not_measurable["exit_reasons"]


def test_a_guest_started_once_more_in_vain_takes_nothing_from_its_cell(
    held: journal.Journal, tmp_path: Path
) -> None:
    held.add("cell", cell="a", status="error", asked={}, cause="it hung", remedy="again")
    a = run(held, tmp_path).cells[0]
    assert (a.status, a.cause, a.ran["vcpus"]) == ("measured", None, 1)


def test_a_disagreement_is_told() -> None:
    other = exit_reasons.result(Histogram("svm", {0x400: 90}), 1.0, 100)
    assert tracing.told(other).endswith("NPF 90; the tracepoint saw 90 exits, and KVM counted 100")
