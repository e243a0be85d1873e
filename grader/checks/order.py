"""Items in the right order: the author's, or that of the student's own measures, judged pair by pair."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from grader.checks import words
from grader.checks.practical.words import ORDER_OPEN
from grader.checks.verdict import Context, graded, result, without_value
from grader.lab import written
from grader.lab.basis import Expect
from grader.lab.practical import OrderQuestion
from grader.language import causes
from grader.language.bilingual import decimal
from grader.results.result import CheckResult, Evidence, Outcome
from grader.submission.answers import Answer
from grader.submission.evidence import REPORT_FILE, Missing, Seen, Why, expected

# For each pair: 1 when the first comes first, -1 when the second does, 0 when either may.
Pairs = Mapping[tuple[str, str], int]


def ordered(question: OrderQuestion, answer: Answer) -> list[str] | None:
    """Return the items in the order answered, or None when the answer does not hold each once."""
    return written.order(answer.value, question.items, question.labels)


def check_order(question: OrderQuestion, answer: Answer, context: Context) -> CheckResult:
    """Give points by Kendall's tau: pairs in the right order less those in the wrong one, none below zero."""
    if question.right:
        pairs = _fixed(question.right)
        return _judged(question, answer, context, pairs, " > ".join(question.right), [])
    bundle = context.evidence
    values = {item: expected(Expect(measure=question.measure(item)), bundle) for item in question.items}
    seen = {item: value for item, value in values.items() if isinstance(value, Seen)}
    missing = [value for value in values.values() if isinstance(value, Missing)]
    # What the host cannot measure is left out of the order, as long as two are left.
    if other := next((one for one in missing if one.why is not Why.HOST_CANNOT), None):
        return without_value(question, other, context, answer.value if answer.value is not None else "")
    if len(seen) < 2:
        return without_value(question, missing[0], context, answer.value if answer.value is not None else "")
    assert question.measured is not None  # noqa: S101  an order is either fixed or measured
    descending = question.measured.first == "most"
    pairs = _measured(seen, descending)
    ranked = sorted(seen.items(), key=lambda one: one[1].value, reverse=descending)
    said = " > ".join(f"{item} ({decimal(one.value, context.lang)})" for item, one in ranked)
    evidence = [Evidence(source=REPORT_FILE, seen=one.how) for _, one in ranked]
    return _judged(question, answer, context, pairs, said, evidence)


def _judged(
    question: OrderQuestion,
    answer: Answer,
    context: Context,
    pairs: Pairs,
    wanted: str,
    evidence: list[Evidence],
) -> CheckResult:
    lang = context.lang
    mine = None if answer.value is None else ordered(question, answer)
    if mine is None:
        hint = words.AN_ORDER.say(lang, items=", ".join(question.items))
        if answer.value is None:
            hint = causes.said(answer.note, lang) or words.NO_ANSWER.say(lang)
        actual = "" if answer.value is None else answer.value
        return result(question, Outcome.FAIL, expected=wanted, actual=actual, hint=hint, evidence=evidence)
    place = {item: number for number, item in enumerate(mine)}
    decided = {pair: sign for pair, sign in pairs.items() if sign}
    shown = " > ".join(mine)
    if not decided:
        hint = ORDER_OPEN.say(lang)
        return result(
            question, Outcome.INCONCLUSIVE, expected=wanted, actual=shown, hint=hint, evidence=evidence
        )
    agreed = [sign if place[first] < place[second] else -sign for (first, second), sign in decided.items()]
    return graded(
        question,
        sum(agreed) / len(agreed),
        expected=wanted,
        actual=shown,
        hint=question.hint.say(lang),
        evidence=evidence,
    )


def _fixed(right: tuple[str, ...]) -> Pairs:
    return dict.fromkeys(itertools.combinations(right, 2), 1)


def _measured(seen: Mapping[str, Seen], descending: bool) -> Pairs:
    """Return the order of each pair; where their intervals meet, either order is right."""
    pairs = {}
    for first, second in itertools.combinations(seen, 2):
        (low, high), (other_low, other_high) = seen[first].between, seen[second].between
        larger = 1 if low > other_high else -1 if high < other_low else 0
        pairs[first, second] = larger if descending else -larger
    return pairs
