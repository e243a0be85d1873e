"""What pytest collects for a whole class: one item a submission, in which all its questions are judged."""

from __future__ import annotations

import gc
import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

from domains.errors import TdlabError
from grader.checks import settling
from grader.grading import limits
from grader.grading.judging import all_judged, chosen, lost
from grader.lab.lab import Lab, load_whole
from grader.language import Lang
from grader.language.inert import inert
from grader.results.result import CheckResult, SubmissionGrade
from grader.results.score import submission_grade
from grader.submission import submission
from grader.submission.answers import ANSWERS_FILE
from grader.submission.identity import WORKSPACE_FILE

# What a report carries: the whole grade of one submission, as JSON.
GRADED_PROPERTY = "tdlab_graded"
_REASONS = 1000
# Files named one by one for a reason; where there are more, the questions name theirs.
_MOST_NAMED = 2
# Some submissions make as many objects that may refer to each other.
_NEW_OBJECTS = 50_000
_NAMELESS = f"neither {ANSWERS_FILE} nor {WORKSPACE_FILE} names a student: read as the variant of the author"


@dataclass(frozen=True)
class Row:
    """One submission to grade: whose, where it is kept, the name by which the student knows it.

    ``trouble`` says why it could not be had, which is ours; then there is no place.
    """

    student: str
    place: str = ""
    shown: str = ""
    unverified: str = ""
    trouble: str = ""


def write_rows(file: Path, rows: list[Row]) -> None:
    """Write the submissions of a session for it and its workers to read."""
    file.write_text(json.dumps([asdict(one) for one in rows]), encoding="utf-8")


def read_rows(file: Path) -> list[Row]:
    """Read what :func:`write_rows` wrote."""
    return [Row(**one) for one in json.loads(file.read_text(encoding="utf-8"))]


class ClassFile(pytest.File):
    """A ``lab.yaml``: its children are the submissions of a class."""

    def collect(self) -> Iterator[ClassItem]:
        """Yield the submissions by their number, which is the same in every worker."""
        try:
            lab = load_whole(self.path)
        except TdlabError as bad:
            raise self.CollectError(str(bad)) from bad
        settle_memory()
        for number, row in enumerate(read_rows(Path(self.config.option.tdlab_class))):
            yield ClassItem.from_parent(self, name=str(number), lab=lab, row=row)


class ClassItem(pytest.Item):
    """One submission; its one report carries its grade, so that a class of thousands is quick."""

    def __init__(self, *, lab: Lab, row: Row, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.lab = lab
        self.row = row

    def runtest(self) -> None:
        """Judge all questions, and attach the grade to the item's report."""
        options = self.config.option
        graded = graded_row(self.lab, self.row, options.tdlab_lang, options.tdlab_host)
        self.user_properties.append((GRADED_PROPERTY, graded.model_dump_json(by_alias=True)))

    def reportinfo(self) -> tuple[Path, None, str]:
        """Name the item in pytest's summary."""
        return self.path, None, self.row.student


def settle_memory() -> None:
    """Have the garbage collector look at what a submission leaves, not at the lab again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)


def graded_row(
    lab: Lab, row: Row, lang: Lang | None, host: str | None = None, only: Collection[str] = ()
) -> SubmissionGrade:
    """Judge all questions of one submission, or ``only`` those of these ids.

    The process is ended where that takes far too long.
    """
    with nullcontext() if host else limits.for_a_submission():
        results, reasons = _judged(lab, row, lang, host, only)
    unverified = inert("; ".join(filter(None, [row.unverified, *reasons])), limit=_REASONS)
    return submission_grade(row.student, results).model_copy(update={"unverified": unverified})


def _judged(
    lab: Lab, row: Row, lang: Lang | None, host: str | None, only: Collection[str]
) -> tuple[list[CheckResult], list[str]]:
    """Return the results, and why evidence is not verified; what cannot be read at all is ours."""
    asked = chosen(lab, only)
    if row.trouble:
        return [lost(question, row.trouble) for question in asked], []
    try:
        with limits.for_a_question():
            given = submission.load(lab, Path(row.place), row.student, shown=row.shown, handed_in=True)
    except (Exception, limits.TimeUp) as bad:  # noqa: BLE001 - only this one's
        return [lost(question, f"{type(bad).__name__}: {bad}") for question in asked], []
    decisive = {file for question in lab for file in settling.rests_on(question)}
    unverified = (given.evidence.unverified or {}).items()
    reasons = [_NAMELESS] if given.is_nameless and given.answers.values else []
    reasons += _grouped((file, why) for file, why in unverified if file in decisive)
    return all_judged(lab, given, lang, host, only), reasons


def _grouped(unverified: Iterable[tuple[str, str]]) -> list[str]:
    """Return reasons, each once, after the files that it holds for."""
    files: dict[str, list[str]] = {}
    for file, why in unverified:
        files.setdefault(why, []).append(file)
    return [f"{_named(named)}: {why}" for why, named in files.items()]


def _named(files: list[str]) -> str:
    if len(files) <= _MOST_NAMED:
        return ", ".join(files)
    return f"{files[0]} and {len(files) - 1} more files"


def run_protocol(item: ClassItem) -> None:
    """Run one item and send one report, where pytest would send one for each of its phases."""
    hook, location = item.ihook, item.location
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=location)
    call = pytest.CallInfo.from_call(
        item.runtest, when="call", reraise=(KeyboardInterrupt, pytest.exit.Exception)
    )
    report = pytest.TestReport.from_item_and_call(item, call)
    hook.pytest_runtest_logreport(report=report)
    hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=location)
    # A class of students is larger than memory need be.
    item.user_properties.clear()
