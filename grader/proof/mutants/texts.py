"""Mutants of short texts: empty, the question, another answer, denied, with a wrong idea or one alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grader.checks.reading.judging import judge
from grader.lab.questions import TextQuestion
from grader.language import Lang
from grader.proof.mutants import saying
from grader.proof.mutants.mutant import Kind, Mutant, Solved, shortened

_CLAUSE = re.compile(r"(?<=[,;:.])")
# A whole text denied: what precedes it, by language.
_FALSE = {
    "fr": ("Il est faux de dire ceci : ", "Ce n'est pas vrai que "),
    "en": ("It is wrong to say this: ", "It is not true that "),
}
# Its first verb denied, where it is one of these.
_VERBS = {
    "fr": (
        (r"\b[Cc]'est\b(?!-à)", "ce n'est pas"),
        (r"\best\b", "n'est pas"),
        (r"\bsont\b", "ne sont pas"),
        (
            r"\b(provoque|traduit|garde|modifie|confine|imite|permet|sait|passe|montre|donne)(nt)?\b",
            r"ne \1\2 pas",
        ),
        (r"\bs'exécute\b", "ne s'exécute pas"),
    ),
    "en": (
        (r"\b(is|are|can|must|does)\b", r"\1 not"),
        (r"\b(cause|keep|translate|run|imitate|change|give|show|confine)s\b", r"does not \1"),
    ),
}


def _texts(solved: Solved) -> Iterator[tuple[TextQuestion, str]]:
    for question in solved.questions(TextQuestion):
        if isinstance(text := solved.value(question), str):
            yield question, text


def _empty(solved: Solved) -> Iterator[Mutant]:
    for question, _ in _texts(solved):
        yield solved.answering("emptied", question, " ", "nothing but a space")


def _question(solved: Solved) -> Iterator[Mutant]:
    for question, _ in _texts(solved):
        for language, said in (("French", question.ask.fr), ("English", question.ask.en)):
            change = f"the question itself, in {language}"
            yield solved.answering("question-copied", question, said, change, example=shortened(said))


def _other(solved: Solved) -> Iterator[Mutant]:
    for question, _ in _texts(solved):
        for other, text in _texts(solved):
            if other.id != question.id:
                yield solved.answering("other-answer", question, text, f"gave the answer to {other.id}")


def _denied(solved: Solved) -> Iterator[Mutant]:
    lang = solved.submission.lang
    for question, text in _texts(solved):
        for before in _FALSE[lang]:
            yield solved.answering("denied", question, before + text[:1].lower() + text[1:], f"{before}…")


def _verb(solved: Solved) -> Iterator[Mutant]:
    lang = solved.submission.lang
    for question, text in _texts(solved):
        pieces = _CLAUSE.split(text)
        for at, clause in enumerate(pieces):
            denied = _with_verb_denied(clause, lang)
            without = "".join(pieces[:at] + pieces[at + 1 :])
            # What is as good without the clause may well be as good with another one in its place.
            if denied and judge(question, without).fraction < 1:
                changed = "".join([*pieces[:at], denied, *pieces[at + 1 :]])
                yield solved.answering("verb-denied", question, changed, shortened(denied))


def _with_verb_denied(clause: str, lang: Lang) -> str | None:
    for pattern, denied in _VERBS[lang]:
        changed, count = re.subn(pattern, denied, clause)
        if count:
            return changed
    return None


def _wrong_beside(solved: Solved) -> Iterator[Mutant]:
    for question, text in _texts(solved):
        for name, said in _wrong_ideas(question):
            change = f"added {name}: {shortened(said)}"
            yield solved.answering("wrong-idea-beside", question, f"{text.rstrip(' .')}. {said}", change)


def _wrong_instead(solved: Solved) -> Iterator[Mutant]:
    for question, _ in _texts(solved):
        for name, said in _wrong_ideas(question):
            yield solved.answering("wrong-idea-instead", question, said, f"{name}: {shortened(said)}")


def _wrong_ideas(question: TextQuestion) -> Iterator[tuple[str, str]]:
    """Yield each wrong idea in words that the rubric itself takes for it."""
    for idea in question.wrong_ideas:
        ways = (saying.said(one, question) for one in idea.wordings)
        if found := next((one for one in ways if one and idea.id in judge(question, one).said_wrong()), None):
            yield idea.id, found


_NONE = "no text"
_UNDERSTOOD = "a wording still fits what is denied: make it narrower"
KINDS = (
    Kind("emptied", _empty, _NONE, "see the wordings: one of them fits nothing at all"),
    Kind("question-copied", _question, _NONE, "use no word of the question alone as a wording"),
    Kind("other-answer", _other, "fewer than two texts", "a wording is too wide: say what the idea is about"),
    Kind("denied", _denied, _NONE, _UNDERSTOOD),
    Kind("verb-denied", _verb, "no text with a verb that it knows", _UNDERSTOOD),
    Kind("wrong-idea-beside", _wrong_beside, "no wrong idea", "see the wordings of the wrong idea"),
    Kind(
        "wrong-idea-instead", _wrong_instead, "no wrong idea", "a wording of an idea fits the wrong idea too"
    ),
)
