"""What a run decides before a guest starts: under which accelerator it goes on, and in which groups."""

from __future__ import annotations

from pathlib import Path

import pytest

from domains.errors import UsageError
from domains.spec import DomainSpec
from grader.measure.matrix import Cell
from grader.running import bench, journal

PLAN = {"id": "r", "asked": {}, "started": "2025-03-10T09:30:00+00:00", "tdlab": "0"}


def _bench(held: journal.Journal) -> bench.Bench:
    nothing: dict[str, object] = dict.fromkeys(bench.Bench.__dataclass_fields__)
    return bench.Bench(**nothing | {"journal": held})  # type: ignore[arg-type]


def test_a_run_does_not_go_on_under_another_accelerator(tmp_path: Path) -> None:
    with journal.opened(tmp_path, PLAN, resume=False) as held:
        held.add("environment", accelerator="kvm", why="")
        bench._refuse_other_accelerator(_bench(held), "tcg")  # nothing measured yet: nothing is mixed
        held.add("round", cell="a", round=0)
        bench._refuse_other_accelerator(_bench(held), "kvm")
        with pytest.raises(UsageError, match="begun under kvm, and guests run under tcg now"):
            bench._refuse_other_accelerator(_bench(held), "tcg")


def test_a_group_has_no_more_guests_than_memory_and_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = [Cell(f"c{number}", DomainSpec(name="guest", memory=256 * 2**20)) for number in range(401)]
    monkeypatch.setattr(bench, "_available_memory", lambda: 2**40)
    assert [len(group) for group in bench._groups(cells)] == [200, 200, 1]
    monkeypatch.setattr(bench, "_available_memory", lambda: (1024 + 3 * 352) * 2**20)
    assert [len(group) for group in bench._groups(cells[:7])] == [3, 3, 1]


def test_a_card_that_is_handed_over_whole_is_measured_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "_available_memory", lambda: 2**40)
    nics = [
        {"model": "vf", "address": "auto"},
        {"model": "hostdev", "address": "auto"},
        {"model": "e1000"},
        {"model": "hostdev", "address": "auto"},
    ]
    cells = [Cell(f"c{number}", DomainSpec.model_validate({"nic": nic})) for number, nic in enumerate(nics)]
    assert [[cell.id for cell in group] for group in bench._groups(cells)] == [["c0", "c2"], ["c1"], ["c3"]]
