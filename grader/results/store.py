"""Grades on disk, one submission a line, so that a large class need not be in memory at once."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from domains.errors import UsageError
from grader.results.result import Grade, SubmissionGrade

_OPEN, _CLOSE = b'"submissions":[\n', b"\n]}\n"


def write(file: Path, head: Grade, submissions: Iterable[SubmissionGrade | bytes]) -> None:
    """Write a grade (schema ``tdlab.grade/1``) with the head's names and hashes, whole or not at all.

    A submission may be given as the JSON that it already is; it must then be in one line.
    """
    beside = file.with_name(f".{file.name}.new")
    first = head.model_copy(update={"submissions": ()}).model_dump_json(by_alias=True)
    try:
        with beside.open("wb") as new:
            new.write(first.encode().removesuffix(b'"submissions":[]}') + _OPEN)
            for number, one in enumerate(submissions):
                new.write(b",\n" * bool(number))
                new.write(one if isinstance(one, bytes) else one.model_dump_json(by_alias=True).encode())
            new.write(_CLOSE)
            new.flush()
            os.fsync(new.fileno())
        beside.replace(file)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise


def head(file: Path) -> Grade:
    """Return a grade without its submissions; raises :class:`UsageError` when it is none of ours."""
    with _opened(file) as stream:
        line = stream.readline()
    try:
        return Grade.model_validate_json(line.removesuffix(b"\n") + b"]}")
    except ValidationError as bad:
        raise UsageError(f"{file} is no grade that tdlab wrote", remedy="grade the class again") from bad


def each(file: Path) -> Iterator[SubmissionGrade]:
    """Yield the submissions of a grade that :func:`write` wrote, one after the other."""
    for number, line in enumerate(lines(file), 2):
        try:
            yield SubmissionGrade.model_validate_json(line)
        except ValidationError as bad:
            raise UsageError(
                f"{file}:{number}:1: no graded submission", remedy="grade the class again"
            ) from bad


def lines(file: Path) -> Iterator[bytes]:
    """Yield the submissions of a grade as the JSON that they are."""
    head(file)
    with _opened(file) as stream:
        next(stream)
        for line in stream:
            text = line.rstrip(b",\n")
            if text == b"]}":
                return
            yield text
    raise UsageError(f"{file} is torn: its end is missing", remedy="grade the class again")


def whole(file: Path) -> Grade:
    """Return a grade with all its submissions."""
    return head(file).model_copy(update={"submissions": tuple(each(file))})


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[IO[bytes]]:
    try:
        with file.open("rb") as stream:
            yield stream
    except OSError as why:
        raise UsageError(f"{file} cannot be read: {why.strerror}") from why
