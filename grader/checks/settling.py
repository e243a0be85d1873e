"""What holds for every check: evidence that is not verified decides nothing, and hints cost."""

from __future__ import annotations

from grader.checks import words
from grader.checks.verdict import Context
from grader.lab.questions import (
    CodeQuestion,
    ExperimentQuestion,
    HostQuestion,
    NumberQuestion,
    OrderQuestion,
    PredictionQuestion,
    Question,
)
from grader.language import causes
from grader.language.bilingual import listed
from grader.language.i18n import points
from grader.language.inert import inert
from grader.results.result import CheckResult, Evidence, Outcome
from grader.submission.answers import Answer
from grader.submission.evidence import PREDICTIONS_FILE, REPORT_FILE
from grader.submission.history import HISTORY_FILE

# INCONCLUSIVE says already why it is the teacher's. ERROR is here too: what evidence lacks is ours only where
# nobody took it out.
_DECIDED = frozenset({Outcome.PASS, Outcome.PARTIAL, Outcome.FAIL, Outcome.SKIPPED, Outcome.ERROR})


def settled(found: CheckResult, question: Question, answer: Answer, context: Context) -> CheckResult:
    """Return the result as it counts."""
    return charged(_verified(found, question, answer, context), question, context)


def rests_on(question: Question) -> tuple[str, ...]:
    """Return the files of the evidence that decide a question."""
    match question:
        case NumberQuestion():
            return () if question.expect.value is not None else (REPORT_FILE,)
        case OrderQuestion() | CodeQuestion():
            return (REPORT_FILE,) if question.measured else ()
        case PredictionQuestion():
            return REPORT_FILE, PREDICTIONS_FILE
        # A transcript is the student's own writing: no history knows it, and its content is what is judged.
        case HostQuestion() | ExperimentQuestion():
            return (question.file,)
    return ()


def _verified(found: CheckResult, question: Question, answer: Answer, context: Context) -> CheckResult:
    bundle = context.evidence
    files = rests_on(question)
    if bundle.unverified is None or not files or found.outcome not in _DECIDED or answer.value is None:
        return found
    unverified = [f"{name}: {bundle.unverified[name]}" for name in files if name in bundle.unverified]
    reasons = [causes.said(one, context.lang) for one in unverified]
    if not reasons:
        seen = Evidence(source=HISTORY_FILE, seen=words.VERIFIED.say(context.lang))
        brought = found.outcome in {Outcome.PASS, Outcome.PARTIAL}
        return found.model_copy(update={"evidence": (*found.evidence, seen)}) if brought else found
    cause = inert(listed(reasons, context.lang), limit=600)
    update = {
        "outcome": Outcome.INCONCLUSIVE,
        "points": 0.0,
        "hint": words.UNVERIFIED.say(context.lang, cause=cause),
        "evidence": (*found.evidence, Evidence(source=HISTORY_FILE, seen=cause)),
    }
    return found.model_copy(update=update)


def charged(found: CheckResult, question: Question, context: Context) -> CheckResult:
    """Take the price of the hints that were asked for from the points of a question, never below none."""
    taken = context.evidence.hints.get(question.id, frozenset())
    cost = sum(one.costs for number, one in enumerate(question.hints) if number in taken)
    if not cost:
        return found
    said = words.HINTS_COST.say(context.lang, count=len(taken), points=points(cost, context.lang))
    left = round(max(0.0, found.points - cost), 4)
    update = {"points": left, "cost": cost, "hint": f"{found.hint} ({said})" if found.hint else said}
    if found.outcome in {Outcome.PASS, Outcome.PARTIAL}:
        update["outcome"] = Outcome.PARTIAL if left else Outcome.FAIL
    return found.model_copy(update=update)
