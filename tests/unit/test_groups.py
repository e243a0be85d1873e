"""Which cells are measured side by side."""

from __future__ import annotations

import pytest

from domains.errors import InfrastructureError
from domains.host import Host
from domains.spec import DomainSpec
from grader.measure.matrix import Cell
from grader.running import groups


def test_a_group_has_no_more_guests_than_memory_and_addresses() -> None:
    cells = [Cell(f"c{number}", DomainSpec(name="guest", memory=256 * 2**20)) for number in range(401)]
    assert [len(group) for group in groups.side_by_side(cells, 2**40)] == [200, 200, 1]
    room = (512 + 3 * 352) * 2**20
    assert [len(group) for group in groups.side_by_side(cells[:7], room)] == [3, 3, 1]


def test_a_card_that_is_handed_over_whole_is_measured_apart() -> None:
    nics = [
        {"model": "vf", "address": "auto"},
        {"model": "hostdev", "address": "auto"},
        {"model": "e1000"},
        {"model": "hostdev", "address": "auto"},
    ]
    cells = [Cell(f"c{number}", DomainSpec.model_validate({"nic": nic})) for number, nic in enumerate(nics)]
    assert [[cell.id for cell in group] for group in groups.side_by_side(cells, 2**40)] == [
        ["c0", "c2"],
        ["c1"],
        ["c3"],
    ]


def test_cells_are_sorted_by_page_tables_and_those_that_do_not_care_take_what_there_is() -> None:
    asked = {"a": "off", "b": None, "c": "on", "d": "off"}
    cells = [
        Cell(name, DomainSpec.model_validate({"cpu": {"ept": ept} if ept else {}}))
        for name, ept in asked.items()
    ]

    def sorted_(now: bool | None) -> list[tuple[bool | None, str]]:
        return [
            (wanted, "".join(cell.id for cell in same)) for wanted, same in groups.by_page_tables(cells, now)
        ]

    assert sorted_(True) == [(True, "bc"), (False, "ad")]
    assert sorted_(False) == [(False, "abd"), (True, "c")]
    assert sorted_(None) == [(None, "b"), (False, "ad"), (True, "c")]


@pytest.mark.parametrize("memory", ["", "MemTotal: 5 kB\n"])
def test_a_host_that_does_not_tell_its_memory_is_an_error_of_ours(
    memory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Host, "read", lambda _host, _path: memory)
    with pytest.raises(InfrastructureError, match="does not say how much memory"):
        groups.available_memory(Host())
