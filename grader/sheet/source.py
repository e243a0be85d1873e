"""Read ``sheet.fr.md`` or ``sheet.en.md``: Markdown in which a line ``{question 1.1}`` stands for a question.

The questions themselves are in ``lab.yaml`` only, so that sheet, answers.yaml and grader ask the same thing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from domains.errors import InputError, Position, UsageError
from domains.refusal import nearest
from grader.lab.lab import Lab
from grader.lab.parameters import filled
from grader.lab.questions import Question
from grader.language import Lang

_ASKS = re.compile(r"(\s*)\{\s*questions?\b([^{}]*)\}(.*)")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_MAX_BYTES = 512 * 1024


@dataclass(frozen=True)
class Prose:
    """Markdown between two questions."""

    markdown: str


@dataclass(frozen=True)
class Asked:
    """A question, where it stands in the sheet."""

    question: Question
    where: Position


Piece = Prose | Asked


def file_of(lab: Lab, lang: Lang) -> Path:
    """Return the file of a lab's sheet in one language."""
    return lab.folder / f"sheet.{lang}.md"


def read(lab: Lab, lang: Lang) -> list[Piece]:
    """Return a sheet in pieces; ``lab`` is in the variant of whoever reads it.

    Raises :class:`InputError` at the line that asks an unknown question, or one twice, or where one is
    forgotten, and :class:`UsageError` when the lab has no sheet in this language.
    """
    file = file_of(lab, lang)
    if not file.is_file():
        raise UsageError(f"{lab.slug} has no sheet {file.name}", remedy=f"write {file}")
    raw = file.read_bytes()
    if len(raw) > _MAX_BYTES:
        raise UsageError(f"{file} is longer than {_MAX_BYTES:,} bytes")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as bad:
        raise InputError("not UTF-8", where=Position(file, raw.count(b"\n", 0, bad.start) + 1, 1)) from bad
    return parse(text, lab, file)


def parse(text: str, lab: Lab, file: Path) -> list[Piece]:
    """Return a sheet's text in pieces; raises :class:`InputError` as :func:`read` does."""
    pieces: list[Piece] = []
    prose: list[str] = []
    # The student's own names stand in the text as they do in the questions.
    text = str(filled(text, lab.values)) if lab.values else text
    seen: dict[str, Position] = {}
    for number, line in _outside_code(text):
        match = _ASKS.fullmatch(line) if number else None
        if match is None:
            prose.append(line)
            continue
        asked = _asked(match, lab, file, number)
        _refuse_second(asked, seen)
        pieces += [*_prose(prose), asked]
        prose = []
    pieces += _prose(prose)
    _refuse_forgotten(lab, seen, file)
    return pieces


def _outside_code(text: str) -> Iterator[tuple[int, str]]:
    """Yield each line with its number; 0 for lines of a code block, in which nothing is asked."""
    fence = ""
    for number, line in enumerate(text.splitlines(), 1):
        mark = _FENCE.match(line)
        if fence:
            yield 0, line
            if mark and mark[1].startswith(fence) and not line.strip().strip(mark[1][0]):
                fence = ""
        else:
            fence = mark[1] if mark else ""
            yield (0 if fence else number), line


def _prose(lines: list[str]) -> list[Piece]:
    markdown = "\n".join(lines).strip("\n")
    return [Prose(markdown)] if markdown.strip() else []


def _asked(match: re.Match[str], lab: Lab, file: Path, line: int) -> Asked:
    name = match[2].strip()
    where = Position(file, line, len(match[1]) + 1)
    if match[3].strip():
        raise InputError(
            "a question has a line of its own",
            where=where,
            remedy=f"write {{question {name}}} and nothing else",
        )
    question = lab.question(name)
    if question is None:
        guess = nearest(name, [one.id for one in lab])
        remedy = f"did you mean {guess!r}?" if guess else None
        raise InputError(f"the lab has no question {name!r}", where=where, remedy=remedy)
    return Asked(question, where)


def _refuse_second(asked: Asked, seen: dict[str, Position]) -> None:
    name = asked.question.id
    if before := seen.get(name):
        raise InputError(
            f"question {name} is asked twice",
            where=asked.where,
            remedy=f"remove it here, or in line {before.line}",
        )
    seen[name] = asked.where


def _refuse_forgotten(lab: Lab, seen: dict[str, Position], file: Path) -> None:
    """Refuse a sheet that leaves a question out, at the place of the question before it."""
    where = Position(file, 1, 1)
    for question in lab:
        if question.id not in seen:
            raise InputError(
                f"the sheet forgets question {question.id}",
                where=where,
                remedy=f"write {{question {question.id}}} on a line of its own",
            )
        where = seen[question.id]
