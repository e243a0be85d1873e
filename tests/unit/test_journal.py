"""What a run leaves on disk, and what can be read from it again after any death."""

from __future__ import annotations

from pathlib import Path

import pytest

from domains.errors import UsageError
from grader.measure import matrix
from grader.running import journal, summary

PLAN = {"id": "r1", "asked": {"cells": 1}, "started": "2026-01-01T00:00:00+00:00", "tdlab": "0"}


def test_lines_come_back_in_order_and_by_kind(tmp_path: Path) -> None:
    with journal.opened(tmp_path, PLAN, resume=False) as held:
        held.add("round", cell="a", round=0)
        held.add("cell", cell="a")
        held.add("round", cell="a", round=1)
        assert [line["round"] for line in held.lines("round")] == [0, 1]


def test_a_torn_last_line_is_no_line_and_the_next_one_is_whole(tmp_path: Path) -> None:
    with journal.opened(tmp_path, PLAN, resume=False) as held:
        held.add("round", cell="a", round=0)
    with (tmp_path / "journal.jsonl").open("a") as file:
        file.write('{"kind":"round","cell":"a","rou')
    with journal.opened(tmp_path, PLAN, resume=True) as held:
        held.add("round", cell="a", round=1)
        assert [line["round"] for line in held.lines("round")] == [0, 1]


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    with (
        journal.opened(tmp_path, PLAN, resume=False),
        pytest.raises(UsageError, match="another tdlab is at work"),
        journal.opened(tmp_path, PLAN, resume=True),
    ):
        pass


def test_resume_keeps_the_first_plan_and_refuses_another_question(tmp_path: Path) -> None:
    with journal.opened(tmp_path, PLAN, resume=False):
        pass
    with journal.opened(tmp_path, PLAN | {"id": "r2"}, resume=True) as held:
        assert held.plan["id"] == "r1"
    other = PLAN | {"asked": {"cells": 2}}
    with (
        pytest.raises(UsageError, match="asked for something else"),
        journal.opened(tmp_path, other, resume=True),
    ):
        pass


def test_a_new_run_does_not_take_over_old_samples(tmp_path: Path) -> None:
    with journal.opened(tmp_path, PLAN, resume=False) as held:
        held.add("round", cell="a", round=0)
    with journal.opened(tmp_path, PLAN, resume=False) as held:
        assert held.lines("round") == []


def test_a_metric_missing_in_one_round_only_is_measured(tmp_path: Path) -> None:
    asked = two_cells(tmp_path)
    with journal.opened(tmp_path, PLAN, resume=False) as held:
        held.add("cell", cell="a", status="measured", ran={})
        held.add("round", cell="a", round=0, **ROUND)
        for number in (1, 2):
            whole = {"samples": {"tcp_to_guest": 10.0, "exits_per_mb": 2.0}, "not_measurable": {}}
            held.add("round", cell="a", round=number, **(ROUND | whole))
        (cell, _) = summary.summarise(held, asked).cells
    assert cell.measurements["exits_per_mb"].samples == (2.0, 2.0)
    assert "exits_per_mb" not in cell.not_measurable


ROUND = {
    "samples": {"tcp_to_guest": 10.0},
    "warmups": {},
    "not_measurable": {"exits_per_mb": "QEMU reports none"},
}


def two_cells(tmp_path: Path) -> matrix.Matrix:
    file = tmp_path / "matrix.yaml"
    file.write_text("workload: {repeats: 3}\ncells: [{id: a}, {id: b}]\n")
    return matrix.load(file)


def test_a_summary_says_what_is_missing_and_never_zero(tmp_path: Path) -> None:
    asked = two_cells(tmp_path)
    with journal.opened(tmp_path, PLAN, resume=False) as held:
        held.add("cell", cell="a", status="measured", ran={"accelerator": "tcg"}, boot_to_ready=4.0)
        for number in range(3):
            held.add("round", cell="a", round=number, **ROUND)
        run = summary.summarise(held, asked)
    a, b = run.cells
    assert (a.status, a.measurements["tcp_to_guest"].samples) == ("measured", (10.0, 10.0, 10.0))
    assert "exits_per_mb" not in a.measurements
    assert "TCG has no VM exits" in a.not_measurable["exits_per_mb"]
    assert (b.status, b.remedy) == ("error", "use --resume")


def test_a_cell_with_too_few_rounds_is_an_error_with_its_cause(tmp_path: Path) -> None:
    asked = two_cells(tmp_path)
    with journal.opened(tmp_path, PLAN, resume=False) as held:
        held.add("cell", cell="a", status="measured", ran={})
        held.add("round", cell="a", round=0, **ROUND)
        run = summary.summarise(held, asked)
    assert run.cells[0].status == "error"
    assert "1 of 3 rounds" in (run.cells[0].cause or "")


def test_the_same_journal_gives_the_same_bytes(tmp_path: Path) -> None:
    asked = two_cells(tmp_path)
    with journal.opened(tmp_path, PLAN, resume=False) as held:
        held.add("cell", cell="a", status="measured", ran={})
        for number, value in enumerate((3.0, 1.0, 2.0)):
            held.add("round", cell="a", round=number, **(ROUND | {"samples": {"tcp_to_guest": value}}))
        assert summary.summarise(held, asked).to_json() == summary.summarise(held, asked).to_json()
