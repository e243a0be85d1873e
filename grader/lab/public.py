"""The students' edition of a lab: what their machines need to ask, measure and check, and no right answers.

Students have root on their machines: what must stay with the teacher must not travel. ``tdlab check`` judges
only what cannot be guessed by trying, so for choices, texts and fixed orders it needs no key.
"""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import yaml
from pydantic import model_validator

from domains import document
from grader.lab.practical import OrderQuestion
from grader.lab.questions import (
    KINDS,
    Asked,
    ChoiceQuestion,
    ChoicesQuestion,
    CodeQuestion,
    Idea,
    Question,
    TextQuestion,
)
from grader.language.bilingual import Bilingual, both

_LAB_FILE, _CHECKS = "lab.yaml", "checks"
_MAX_BYTES = 512 * 1024
_WITH_THE_TEACHER = both("this is with your teacher", "cela reste chez votre enseignant")
_TAKEN_OUT = ("right", "feedback", "ideas", "wrong_ideas", "hint")
_HEAD = "# The students' edition: right answers, rubrics and hidden checks are with the teacher.\n"
# Of a lab's folder these travel, beside lab.yaml, its parts and its checks; nothing else does.
_TRAVEL = ("sheet.*.md", "matrix.yaml", "experiments/**/*")


class Withheld(Asked):
    """A question whose right answer is with the teacher: it can be asked and answered, and not be judged."""

    hint: Bilingual = _WITH_THE_TEACHER
    is_withheld: ClassVar[bool] = True


class _Choice(Withheld, ChoiceQuestion):
    right: str = ""

    @model_validator(mode="after")
    def _known(self) -> _Choice:
        return self


class _Choices(Withheld, ChoicesQuestion):
    right: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _known(self) -> _Choices:
        return self


class _Text(Withheld, TextQuestion):
    ideas: tuple[Idea, ...] = ()


class _Order(Withheld, OrderQuestion):
    @model_validator(mode="after")
    def _one(self) -> _Order:
        return self


class _Code(Withheld, CodeQuestion):
    pass


_MODELS: dict[str, type[Question]] = {
    "choice": _Choice,
    "choices": _Choices,
    "text": _Text,
    "order": _Order,
    "code": _Code,
}


def model(data: dict[str, Any], *, is_public: bool) -> type[Question]:
    """Return the model of a question's data, by its kind, in the whole lab or in the students' edition."""
    return _MODELS[data["kind"]] if is_public and _is_withheld(data) else KINDS[data["kind"]]


def _is_withheld(data: dict[str, Any]) -> bool:
    """Say whether ``tdlab check`` tells nothing of what is right: then it need not know."""
    match data.get("kind"):
        case "order":
            return "measured" not in data
        case "code":
            return not data.get("shown", False)
    return data.get("kind") in _MODELS


def write(lab: Path, into: Path) -> None:
    """Write the students' edition of a lab (its folder) into a folder that is not there yet."""
    head = document.read(lab / _LAB_FILE, max_bytes=_MAX_BYTES).data
    asked: list[dict[str, Any]] = []
    for part in head["parts"]:
        if isinstance(part["questions"], str):
            file = part["questions"]
            data = document.read(lab / file, max_bytes=_MAX_BYTES).data
            data["questions"] = [*map(_without_answer, data["questions"])]
            asked += data["questions"]
            _dump(into / file, data)
        else:
            part["questions"] = [*map(_without_answer, part["questions"])]
            asked += part["questions"]
    _dump(into / _LAB_FILE, {key: one for key, one in head.items() if key != "words"} | {"edition": "public"})
    known = {one["id"] for one in asked if one["kind"] == "code" and not _is_withheld(one)}
    for source in [*_travelling(lab), *_checks(lab, known)]:
        target = into / source.relative_to(lab)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def _without_answer(data: dict[str, Any]) -> dict[str, Any]:
    return {key: one for key, one in data.items() if key not in _TAKEN_OUT} if _is_withheld(data) else data


def _travelling(lab: Path) -> Iterator[Path]:
    for pattern in _TRAVEL:
        for file in sorted(lab.glob(pattern)):
            if file.is_file() and not file.is_symlink() and "__pycache__" not in file.parts:
                yield file


def _checks(lab: Path, known: set[str]) -> Iterator[Path]:
    """Yield the lab's own tests that ``tdlab check`` runs, and what they share; a file travels whole."""
    for file in sorted((lab / _CHECKS).glob("*.py")):
        judged = set(_judged(ast.parse(file.read_text("utf-8"))))
        if known and (not judged or judged & known):
            yield file


def _judged(tree: ast.Module) -> Iterator[str]:
    """Yield the ids that stand in ``@question("…")``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "question":
            named = [*node.args[:1], *(one.value for one in node.keywords if one.arg == "id")]
            for one in named:
                if isinstance(one, ast.Constant) and isinstance(one.value, str):
                    yield one.value


def _dump(file: Path, data: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(_HEAD + yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=110), "utf-8")
