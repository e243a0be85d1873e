"""What stands beside an answer: the same student's measures, and what was found of the question's kin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from grader.measure.run import Measurement, Run
from grader.results.result import CheckResult, SubmissionGrade
from grader.submission.evidence import Bundle
from grader.submission.submission import Submission

# What tells most of a VM's cost, in the order of the columns.
_COUNTERS = ("exits_per_mb", "mmio_exits_per_mb", "tcp_to_guest", "rtt")


@dataclass(frozen=True)
class Row:
    """One cell that the student measured: its medians by metric, and why it has none."""

    cell: str
    ran: str
    medians: Mapping[str, Measurement]
    cause: str = ""


@dataclass(frozen=True)
class Beside:
    """One student's work around an answer; no name is in it.

    ``kin`` are the results of the questions that belong to it (3.1-exits to 3.1); ``problem`` says why the
    measures cannot be shown.
    """

    kin: tuple[CheckResult, ...] = ()
    metrics: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    problem: str = ""
    unverified: str = ""


def beside(
    question: str, graded: SubmissionGrade, submission: Submission | None, *, problem: str = ""
) -> Beside:
    """Return what one student measured, and what was found of the questions that belong to this one.

    Without the submission ``problem`` says why it cannot be read.
    """
    bundle = submission.evidence if submission else Bundle(problem=problem)
    rows = tuple(_rows(bundle.run)) if bundle.run else ()
    metrics = tuple(name for name in _COUNTERS if any(name in row.medians for row in rows))
    stem = question.partition("-")[0]
    kin = (one for one in graded.questions if one.id != question and one.id.partition("-")[0] == stem)
    return Beside(
        kin=tuple(kin),
        metrics=metrics,
        rows=rows,
        problem=bundle.problem or "",
        unverified=graded.unverified,
    )


def _rows(run: Run) -> Iterator[Row]:
    for cell in run.cells:
        medians = {name: cell.measurements[name] for name in _COUNTERS if name in cell.measurements}
        yield Row(cell.id, str(cell.ran.get("accelerator", "")), medians, cell.cause or "")
