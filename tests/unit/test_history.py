"""The history of a workspace: chained, so that what was changed by hand is seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from domains.paths import LABS
from grader.lab import lab as labs
from grader.submission import history
from grader.submission.history import HISTORY_FILE, Event
from grader.workspace import workspace
from grader.workspace.workspace import Workspace


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    made, _ = workspace.start(labs.load(LABS / "r202"), "Zoé", "fr", tmp_path / "work")
    for about in ("one", "two", "three"):
        history.add(made.folder, Event(what="hint", time=history.now(), about=about, costs=0.5))
    return made


def raw(place: Workspace) -> bytes:
    return (place.folder / HISTORY_FILE).read_bytes()


def test_each_event_follows_the_one_before(place: Workspace) -> None:
    chain = history.chain(raw(place), place.identity.nonce)
    assert [one.about for one in chain.events] == ["one", "two", "three"]
    assert chain.problem is None
    assert history.head(place.folder) == chain.hashes[-1]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda lines: [lines[0].replace(b"0.5", b"0.0"), *lines[1:]], ":2: a line before this one"),
        (lambda lines: [lines[0], lines[2]], ":2: a line before this one"),
        (lambda lines: [lines[0], lines[2], lines[1]], ":2: a line before this one"),
        (lambda lines: lines[1:], ":1: begins with another workspace"),
        (lambda lines: [lines[0], b"{}", *lines[1:]], ":2: this line is no event"),
    ],
    ids=["changed", "dropped", "moved", "beginning dropped", "added"],
)
def test_what_was_changed_by_hand_is_seen(place: Workspace, change: object, where: str) -> None:
    changed = b"\n".join(change(raw(place).splitlines())) + b"\n"  # type: ignore[operator]
    assert f"{HISTORY_FILE}{where}" in str(history.chain(changed, place.identity.nonce).problem)


def test_a_neighbours_history_is_another_workspaces(place: Workspace, tmp_path: Path) -> None:
    other, _ = workspace.start(labs.load(LABS / "r202"), "Zoé", "fr", tmp_path / "again")
    assert other.identity.nonce != place.identity.nonce
    assert "another workspace" in str(history.chain(raw(place), other.identity.nonce).problem)


def test_a_line_that_a_killed_writer_left_is_dropped_and_the_chain_goes_on(place: Workspace) -> None:
    with (place.folder / HISTORY_FILE).open("ab") as stream:
        stream.write(b'{"what":"hi')
    assert len(history.events(place.folder)) == 3
    history.add(place.folder, Event(what="checked", time=history.now()))
    chain = history.chain(raw(place), place.identity.nonce)
    assert [one.what for one in chain.events] == ["hint", "hint", "hint", "checked"]
    assert chain.problem is None
