"""From what pytest reports of a test to what it says of the question."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import pytest

from grader.api.case import Case, Told
from grader.api.lab_host import NoLabHost
from grader.api.marking import Mark
from grader.api.parts import Ended, Part, Said, merged
from grader.checks.settling import charged
from grader.checks.verdict import Context
from grader.lab.lab import Lab
from grader.lab.questions import CodeQuestion
from grader.language import Lang
from grader.language.bilingual import Bilingual
from grader.language.inert import inert
from grader.results.result import CheckResult, Outcome
from grader.submission.evidence import Bundle

PART_PROPERTY = "tdlab_part"
CASE = pytest.StashKey[Case]()
_SHOWN = {
    Outcome.PASS: "passed",
    Outcome.PARTIAL: "failed",
    Outcome.FAIL: "failed",
    Outcome.INCONCLUSIVE: "skipped",
    Outcome.SKIPPED: "skipped",
    Outcome.ERROR: "failed",
}
_WORDS = {
    Outcome.PARTIAL: ("partial", "p", "PARTIAL"),
    Outcome.FAIL: ("failed", "F", "FAILED"),
    Outcome.INCONCLUSIVE: ("inconclusive", "?", "INCONCLUSIVE"),
    Outcome.ERROR: ("error", "E", "ERROR"),
}


def attach(
    item: pytest.Item, mark: Mark | None, call: pytest.CallInfo[None], report: pytest.TestReport
) -> None:
    """Add to a report what this phase of the test says; a phase that only went well says nothing."""
    if call.when != "call" and call.excinfo is None:
        return
    case = item.stash.get(CASE, None)
    part = _part(item, mark, call, case)
    # Where one session judges many students by the same tests, nobody asks whose report it is.
    callspec = getattr(item, "callspec", None)
    said = Said(
        lab=str(item.path.parents[1]),
        student=callspec.params["case"][0] if callspec and "case" in callspec.params else "",
        question=mark.id if mark else "",
        lang=case.lang if case else "en",
        hints=tuple(sorted(case.student.given.evidence.hints.get(case.mark.id, ()))) if case else (),
        part=part,
    )
    report.user_properties.append((PART_PROPERTY, said.model_dump_json()))
    report.outcome = _SHOWN[part.outcome]  # type: ignore[assignment]
    if report.outcome == "skipped":
        where = item.reportinfo()
        report.longrepr = (str(where[0]), (where[1] or 0) + 1, part.hint)
    elif report.outcome == "failed" and (call.excinfo is None or isinstance(call.excinfo.value, Ended)):
        report.longrepr = _told(part)


def status(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Return the category, letter and word of a check's report; None leaves them to pytest."""
    found = said_in(report)
    return _WORDS.get(found.part.outcome) if found else None


