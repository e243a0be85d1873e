"""Tie a test of a lab to the question that it judges."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

MARKER = "question"


@dataclass(frozen=True)
class Mark:
    """Which question a test judges, its share of the points, and the domain file that it looks at."""

    id: str
    points: float | None = None
    file: str | None = None


class LabFault(Exception):
    """The lab's author is wrong, not the student: the question becomes an ERROR."""


def question(id: str, *, points: float | None = None, file: str | None = None) -> pytest.MarkDecorator:  # noqa: A002
    """Mark a test as judging a question (``pytest.mark.question`` does the same).

    Of several tests of one question each has its share of the points: ``points``, or equal shares of the
    rest. ``file`` is what the fixture ``domain`` reads, where it is not the question's own file.
    """
    return pytest.mark.question(id, points=points, file=file)


def mark_of(item: pytest.Item) -> Mark | None:
    """Return which question a test judges, or None; raises :class:`LabFault` for a wrong mark."""
    found = item.get_closest_marker(MARKER)
    if found is None:
        return None
    try:
        mark = Mark(*found.args, **found.kwargs)
    except TypeError as bad:
        raise LabFault(f"{item.name}: @question takes an id, points and file: {bad}") from bad
    if not isinstance(mark.id, str):
        raise LabFault(f"{item.name}: {mark.id!r} is no id: write it in quotes")
    return mark
