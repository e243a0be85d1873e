"""The processes that judge: what they judge by, and what they cannot reach."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from domains import process
from domains.errors import InfrastructureError
from grader.cluster import judges
from grader.grading.class_items import Row, graded_row
from grader.grading.gradebook import grader_hash
from grader.lab.lab import lab_hash, load

if TYPE_CHECKING:
    from tests.unit.cluster.conftest import Trial


@pytest.fixture(autouse=True)
def no_judge_is_left() -> Iterator[None]:
    yield
    for one in judges._MINE.judges.values():
        one.end()
    judges._MINE.judges.clear()


def order(trial: Trial, **changes: object) -> dict[str, object]:
    return {"lab": str(trial.folder / "trial"), "lang": "en", "host": None, "network": False, **changes}


def pinned(trial: Trial) -> dict[str, str]:
    return {"lab_hash": lab_hash(trial.folder / "trial"), "grader_hash": grader_hash()}


def test_a_judge_says_what_the_same_function_says_here(trial: Trial) -> None:
    trial.hand_in("no")
    row = Row("s00", str(trial.folder / "class" / "s00"), unverified="a reason — in UTF-8")
    here = graded_row(load(trial.folder / "trial"), row, "en").model_dump_json(by_alias=True).encode()
    judge = judges.lent(order(trial), pinned(trial))
    assert judge.graded(row, ()) == here
    assert b'"id":"2"' not in (judge.graded(row, ("1",)) or b"")


def test_a_judge_that_ends_over_a_submission_is_replaced(trial: Trial) -> None:
    trial.hand_in("exits", "yes")
    exits, yes = (Row(name, str(trial.folder / "class" / name)) for name in ("s00", "s01"))
    first = judges.lent(order(trial), pinned(trial))
    assert first is judges.lent(order(trial), pinned(trial))
    assert first.graded(exits, ()) is None
    assert not first.is_alive()
    second = judges.lent(order(trial), pinned(trial))
    assert second is not first
    assert b'"score":2.0' in (second.graded(yes, ()) or b"")
    assert b'"score":0.0' in (second.graded(replace(yes, trouble="ours", place=""), ()) or b"")


@pytest.mark.parametrize(("what", "name"), [("lab_hash", "lab"), ("grader_hash", "tdlab")])
def test_a_judge_of_another_lab_or_grader_is_refused(trial: Trial, what: str, name: str) -> None:
    with pytest.raises(InfrastructureError, match=f"it grades by another {name}"):
        judges.lent(order(trial), {**pinned(trial), what: "0" * 64})


def test_a_judge_that_cannot_start_says_why(trial: Trial, tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match=r"its judge does not start: (.|\n)*nowhere"):
        judges.lent(order(trial, lab=str(tmp_path / "nowhere")), pinned(trial))


def test_a_judge_has_no_network_unless_it_must_reach_guests(trial: Trial) -> None:
    own = Path("/proc/self/ns/net").readlink()
    able = process.run(["unshare", "--user", "--net", "true"], timeout=20, check=False).status == 0
    static = judges.lent(order(trial), pinned(trial))
    booting = judges.lent(order(trial, network=True), pinned(trial))
    assert (Path(f"/proc/{static._child.pid}/ns/net").readlink() != own) is able
    assert Path(f"/proc/{booting._child.pid}/ns/net").readlink() == own