class Collected:
    """The parts of a session as they arrive, by lab, student and question."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str], dict[str, Said]] = {}

    def add(self, report: pytest.TestReport) -> None:
        """Keep what a report says; a teardown that breaks has the last word."""
        if said := said_in(report):
            key = (said.lab, said.student, said.question)
            self._found.setdefault(key, {})[report.nodeid] = said

    def results(self, lab: Lab) -> dict[tuple[str, str, str], CheckResult]:
        """Return the results of the questions that tests judged."""
        found = {}
        for key, said in self._found.items():
            question = lab.question(key[2])
            if isinstance(question, CodeQuestion) and key[0] == str(lab.folder):
                first = next(iter(said.values()))
                bundle = Bundle(hints={question.id: frozenset(first.hints)})
                result = merged(question, [one.part for one in said.values()], first.lang)
                found[key] = charged(result, question, Context(lab.slug, first.lang, bundle))
        return found


def said_in(report: pytest.TestReport) -> Said | None:
    """Return what a report carries of a check, if anything."""
    found = [str(value) for name, value in report.user_properties if name == PART_PROPERTY]
    return Said.model_validate_json(found[0]) if found else None


def _part(item: pytest.Item, mark: Mark | None, call: pytest.CallInfo[None], case: Case | None) -> Part:
    told = case.told if case else Told()
    outcome, hint = _outcome(item, call, case.lang if case else "en")
    if case and outcome is Outcome.FAIL and not hint:
        hint = case.question.hint.say(case.lang)
    if told.earned is not None and _says_something(call, outcome):
        whole = mark.points if mark and mark.points is not None else case.question.points if case else 0.0
        outcome = _by_points(told.earned, whole)
        reasons = [*told.reasons, *([hint] if hint else [])] or [
            case.question.hint.say(case.lang) if case else ""
        ]
        hint = "\n".join(reasons) if outcome is not Outcome.PASS else ""
    error = call.excinfo.value if call.excinfo else None
    if told.unseen and case and outcome in {Outcome.PASS, Outcome.PARTIAL}:
        # Nothing is earned by what only a guest can show, however a check ends without one.
        error = NoLabHost(case.lang)
        outcome, hint = error.outcome, error.hint
    # What was awarded before it showed that nothing was answered is not kept.
    earned = None if isinstance(error, Ended) else told.earned
    seen = error.evidence if isinstance(error, Ended) else ()
    return Part(
        test=_name(item),
        outcome=outcome,
        points=mark.points if mark else None,
        earned=earned,
        hint=hint,
        expected=told.expected,
        actual=told.actual or (error.actual if isinstance(error, Ended) else ""),
        evidence=(*told.evidence, *seen),
        waits=told.unseen and isinstance(error, NoLabHost),
    )


def _says_something(call: pytest.CallInfo[None], outcome: Outcome) -> bool:
    is_ended = call.excinfo is not None and isinstance(call.excinfo.value, Ended)
    return outcome in {Outcome.PASS, Outcome.FAIL} and not is_ended


def _by_points(earned: float, whole: float) -> Outcome:
    if earned >= whole:
        return Outcome.PASS
    return Outcome.PARTIAL if earned > 0 else Outcome.FAIL


def _outcome(item: pytest.Item, call: pytest.CallInfo[None], lang: Lang) -> tuple[Outcome, str]:
    """Return the outcome of a phase and its hint: only the check's own assertion is the student's fault."""
    if call.excinfo is None:
        return Outcome.PASS, ""
    error, where = call.excinfo.value, call.excinfo.tb
    if isinstance(error, Ended):
        return error.outcome, error.hint
    if isinstance(error, pytest.skip.Exception):
        return Outcome.SKIPPED, str(error.msg)
    if call.when == "call" and _is_verdict(error) and _raised_beside(item.path, where):
        return Outcome.FAIL, _message(error, lang)
    said = f"{type(error).__name__}: {error}"
    if isinstance(error, pytest.FixtureLookupError):
        said = f"there is no fixture {error.argname!r}"
    return Outcome.ERROR, inert(f"{_name(item)}: {said}")


def _name(item: pytest.Item) -> str:
    """Return the name of a test without the student's, who would find it in a hint."""
    return getattr(item, "originalname", None) or item.name


def _is_verdict(error: BaseException) -> bool:
    if isinstance(error, pytest.fail.Exception):
        return not isinstance(error, pytest.xfail.Exception)
    return isinstance(error, AssertionError)


def _raised_beside(check: Path, where: TracebackType) -> bool:
    """Say whether an assertion stands in the lab's checks: one in a library, or in tdlab, is ours."""
    last = where
    while last.tb_next is not None:
        last = last.tb_next
    file = Path(last.tb_frame.f_code.co_filename)
    # pytest.fail raises for the check that called it.
    return file.parent == check.parent or file.parts[-2:] == ("_pytest", "outcomes.py")


def _message(error: BaseException, lang: Lang) -> str:
    said = getattr(error, "msg", None) or (error.args[0] if error.args else "")
    if isinstance(said, Bilingual):
        return said.say(lang)
    # An assertion that pytest rewrote goes on with what it compared, which is for authors.
    return f"\n{said}".partition("\nassert ")[0].strip()


def _told(part: Part) -> str:
    return "\n".join(one for one in (f"{part.test}: {part.outcome}", part.hint) if one)
