"""Whose a workspace or a submission is: ``workspace.yaml``, written by ``tdlab start``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from domains import document
from domains.errors import InputError
from grader.lab.questions import Part
from grader.language import Lang

WORKSPACE_FILE = "workspace.yaml"


class Identity(Part):
    """What ``workspace.yaml`` holds (schema ``tdlab.workspace/1``)."""

    schema_: Literal["tdlab.workspace/1"] = Field(alias="schema")
    lab: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    student: Annotated[str, Field(min_length=1, max_length=120)]
    lang: Lang
    started: AwareDatetime


def parse(raw: bytes, file: Path = Path(WORKSPACE_FILE)) -> Identity:
    """Read an identity from bytes; raises :class:`InputError` with the position."""
    return document.validate(document.parse(raw, file), Identity)


def readable(raw: bytes | None, lab: str) -> tuple[Identity | None, str | None]:
    """Return whose a submission to a lab is, and why that cannot be told; both None when it does not say."""
    if raw is None:
        return None, None
    try:
        found = parse(raw)
    except InputError as bad:
        return None, str(bad)
    if found.lab != lab:
        return None, f"{WORKSPACE_FILE}: this is a workspace of the lab {found.lab}, not of {lab}"
    return found, None
