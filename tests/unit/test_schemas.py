"""Editors are given schemas that take every file that ships, and refuse what tdlab refuses."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from domains import document, process
from domains.paths import LABS
from grader.authoring import schemas
from grader.commands.schema import KINDS
from grader.lab import lab as labs

FILES = {
    "lab": "*/lab.yaml",
    "part": "*/parts/*.yaml",
    "words": "*/words.yaml",
    "wrong": "*/wrong-*/wrong.yaml",
    "answers": "*/*/answers.yaml",
    "matrix": "*/matrix.yaml",
    "experiment": "*/experiments/*/experiment.yaml",
}
ALL = [(kind, file) for kind, pattern in FILES.items() for file in sorted(LABS.glob(pattern))]


def named(value: object) -> str:
    return str(value.relative_to(LABS)) if isinstance(value, Path) else str(value)


def validator(kind: str) -> Any:
    schema = schemas.SCHEMAS[kind]()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def data(file: Path) -> Any:
    return document.read(file, max_bytes=2**20).data


def with_another_key(value: Any) -> Iterator[Any]:
    """Yield the data with one key added to each mapping that tdlab knows all keys of."""

    def walk(here: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        if isinstance(here, dict):
            yield path
        steps = here.items() if isinstance(here, dict) else enumerate(here) if isinstance(here, list) else ()
        for step, below in steps:
            yield from walk(below, (*path, step))

    free = {"options", "feedback", "words", "variants", "measures", "tables", "columns", "notes", "answers"}
    free |= {"labels", "where"}
    for path in walk(value, ()):
        if path and path[-1] in free:
            continue
        changed = copy.deepcopy(value)
        inside = changed
        for step in path:
            inside = inside[step]
        inside["colour"] = "red"
        yield changed


def test_every_kind_of_file_has_a_schema_and_a_command() -> None:
    assert set(KINDS) == set(schemas.SCHEMAS)
    assert set(FILES) <= set(KINDS)
    done = process.run([sys.executable, "-m", "grader", "schema", "lab"], timeout=60)
    assert json.loads(done.stdout)["title"].startswith("lab.yaml")


@pytest.mark.parametrize(("kind", "file"), ALL, ids=named)
def test_a_file_that_ships_fits_its_schema(kind: str, file: Path) -> None:
    assert not [error.message for error in validator(kind).iter_errors(data(file))]


@pytest.mark.parametrize("kind", FILES)
def test_a_key_that_tdlab_does_not_know_does_not_fit_the_schema(kind: str) -> None:
    file = next(file for one, file in ALL if one == kind)
    check = validator(kind)
    tried = list(with_another_key(data(file)))
    assert tried
    assert all(not check.is_valid(changed) for changed in tried)


def test_a_question_is_checked_by_its_own_kind() -> None:
    file = LABS / "r202" / "parts" / "devices.yaml"
    part = data(file)
    number = next(one for one in part["questions"] if one["kind"] == "number")
    number["options"] = {"a": {"fr": "A", "en": "A"}}
    (error,) = validator("part").iter_errors(part)
    assert "'options'" in error.message


@pytest.mark.parametrize("value", ["{nic}", "e1000"])
def test_a_variant_may_stand_where_a_word_of_a_list_is_asked_for(value: str) -> None:
    part = data(LABS / "r202" / "parts" / "devices.yaml")
    number = next(one for one in part["questions"] if one["kind"] == "number")
    number["expect"]["ratio"]["of"]["nic"] = value
    assert validator("part").is_valid(part)
    number["expect"]["ratio"]["of"]["nic"] = "e1001"
    assert not validator("part").is_valid(part)


def test_the_answers_of_a_lab_know_its_questions() -> None:
    check = jsonschema.Draft202012Validator(schemas.answers(labs.load(LABS / "r202")))
    given = data(LABS / "r202" / "solution" / "answers.yaml")
    assert check.is_valid(given)
    given["answers"]["vmcs-entry"] = "z"
    assert not check.is_valid(given)
    given["answers"]["vmcs-entry"] = "c"
    given["answers"]["9.9"] = "c"
    assert not check.is_valid(given)


def test_a_spec_fits_its_schema() -> None:
    check = validator("spec")
    assert check.is_valid({"memory": "192 MiB", "nic": {"model": "virtio", "vhost": False}})
    assert not check.is_valid({"memory": "192 MB", "nic": {"model": "virtio"}})
    assert not check.is_valid({"nic": {"model": "e1001"}})
