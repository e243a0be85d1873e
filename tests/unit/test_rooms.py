"""The rooms of the house: arrows between them run one way, and each can be seen at a glance."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from domains.paths import SHIPPED

HOUSE = ("domains", "grader")
MOST_FILES = 12
# One module a command: as many as there are commands.
LISTS = {"grader/commands"}
# They know everybody, and nobody knows them.
ENTRIES = {"grader.cli", "grader.plugin", "grader.__main__"}


def imported(file: Path) -> Iterator[str]:
    """Yield the dotted names that a file imports, those that it imports late or for types alone too."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{one.name}" for one in node.names)
        elif isinstance(node, ast.Import):
            yield from (one.name for one in node.names)


def module(file: Path) -> str:
    return ".".join(file.relative_to(SHIPPED).with_suffix("").parts).removesuffix(".__init__")


def room(name: str) -> str:
    """Return ``grader.lab`` for all in ``grader/lab/``; a module at the top is a room of its own."""
    return ".".join(name.split(".")[:2])


def files(house: str) -> list[Path]:
    return sorted((SHIPPED / house).rglob("*.py"))


def test_domains_knows_nothing_of_the_grader() -> None:
    assert not [
        (module(file), name)
        for file in files("domains")
        for name in imported(file)
        if name.startswith("grader")
    ]


def test_arrows_between_the_graders_rooms_make_no_circle() -> None:
    arrows: dict[str, set[str]] = {}
    for file in files("grader"):
        here = room(module(file))
        known = {room(name) for name in imported(file) if name.startswith("grader.")}
        arrows.setdefault(here, set()).update(known - {here, "grader"})
    assert {"grader.lab", "grader.measure"} <= arrows["grader.submission"]
    assert list(graphlib.TopologicalSorter(arrows).static_order())


def test_nobody_knows_the_entries() -> None:
    callers = {module(file) for file in files("grader") for name in imported(file) if room(name) in ENTRIES}
    assert callers <= {"grader.__main__"}


@pytest.mark.parametrize("house", HOUSE)
def test_a_folder_is_seen_at_a_glance(house: str) -> None:
    folders = {file.parent for file in files(house)} - {SHIPPED / one for one in (*HOUSE, *LISTS)}
    crowded = {
        str(folder.relative_to(SHIPPED)): len(modules)
        for folder in folders
        if len(modules := [one for one in folder.glob("*.py") if one.name != "__init__.py"]) > MOST_FILES
    }
    assert not crowded
