"""What a run decides before a guest starts: under which accelerator it goes on, and in which groups."""

from __future__ import annotations

from pathlib import Path

import pytest

from domains.errors import UsageError
from grader.running import bench, journal
from grader.running.work import Bench

PLAN = {"id": "r", "asked": {}, "started": "2025-03-10T09:30:00+00:00", "tdlab": "0"}


def _bench(held: journal.Journal) -> Bench:
    nothing: dict[str, object] = dict.fromkeys(Bench.__dataclass_fields__)
    return Bench(**nothing | {"journal": held})  # type: ignore[arg-type]


def test_a_run_does_not_go_on_under_another_accelerator(tmp_path: Path) -> None:
    with journal.opened(tmp_path, PLAN, resume=False) as held:
        held.add("environment", accelerator="kvm", why="")
        bench._refuse_other_accelerator(_bench(held), "tcg")  # nothing measured yet: nothing is mixed
        held.add("round", cell="a", round=0)
        bench._refuse_other_accelerator(_bench(held), "kvm")
        with pytest.raises(UsageError, match="begun under kvm, and guests run under tcg now"):
            bench._refuse_other_accelerator(_bench(held), "tcg")
