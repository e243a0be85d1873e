"""The terminal: readable when narrow, plain when asked, and never led by others' text."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from grader.measure import run
from grader.measure.run import ExitReasons, Run
from grader.report.terminal import print_grade, print_run
from grader.results.result import CheckResult, Grade, Outcome, SubmissionGrade

DATA = Path(__file__).parent.parent / "data/report"


@pytest.fixture(scope="module")
def tcg() -> Run:
    return run.read(DATA / "run.json")


def shown(one: Run, width: int, *, colour: bool = False) -> str:
    out = io.StringIO()
    print_run(one, Console(file=out, width=width, force_terminal=colour, highlight=False))
    return out.getvalue()


@pytest.mark.parametrize("width", [40, 78, 80, 100, 160])
def test_no_line_is_wider_than_the_terminal(width: int, tcg: Run) -> None:
    assert max(len(line) for line in shown(tcg, width).splitlines()) <= width


@pytest.mark.parametrize("width", [40, 80])
def test_nothing_is_cut_off(width: int, tcg: Run) -> None:
    text = shown(tcg, width)
    assert "…" not in text
    for cell in tcg.cells:
        assert cell.id in text


def test_not_measurable_is_not_0(tcg: Run) -> None:
    text = shown(tcg, 80)
    assert "n/m" in text
    assert "n/m: TCG has no VM exits" in text
    assert "TCG, not KVM: /dev/kvm opens" in text


@pytest.mark.parametrize("width", [40, 80])
def test_counts_that_disagree_are_told(width: int) -> None:
    kvm = run.read(DATA / "run-kvm.json")
    cells = [
        cell.model_copy(update={"exit_reasons": ExitReasons(traced=7, counted=9, agrees=agrees)})
        for cell, agrees in zip(kvm.cells[:2], (False, True), strict=True)
    ]
    said = " ".join(shown(kvm.model_copy(update={"cells": tuple(cells)}), width).split())
    assert said.count("the tracepoint saw 7 exits, and KVM counted 9") == 1
    assert f"{cells[0].id}: by reason" in said


def test_no_color_is_honoured(tcg: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[33m" in shown(tcg, 80, colour=True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[33m" not in shown(tcg, 80, colour=True)


def test_others_text_is_neither_markup_nor_escape() -> None:
    hostile = "[red]x[/red] [link=file:///]y[/link] \x1b]0;title\x07"
    question = CheckResult(id=hostile, outcome=Outcome.FAIL, actual=hostile, hint=hostile)
    submission = SubmissionGrade(student=hostile, score=0, max=1, questions=(question,))
    out = io.StringIO()
    print_grade(
        Grade(lab="x", lab_hash="", grader_hash="", submissions=(submission,)),
        Console(file=out, width=200, color_system=None),
    )
    assert out.getvalue().count("[red]x[/red] [link=file:///]y[/link]") == 4
    assert "\x1b" not in out.getvalue()


def test_the_default_console_prints_to_stdout(tcg: Run, capsys: pytest.CaptureFixture[str]) -> None:
    print_run(tcg)
    said = capsys.readouterr()
    assert "virtio" in said.out
    assert said.err == ""


def test_cells_that_are_missing_for_one_reason_are_told_together(tcg: Run) -> None:
    one = tcg.cells[0].model_copy(update={"status": "skipped", "cause": "no KVM", "remedy": "get it"})
    other = one.model_copy(update={"id": "other"})
    text = shown(tcg.model_copy(update={"cells": (one, other)}), 160)
    assert f"{one.id}, other skipped: no KVM" in text
    assert text.count("get it") == 1
