"""Results as JSON: our own, Gradescope's, PrairieLearn's, check50's, and LTI's scores.

A mark that leaves is always scaled to the whole of the other side: what could not be graded here must not
become a lost point there, where the maximum is fixed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from grader.export.rows import Export, Notice, Row, Sheet
from grader.language.inert import inert
from grader.results.result import CheckResult, Outcome
from grader.results.score import GRADED, OUT_OF
from grader.version import version

_SAID = {
    Outcome.PASS: "right",
    Outcome.PARTIAL: "partly right",
    Outcome.FAIL: "wrong",
    Outcome.INCONCLUSIVE: "left to the teacher, costs nothing",
    Outcome.ERROR: "our error, costs nothing",
    Outcome.SKIPPED: "not gradable here, costs nothing",
}
# What PrairieLearn takes, with room for the rest of the document.
_LONGEST = 1_000_000
_SHORT = 400


def plain_json(sheet: Sheet) -> Export:
    """Return the whole class as ``tdlab.marks/1``: nothing hidden, for programs of the teacher's."""
    data = {
        "schema": "tdlab.marks/1",
        "lab": sheet.lab.slug,
        "lab_hash": sheet.grade.lab_hash,
        "grader_hash": sheet.grade.grader_hash,
        "out_of": OUT_OF,
        "provisional": sheet.provisional,
        "students": [_student(sheet, row) for row in sheet.rows],
    }
    return Export({f"{sheet.lab.slug}.json": _text(data)}, sheet.unfinished(), sheet.remarks())


def _student(sheet: Sheet, row: Row) -> dict[str, Any]:
    parts = [(part.id, *sheet.part(part, row)) for part in sheet.lab.parts]
    return {
        "student": row.student,
        "name": row.name,
        "id": row.id,
        "email": row.email,
        "handed_in": row.handed_in.isoformat() if row.handed_in else None,
        "mark": sheet.mark(row),
        "waiting": row.waiting,
        "errors": row.broken,
        "parts": [{"id": name, "score": score, "max": out_of} for name, score, out_of in parts],
        **row.grade.model_dump(mode="json", exclude={"student"}),
    }


def gradescope(sheet: Sheet) -> Export:
    """Return a ``results.json`` a student, for an autograder that only hands it over.

    ``score`` overrides the sum of the tests: it is scaled to all the lab's points. Who is unfinished gets no
    file, for Gradescope would add their points up without what is still open.
    """
    return _a_file_each(sheet, "gradescope", "{}/results.json", _gradescope)


def _gradescope(sheet: Sheet, row: Row) -> dict[str, Any]:
    return {
        "score": sheet.mark(row, sheet.total()),
        "output": _summary(sheet, row),
        "output_format": "text",
        "visibility": "after_published",
        "stdout_visibility": "hidden",
        "tests": [_gradescope_test(sheet, one) for one in row.grade.questions],
        "extra_data": {
            "schema": "tdlab.gradescope/1",
            "lab_hash": sheet.grade.lab_hash,
            "mark": sheet.mark(row),
        },
    }


def _gradescope_test(sheet: Sheet, result: CheckResult) -> dict[str, Any]:
    is_hidden = sheet.is_hidden(result)
    test: dict[str, Any] = {
        "number": result.id,
        "name": f"{result.id}: {_SAID[result.outcome]}",
        "name_format": "text",
        "output": _told(result),
        "output_format": "text",
        "visibility": "hidden" if is_hidden else "after_published",
        "tags": [result.outcome.value],
        "extra_data": {"outcome": result.outcome.value},
    }
    if result.outcome in GRADED:
        status = "passed" if result.outcome is Outcome.PASS else "failed"
        test |= {"score": result.points, "max_score": result.max, "status": status}
    return test


def prairielearn(sheet: Sheet) -> Export:
    """Return an external grader's result a student; they see all of it, so nothing hidden is in it."""
    return _a_file_each(sheet, "prairielearn", "{}.json", _prairielearn)


def _prairielearn(sheet: Sheet, row: Row) -> dict[str, Any]:
    tests = [
        {
            "name": one.id,
            "description": _SAID[one.outcome],
            "points": one.points if one.outcome in GRADED else 0,
            "max_points": one.max if one.outcome in GRADED else 0,
            "message": inert(one.hint),
            "output": inert(one.actual),
        }
        for one in sheet.public(row)
    ]
    data = {
        "gradable": True,
        "score": min(1.0, max(0.0, round((sheet.mark(row, 1e4) or 0.0) / 1e4, 6))),
        "message": _summary(sheet, row),
        "output": "",
        "format_errors": [],
        "tests": tests,
    }
    if len(_text(data)) > _LONGEST:
        # Long answers are the student's own words, which they have.
        for test in tests:
            test["output"] = inert(test["output"], limit=_SHORT)
            test["message"] = inert(test["message"], limit=_SHORT)
    return data


