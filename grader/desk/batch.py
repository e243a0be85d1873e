"""The queue as data (schema ``tdlab.review/1``), and decisions that were made elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from domains.errors import InputError
from grader.desk.desk import Desk
from grader.review import decisions
from grader.review.decisions import answer_key
from grader.review.queue import Idea, Waiting, alone


def listed(desk: Desk, *, names: bool = False) -> str:
    """Return the queue as JSON text; students are named if asked for, or where a decision must name one."""
    progress = desk.progress()
    head = {"schema": "tdlab.review/1", "lab": desk.book.lab.slug, "progress": vars(progress)}
    rows = [_row(one, names=names) for one in desk.waiting()]
    return json.dumps(head | {"answers": rows}, ensure_ascii=False, indent=1)


def decide(desk: Desk, file: Path) -> int:
    """Add all decisions of a file, or none, and return how many there are.

    Raises :class:`InputError` at the first that is about an answer which nobody gave, or that cannot hold for
    all who gave it.
    """
    made = decisions.parse(file, file.read_bytes(), desk.now())
    given: dict[tuple[str, str], set[str]] = {}
    single: set[tuple[str, str]] = set()
    for submission in desk.graded():
        for result in submission.questions:
            name = (result.id, answer_key(result.id, result.actual))
            given.setdefault(name, set()).add(submission.student)
            question = desk.book.lab.question(result.id)
            if question is None or alone(question, result.actual):
                single.add(name)
    for where, one in made:
        name = (one.question, one.key)
        students = given.get(name)
        if students is None:
            raise InputError(f"nobody gave this answer to question {one.question}", where=where)
        if one.student and one.student not in students:
            raise InputError(f"{one.student} did not give this answer", where=where)
        if not one.student and name in single:
            remedy = f'name one: "student": {json.dumps(min(students), ensure_ascii=False)}'
            raise InputError("such an answer is decided for each student apart", where=where, remedy=remedy)
    desk.add([one for _, one in made])
    return len(made)


def _row(one: Waiting, *, names: bool) -> dict[str, Any]:
    row = {
        "id": one.id,
        "question": one.question.id,
        "key": one.key,
        "student": one.student,
        "count": len(one.students),
        "answer": one.answer,
        "why": one.why,
        "max": one.question.points,
        "found": round(one.found, 4),
        "ideas": [_idea(idea) for idea in one.ideas],
        "wrong_ideas": [_idea(idea) for idea in one.wrong_ideas],
        "evidence": [seen.model_dump() for seen in one.evidence],
        "decision": one.decision.model_dump(mode="json", by_alias=True) if one.decision else None,
    }
    return row | ({"students": list(one.students)} if names else {})


def _idea(idea: Idea) -> dict[str, str]:
    return {"id": idea.id, "state": idea.state, "words": idea.words}
