"""Hints on demand: each says its price before it is given, and the history remembers that it was."""

from __future__ import annotations

from domains import document
from domains.errors import UsageError
from grader.lab.basis import Hint
from grader.lab.questions import Question
from grader.submission import history
from grader.submission.history import Event
from grader.workspace.workspace import Workspace


def asked(place: Workspace, question_id: str) -> Question:
    """Return a question of the workspace's lab; raises :class:`UsageError` naming the nearest right one."""
    question = place.lab.question(question_id)
    if question is None:
        known = [one.id for one in place.lab]
        guess = document.nearest(question_id, known)
        remedy = f"did you mean {guess!r}?" if guess else f"questions: {', '.join(known)}"
        raise UsageError(f"the lab has no question {question_id!r}", remedy=remedy)
    return question


def taken(place: Workspace, question: Question) -> list[Hint]:
    """Return the hints that were given before: looking at them again costs nothing."""
    abouts = {one.about for one in history.events(place.folder, "hint")}
    return [hint for number, hint in enumerate(question.hints) if _about(question, number) in abouts]


def left(place: Workspace, question: Question) -> list[tuple[int, Hint]]:
    """Return the hints that are left, in their order, each with its number."""
    abouts = {one.about for one in history.events(place.folder, "hint")}
    numbered = enumerate(question.hints)
    return [(number, hint) for number, hint in numbered if _about(question, number) not in abouts]


def take(place: Workspace, question: Question, number: int) -> Hint:
    """Give a hint; that it was given is on disk before it is returned."""
    hint = question.hints[number]
    event = Event(what="hint", time=history.now(), about=_about(question, number), costs=hint.costs)
    history.add(place.folder, event)
    return hint


def _about(question: Question, number: int) -> str:
    return f"{question.id}#{number}"