def check50(sheet: Sheet) -> Export:
    """Return check50's JSON a student: a check that gave no verdict has ``passed`` null."""
    files = {f"{name}.json": _text(_check50(sheet, row)) for name, row in _named(sheet)}
    return Export(files, is_folder=True)


def _check50(sheet: Sheet, row: Row) -> dict[str, Any]:
    verdict = {Outcome.PASS: True, Outcome.PARTIAL: False, Outcome.FAIL: False}
    results = [
        {
            "name": one.id,
            "description": f"{one.id} ({one.max:g})",
            "passed": verdict.get(one.outcome),
            "log": [inert(one.actual)] if one.actual else [],
            "cause": None
            if one.outcome is Outcome.PASS
            else {"rationale": _SAID[one.outcome], "help": inert(one.hint) or None},
            "data": {"points": one.points, "max": one.max, "outcome": one.outcome.value},
            "dependency": None,
        }
        for one in sheet.public(row)
    ]
    return {"slug": f"tdlab/{sheet.lab.slug}", "results": results, "version": version()}


def lti(sheet: Sheet) -> Export:
    """Return a score a line, as a tool posts them to an LTI platform's Assignment and Grade Services.

    What waits for a teacher is PendingManual and what broke is Failed; neither carries a score, unless marks
    are provisional, and then PendingManual still says so.
    """
    lines = b"".join(_text(_lti(sheet, row), indent=None) for row in sheet.rows)
    return Export({f"{sheet.lab.slug}.lti.jsonl": lines}, sheet.unfinished(), sheet.remarks())


def _lti(sheet: Sheet, row: Row) -> dict[str, Any]:
    value = sheet.mark(row)
    progress = "Failed" if row.broken else "PendingManual" if row.waiting else "FullyGraded"
    if progress == "Failed" and value is not None:
        progress = "PendingManual"
    if value is None and progress == "FullyGraded":
        progress = "NotReady"
    score = {} if value is None else {"scoreGiven": value, "scoreMaximum": OUT_OF}
    return {
        "userId": row.id or row.email or row.student,
        **score,
        "comment": _summary(sheet, row),
        "timestamp": sheet.now.isoformat(timespec="milliseconds"),
        "activityProgress": "Completed",
        "gradingProgress": progress,
    }


def _summary(sheet: Sheet, row: Row) -> str:
    """Say the mark in one line, and what it leaves out."""
    value = sheet.mark(row)
    said = [f"{value:g} / {OUT_OF}"] if value is not None else ["no mark yet"]
    if row.grade.penalty:
        said.append(f"{row.grade.penalty:g} pt taken for lateness")
    if row.grade.unverified:
        said.append(f"unverified: {row.grade.unverified}")
    skipped = row.open(Outcome.SKIPPED)
    for what, ids in (("waits for the teacher", row.waiting), ("our error", row.broken)):
        if ids:
            said.append(f"{what}: {', '.join(ids)}")
    if skipped:
        said.append(f"not gradable here, costs nothing: {', '.join(skipped)}")
    return inert("; ".join(said))


def _told(result: CheckResult) -> str:
    rows = (("answer", result.actual), ("hint", result.hint))
    return "\n".join(f"{name}: {inert(text)}" for name, text in rows if text)


def _a_file_each(
    sheet: Sheet, folder: str, pattern: str, made: Callable[[Sheet, Row], dict[str, Any]]
) -> Export:
    files = {
        pattern.format(name): _text(made(sheet, row))
        for name, row in _named(sheet)
        if sheet.mark(row) is not None
    }
    left = tuple(Notice(one.student, f"{one.why}: no file in {folder}") for one in sheet.unfinished())
    return Export(files, left, sheet.remarks(), is_folder=True)


def _named(sheet: Sheet) -> Iterator[tuple[str, Row]]:
    return zip(file_names([row.folder or row.student for row in sheet.rows]), sheet.rows, strict=True)


def file_names(wanted: list[str]) -> list[str]:
    """Return a name of a file for each text: letters, digits and ``._ -`` alone, each a name of its own."""
    seen: set[str] = set()
    names = []
    for text in wanted:
        plain = re.sub(r"[^\w. -]+", "-", text)[:80].strip(" .-") or "student"
        name, number = plain, 2
        while name.casefold() in seen:
            name, number = f"{plain} ({number})", number + 1
        seen.add(name.casefold())
        names.append(name)
    return names


def _text(data: dict[str, Any], indent: int | None = 1) -> bytes:
    # Half a surrogate pair cannot be written as UTF-8, and a class may have one in a name.
    return json.dumps(data, ensure_ascii=False, indent=indent).encode("utf-8", "replace") + b"\n"
