"""The samples as CSV: every one of them, and no formula."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from grader.measure import run
from grader.report.samples import COLUMNS, csv_text

DATA = Path(__file__).parent.parent / "data/report"


def test_csv_has_one_line_for_every_sample() -> None:
    one = run.read(DATA / "run.json")
    lines = csv_text(one).splitlines()
    expected = 0
    for cell in one.cells:
        values = [len(m.samples) + len(m.warmups) for m in cell.measurements.values()]
        expected += sum(values) + len(cell.not_measurable) or 1
    assert lines[0] == ",".join(COLUMNS)
    assert len(lines) == 1 + expected


def test_what_could_not_be_had_has_a_cause_and_no_value() -> None:
    rows = list(csv.DictReader(io.StringIO(csv_text(run.read(DATA / "run.json")))))
    missing = [row for row in rows if row["kind"] == "not_measurable"]
    assert missing
    assert all(row["value"] == "" and row["cause"].startswith("TCG") for row in missing)
    (hostdev,) = [row for row in rows if row["cell"] == "hostdev"]
    assert (hostdev["status"], hostdev["value"]) == ("skipped", "")
    assert hostdev["cause"].startswith("no IOMMU")


def test_a_cell_named_like_a_formula_is_text() -> None:
    one = run.read(DATA / "run.json")
    named = one.cells[0].model_copy(update={"id": '=HYPERLINK("http://x")', "ran": {"accelerator": "@x"}})
    rows = list(csv.DictReader(io.StringIO(csv_text(one.model_copy(update={"cells": (named,)})))))
    assert {row["cell"] for row in rows} == {'\'=HYPERLINK("http://x")'}
    assert {row["accelerator"] for row in rows} == {"'@x"}
