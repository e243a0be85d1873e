"""``report.csv``: one line for each cell, metric and sample, for spreadsheets and data frames."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from grader.language.inert import no_formula
from grader.measure.run import CellResult, Run

COLUMNS = (
    "run",
    "cell",
    "nic_model",
    "accelerator",
    "status",
    "metric",
    "unit",
    "kind",
    "index",
    "value",
    "cause",
)


def csv_text(run: Run) -> str:
    """Return the run's samples as CSV with a header line.

    ``kind`` is ``sample`` or ``warmup``; a metric that could not be had is one line of kind
    ``not_measurable`` without a value; a cell without measurements is one line with its status and cause.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for cell in run.cells:
        ran = cell.ran.get("accelerator", "")
        about = [no_formula(one) for one in (run.id, cell.id, cell.spec.nic.model, ran, cell.status)]
        for metric, unit, kind, index, value, cause in _lines(cell):
            writer.writerow([*about, no_formula(metric), unit, kind, index, value, no_formula(cause)])
    return out.getvalue()


def _lines(cell: CellResult) -> Iterator[tuple[str, str, str, int | str, float | str, str]]:
    if not cell.measurements and not cell.not_measurable:
        yield "", "", "", "", "", cell.cause or ""
    for metric, measured in cell.measurements.items():
        unit = no_formula(measured.unit)
        for kind, values in (("warmup", measured.warmups), ("sample", measured.samples)):
            for index, value in enumerate(values, start=1):
                yield metric, unit, kind, index, value, ""
    for metric, cause in cell.not_measurable.items():
        yield metric, "", "not_measurable", "", "", cause
