"""Make a new lab that already holds: sheets, questions, a solution, a wrong sample, a check."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from domains.errors import UsageError
from grader.authoring import schemas
from grader.lab import lab as labs
from grader.lab.lab import Lab

_TEMPLATE = Path(__file__).resolve().parent / "template"
_SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST_SLUG, _LONGEST_TITLE = 32, 120
# The schemas that the new lab's files name, and those of the files that it may get.
_SCHEMAS = ("lab", "part", "words", "wrong", "answers", "matrix", "experiment")
# Not a test before it is written out: no linter and no test run is to find it.
_MODULE = "test_module.py.template"


def make(slug: str, into: Path, *, title_fr: str | None = None, title_en: str | None = None) -> Lab:
    """Make the lab ``slug`` in a folder of its name below ``into``, and return it.

    Nothing that exists is written over, and a lab is there whole or not at all. Raises UsageError.
    """
    _refuse_slug(slug)
    folder = into / slug
    if folder.exists() or folder.is_symlink():
        raise UsageError(
            f"{folder} exists already", remedy="choose another name, or another folder with --into"
        )
    if not into.is_dir():
        raise UsageError(f"{into} is no folder", remedy="create it first, or choose another one with --into")
    spoken = slug.replace("-", " ").capitalize()
    titles = {"fr": _title(title_fr or title_en or spoken), "en": _title(title_en or title_fr or spoken)}
    with tempfile.TemporaryDirectory(dir=into, prefix=f".{slug}-") as scratch:
        made = Path(scratch) / slug
        for name, text in _files(slug, titles):
            file = made / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        labs.load(made)
        shutil.move(made, folder)
    return labs.load(folder)


def _refuse_slug(slug: str) -> None:
    if not _SLUG.fullmatch(slug) or len(slug) > _LONGEST_SLUG:
        # Not the nearest slug: what is a folder's name should be chosen, and not made.
        raise UsageError(
            f"{slug!r} cannot be a lab's name",
            remedy=f"at most {_LONGEST_SLUG} small letters, digits and single dashes, such as first-vm",
        )


def _title(given: str) -> str:
    said = " ".join(given.split())
    if not said or len(said) > _LONGEST_TITLE or not said.isprintable():
        raise UsageError(f"{given!r} is no title", remedy=f"one line of at most {_LONGEST_TITLE} characters")
    return said


def _files(slug: str, titles: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the names and texts of all files of the lab."""
    from jinja2 import Environment, StrictUndefined

    # Braces are ours in a lab: {question 1.1}, {vm}. Nothing here is HTML.
    language = Environment(
        variable_start_string="[[",
        variable_end_string="]]",
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701
    )
    module = slug.replace("-", "_")
    # Braces of a title would be read as a variant's name, and its backslashes and stars as Markdown.
    values = {
        "slug": slug,
        "module": module,
        "title_fr": json.dumps(titles["fr"], ensure_ascii=False),
        "title_en": json.dumps(titles["en"], ensure_ascii=False),
        "plain_fr": _in_markdown(titles["fr"]),
        "plain_en": _in_markdown(titles["en"]),
    }
    for file in sorted(_TEMPLATE.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            name = file.relative_to(_TEMPLATE).as_posix().replace(_MODULE, f"test_{module}.py")
            yield name, language.from_string(file.read_text(encoding="utf-8")).render(values)
    for kind in _SCHEMAS:
        yield f"schema/{kind}.json", json.dumps(schemas.SCHEMAS[kind](), ensure_ascii=False, indent=2) + "\n"


def _in_markdown(title: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", title)
