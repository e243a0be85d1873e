"""A student does a whole lab at a terminal; what is handed in is worth what was answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import _student
from domains.paths import LABS
from grader.lab import lab as labs
from grader.results.result import Outcome
from grader.results.score import lost

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("libvirt_daemon", "own_state")]


@pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
def test_the_short_lab_ends_where_it_should(tmp_path: Path, right: bool) -> None:
    graded, loses = _student.go(_student.Way(labs.load(LABS / "first-vm")), tmp_path, right=right)
    assert set(lost(graded.questions)) == loses
    assert bool(loses) is not right
    undecided = {Outcome.INCONCLUSIVE, Outcome.ERROR}
    assert not [(one.id, one.hint) for one in graded.questions if one.outcome in undecided]
    assert (graded.score == graded.max > 0) is right
