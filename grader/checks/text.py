"""A short text: right alone, wrong alone, or for the teacher; only what is certain is marked alone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from enum import IntEnum
from functools import lru_cache

from grader.checks import words
from grader.checks.verdict import Context, graded, result
from grader.lab.questions import Idea, TextQuestion, WrongIdea
from grader.language import LANGUAGES
from grader.language.bilingual import Bilingual
from grader.results.result import CheckResult, Evidence, Outcome
from grader.submission.answers import Answer

_LONGEST = 120
_NEGATIONS = frozenset(
    {"ne", "n", "pas", "jamais", "aucun", "aucune", "sans", "ni", "rien"}
    | {"not", "no", "never", "without", "cannot", "neither", "nor", "nothing"}
)
# A negation this many words before the first word of an idea can still turn it round.
_REACH = 4
_GIVEN_UP = frozenset(
    {
        "je ne sais pas",
        "je sais pas",
        "aucune idee",
        "i do not know",
        "no idea",
        "idk",
        "jsp",
    }
)


class Found(IntEnum):
    """How surely an idea stands in a text."""

    NOT = 0
    NEGATED = 1
    CLEAN = 2


def check_text(question: TextQuestion, answer: Answer, context: Context) -> CheckResult:
    """Mark a text alone when it holds all ideas and no wrong one, or a wrong one and none that is right."""
    lang = context.lang
    expected = "; ".join(idea.means.say(lang) for idea in question.ideas)
    if not isinstance(answer.value, str):
        hint = words.A_TEXT.say(lang)
        return result(question, Outcome.FAIL, expected=expected, actual=answer.value, hint=hint)
    text = answer.value
    if empty := _says_nothing(text, question):
        return result(question, Outcome.FAIL, expected=expected, actual=text, hint=empty.say(lang))
    right = {idea: find(idea.wordings, text) for idea in question.ideas}
    wrong = {idea: find(idea.wordings, text) for idea in question.wrong_ideas}
    evidence = _evidence(right, wrong)
    held = [idea for idea in wrong if wrong[idea] is Found.CLEAN]
    doubt = _doubt(text, list(right.values()), list(wrong.values()))
    if doubt is None:
        feedback = " ".join(idea.feedback.say(lang) for idea in held) or question.hint.say(lang)
        fraction = float(not held)
        return graded(question, fraction, expected=expected, actual=text, hint=feedback, evidence=evidence)
    found = sum(state is Found.CLEAN for state in right.values())
    why = doubt.say(lang, found=found, all=len(right))
    hint = words.FOR_REVIEW.say(lang, why=why)
    return result(
        question, Outcome.INCONCLUSIVE, expected=expected, actual=text, hint=hint, evidence=evidence
    )


def _doubt(text: str, right: Sequence[Found], wrong: Sequence[Found]) -> Bilingual | None:
    """Return why only a teacher can judge a text, or None when it is certainly right or certainly wrong."""
    if len(_tokens(text)) > _LONGEST:
        return words.WHY_LONG
    is_wrong = Found.CLEAN in wrong
    if is_wrong and any(right):
        return words.WHY_HEDGED
    if is_wrong:
        return None
    if Found.NEGATED in right or Found.NEGATED in wrong:
        return words.WHY_NEGATED
    return None if all(right) else words.WHY_SOME


def _says_nothing(text: str, question: TextQuestion) -> Bilingual | None:
    tokens = _tokens(text)
    said = {token for token in tokens if len(token) >= 3}
    if len(said) < 2 or " ".join(tokens) in _GIVEN_UP:
        return words.A_TEXT
    asked = {token for lang in LANGUAGES for token in _tokens(question.ask.say(lang))}
    return words.QUESTION_COPIED if len(said) >= 5 and said <= asked else None


def _evidence(right: dict[Idea, Found], wrong: dict[WrongIdea, Found]) -> tuple[Evidence, ...]:
    both = [*((f"idea {idea.id}", state) for idea, state in right.items())]
    both += [(f"wrong idea {idea.id}", state) for idea, state in wrong.items()]
    return tuple(Evidence(source=name, seen=state.name.lower()) for name, state in both if state)


def find(wordings: Iterable[str], text: str) -> Found:
    """Say how surely one of the wordings stands in one sentence of a text."""
    best = Found.NOT
    for sentence in re.split(r"[.!?;:\n]+", text):
        tokens = _tokens(sentence)
        for wording in wordings:
            best = max(best, _match(wording, tokens))
    return best


def _match(wording: str, tokens: Sequence[str]) -> Found:
    places = []
    for forms in _forms(wording):
        place = next((at for at, token in enumerate(tokens) if any(_is(token, form) for form in forms)), None)
        if place is None:
            return Found.NOT
        places.append(place)
    reach = range(max(0, min(places) - _REACH), max(places) + 1)
    negated = any(tokens[at] in _NEGATIONS and at not in places for at in reach)
    return Found.NEGATED if negated else Found.CLEAN


@lru_cache(maxsize=4096)
def _forms(wording: str) -> tuple[tuple[str, ...], ...]:
    """Return a wording's words, each with its alternatives; a class of students asks for the same ones."""
    return tuple(tuple(_plain(form) for form in word.split("|")) for word in wording.split())


def _is(token: str, form: str) -> bool:
    return token.startswith(form[:-1]) if form.endswith("*") else token == form


def _plain(text: str) -> str:
    """Return a text without case, accents and ligatures."""
    apart = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("Œ", "oe").casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def _tokens(text: str) -> list[str]:
    plain = re.sub(r"(\w)n['’]t\b", r"\1 not", _plain(text))
    return re.findall(r"[a-z0-9]+", plain)
