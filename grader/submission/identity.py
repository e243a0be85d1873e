"""Whose a workspace or a submission is: ``workspace.yaml``, written by ``tdlab start``."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from domains import document
from domains.errors import InputError
from grader.lab.questions import Part
from grader.lab.variants import known_as
from grader.language import Lang
from grader.measure.moment import Moment

WORKSPACE_FILE = "workspace.yaml"


class Identity(Part):
    """What ``workspace.yaml`` holds (schema ``tdlab.workspace/1``)."""

    schema_: Literal["tdlab.workspace/1"] = Field(alias="schema")
    lab: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    student: Annotated[str, Field(min_length=1, max_length=120)]
    lang: Lang
    started: Moment
    # Drawn once: what is measured in the workspace carries it, and nothing measured elsewhere does.
    nonce: Annotated[str, Field(pattern=r"^([0-9a-f]{32})?$")] = ""


def text(lab: str, student: str, lang: str, started: datetime | None, nonce: str | None = None) -> str:
    """Return the content of ``workspace.yaml``; without a time, of one that was started now."""
    drawn = nonce or secrets.token_hex(16)
    moment = (started or datetime.now(UTC)).isoformat(timespec="seconds")
    return (
        "# Whose workspace this is. Your variant of the lab follows from it: leave it as it is.\n"
        f"schema: tdlab.workspace/1\nlab: {lab}\nstudent: {json.dumps(student, ensure_ascii=False)}\n"
        f'lang: {lang}\nstarted: {moment}\nnonce: "{drawn}"\n'
    )


# Whoever reads a submission asks for it more than once.
@lru_cache(maxsize=16)
def parse(raw: bytes, file: Path = Path(WORKSPACE_FILE)) -> Identity:
    """Read an identity from bytes; raises :class:`InputError` with the position."""
    return document.validate(document.parse(raw, file), Identity)


def of(
    raw: bytes | None, refused: str | None, lab: str, answering: str | None
) -> tuple[str | None, str | None]:
    """Return whose variant of a lab was answered (None: the author's), and why that is not certain, or None.

    ``raw`` is the file, ``refused`` why it could not be had, and ``answering`` the name that the answers
    carry: they are often handed in alone, and they are where the letters stand.
    """
    if refused:
        return answering, refused
    if raw is None:
        return answering, None
    try:
        found = parse(raw)
    except InputError as bad:
        return answering, str(bad)
    if found.lab != lab:
        return answering, f"{WORKSPACE_FILE}: this is a workspace of the lab {found.lab}, not of {lab}"
    if answering and known_as(answering) != known_as(found.student):
        return answering, f"{WORKSPACE_FILE} is of {found.student}, and the answers are of {answering}"
    return found.student, None


def language(raw: bytes | None) -> Lang | None:
    """Return the language of a workspace by its file; None where there is none, or it cannot be read."""
    try:
        return None if raw is None else parse(raw).lang
    except InputError:
        return None
