"""Keep the grades of a class as they arrive from the workers: on disk, with only their places in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from domains.errors import InfrastructureError
from grader.grading.class_items import GRADED_PROPERTY, Row
from grader.grading.judging import lost
from grader.lab.lab import Lab
from grader.results.score import submission_grade

# A worker that a submission kills is followed by a report of that; several in a row without one are ours.
_VAIN_STARTS = 6
# Which worker, and where, differs from one session to the next.
ENDED = "the worker that graded it ended all at once"


class Spool:
    """A plugin of the session, and what it leaves: a grade for every row, in the order of the rows."""

    def __init__(self, file: Path, lab: Lab, rows: Sequence[Row]) -> None:
        self._file = file.open("w+b")
        self._lab = lab
        self._rows = rows
        self._places: dict[int, tuple[int, int]] = {}
        self._broke: dict[int, str] = {}
        self._in_a_row = 0
        self.trouble = "the session ended before this submission"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the grade out of a report; a report without one says why there is none."""
        self._in_a_row = 0
        number = int(report.nodeid.rpartition("::")[2])
        graded = next((str(value) for name, value in report.user_properties if name == GRADED_PROPERTY), None)
        if graded is not None:
            self._places[number] = self._add(graded.encode())
        elif report.failed:
            self._broke[number] = _why(report)

    def pytest_testnodedown(self, error: object) -> None:
        """End the session where workers end again and again without a report: others would do no better."""
        if error is None:
            return
        self._in_a_row += 1
        if self._in_a_row > _VAIN_STARTS:
            said = str(error).strip().splitlines()
            raise InfrastructureError(f"workers end before they grade anything: {said[-1] if said else ''}")

    def pytest_internalerror(self, excrepr: object) -> None:
        """Remember why pytest itself broke, for the submissions that it left without a grade."""
        self.trouble = f"the session broke: {str(excrepr).splitlines()[-1]}"

    def grades(self) -> Iterator[bytes]:
        """Yield every submission's grade as JSON; one that never came is all ERROR, with the cause."""
        for number, row in enumerate(self._rows):
            if number in self._places:
                yield self._read(*self._places[number])
                continue
            why = self._broke.get(number, self.trouble)
            missing = submission_grade(row.student, [lost(question, why) for question in self._lab])
            yield missing.model_dump_json(by_alias=True).encode()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _add(self, raw: bytes) -> tuple[int, int]:
        start = self._file.seek(0, 2)
        self._file.write(raw)
        return start, len(raw)

    def _read(self, start: int, length: int) -> bytes:
        self._file.seek(start)
        return self._file.read(length)


def _why(report: pytest.TestReport) -> str:
    if str(report.when) == "???":
        return ENDED
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash:
        return str(crash.message)
    said = str(report.longrepr).splitlines()
    return said[-1] if said else "no cause was recorded"
