"""What ``tdlab submit`` says of an archive: which files it holds, whose it is, and when it was made."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from grader.measure.moment import Moment

MANIFEST_FILE = "manifest.json"
SIGNATURE_FILE = "manifest.json.sig"
# As many files as an archive may have, with names as long as they may be.
MANIFEST_CAP, SIGNATURE_CAP = 1024 * 1024, 16 * 1024


class Manifest(BaseModel):
    """``manifest.json``; keys of a later tdlab are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    schema_: Literal["tdlab.submission/1"] = Field(alias="schema")
    lab: Annotated[str, Field(max_length=64)]
    student: Annotated[str, Field(min_length=1, max_length=120)]
    number: Annotated[int, Field(ge=1, le=10**6)]
    time: Moment
    previous: str | None = None
    key: Annotated[str, Field(max_length=8192)]
    files: dict[str, Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]]


def parse(raw: bytes) -> Manifest | str:
    """Read a manifest, or return in one sentence why it is none."""
    try:
        return Manifest.model_validate_json(raw)
    except ValidationError as bad:
        first = bad.errors()[0]
        path = ".".join(str(step) for step in first["loc"])
        return f"{MANIFEST_FILE}: {path}: {first['msg']}" if path else f"{MANIFEST_FILE}: {first['msg']}"


def receipt_code(manifest: bytes) -> str:
    """Return the code of a manifest: 80 bits of its SHA-256, in groups that can be read aloud."""
    digest = hashlib.sha256(manifest).hexdigest()[:20]
    return "-".join(digest[at : at + 5] for at in range(0, 20, 5))
