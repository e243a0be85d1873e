"""Finish a workspace: what is handed in then stays as it is, until the workspace is opened again."""

from __future__ import annotations

from dataclasses import dataclass

from grader.lab.questions import ExperimentQuestion, NumberQuestion, OrderQuestion
from grader.submission import history
from grader.submission.history import Event
from grader.workspace import feedback, hand_in, measuring
from grader.workspace.hand_in import Receipt
from grader.workspace.workspace import Workspace, is_closed


@dataclass(frozen=True)
class Loose:
    """What is not done: questions without an answer, predictions not made, measures not taken (by id).

    ``broken`` says why no answer can be read at all.
    """

    broken: str = ""
    answers: tuple[str, ...] = ()
    predictions: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.broken or self.answers or self.predictions or self.measures)


def loose_ends(place: Workspace) -> Loose:
    """Return what is not done in a workspace."""
    given = place.submission()
    told = feedback.look(given, place.lab.slug, place.identity.lang)
    unmeasured = []
    for question in place.lab:
        match question:
            case NumberQuestion() if question.expect.value is None and given.evidence.run is None:
                unmeasured.append(question.id)
            case OrderQuestion() if question.measured and given.evidence.run is None:
                unmeasured.append(question.id)
            case ExperimentQuestion() if given.answer(question).value is None:
                unmeasured.append(question.id)
    return Loose(
        broken=given.answers.problem or "",
        answers=tuple(one.question.id for one in told if one.state == "open"),
        predictions=tuple(one.id for one in measuring.open_predictions(place)),
        measures=tuple(unmeasured),
    )


def finish(place: Workspace) -> Receipt:
    """Close a workspace and hand it in; killed in between, it is handed in by doing so again."""
    hand_in.require_whole(place)
    if not is_closed(place):
        history.add(place.folder, Event(what="finished", time=history.now()))
    return hand_in.submit(place)


def reopen(place: Workspace) -> bool:
    """Open a finished workspace again; say whether it was finished."""
    if not is_closed(place):
        return False
    history.add(place.folder, Event(what="reopened", time=history.now()))
    return True
