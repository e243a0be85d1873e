"""What regrading says on a terminal, in both languages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grader.desk import words
from grader.desk.difference import Difference, Mark, Moved, Verdict
from grader.language import Lang
from grader.language.i18n import moment, points
from grader.language.inert import inert
from grader.results.ledger import Entry
from grader.results.result import CheckResult


def difference(found: Difference, lang: Lang) -> Iterator[str]:
    """Yield the lines that tell what grading again has moved, and why."""
    for cause, (before, after) in {
        "lab": (found.before.lab, found.after.lab),
        "grader": (found.before.grader, found.after.grader),
    }.items():
        text = words.CAUSES[cause] if cause in found.causes else words.SAME_CAUSES[cause]
        yield text.say(lang, before=before[:12], after=after[:12])
    for name, changes in found.questions.items():
        said = ", ".join(words.CHANGES[one].say(lang) for one in changes)
        yield words.QUESTION_CHANGED.say(lang, id=name, changes=said)
    for one in found.moved:
        yield from _moved(one, lang)
    yield words.MOVED.say(lang, moved=len(found.moved), graded=found.graded)
    for name, count in found.carried.items():
        yield words.CARRIED.say(lang, id=name, count=count)
    if found.decisions_lost:
        yield words.DECISIONS_LOST.say(lang, count=found.decisions_lost)
    if found.errors:
        yield words.WITH_ERRORS.say(lang, count=found.errors)
    if found.dry_run:
        yield words.DRY_RUN.say(lang)


def history(entries: Sequence[Entry], lang: Lang) -> Iterator[str]:
    """Yield the lines that tell how a student's mark came about."""
    before: Entry | None = None
    for entry in entries:
        given = entry.submission
        mark = _mark(Mark(score=given.score, max=given.max), lang)
        cause = words.LEDGER_CAUSES[entry.cause or "graded"].say(lang)
        yield f"{inert(moment(entry.time.isoformat(), lang))}  {mark}  {cause}"
        yield words.PINNED.say(lang, lab=entry.lab_hash[:12], grader=entry.grader_hash[:12])
        if before is not None:
            yield from _steps(before.submission.questions, given.questions, lang)
        before = entry


def _moved(one: Moved, lang: Lang) -> Iterator[str]:
    yield f"{inert(one.student)}  {_mark(one.before, lang)} → {_mark(one.after, lang)}"
    for question in one.questions:
        yield f"  {question.id}  {_verdict(question.before, lang)} → {_verdict(question.after, lang)}"


def _steps(before: Sequence[CheckResult], after: Sequence[CheckResult], lang: Lang) -> Iterator[str]:
    old = {one.id: one for one in before}
    for now in after:
        one = old.get(now.id)
        pair = [_as_verdict(one) if one else None, _as_verdict(now)]
        if pair[0] != pair[1]:
            yield f"  {now.id}  {_verdict(pair[0], lang)} → {_verdict(pair[1], lang)}"


def _as_verdict(result: CheckResult) -> Verdict:
    return Verdict(outcome=result.outcome, points=result.points, max=result.max)


def _mark(mark: Mark, lang: Lang) -> str:
    return f"{points(mark.score, lang)}/{points(mark.max, lang)}"


def _verdict(verdict: Verdict | None, lang: Lang) -> str:
    if verdict is None:
        return words.NOT_ASKED.say(lang)
    outcome = words.OUTCOMES[verdict.outcome].say(lang)
    return f"{outcome} {points(verdict.points, lang)}/{points(verdict.max, lang)}"
