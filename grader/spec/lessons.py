"""What to learn from a changed key of a spec: sentences read from ``spec_lessons.yaml``."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from domains import document
from grader.language.bilingual import Bilingual

FILE = Path(__file__).resolve().with_suffix(".yaml")


class Lessons(BaseModel):
    """Sentences by key (``nic.model``) and, where one value has its own, by key and value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_: Literal["tdlab.spec-lessons/1"] = Field(alias="schema")
    left_out: Bilingual
    same_xml: Bilingual
    values: dict[str, dict[str, Bilingual]]
    keys: dict[str, Bilingual]

    def about(self, key: str, after: str) -> Bilingual:
        """Return the sentence for a key that becomes ``after``: its own, the key's, or that of its part."""
        own = self.values.get(key, {}).get(after)
        return own or self.keys.get(key) or self.keys[key.split(".")[0]]


@cache
def lessons() -> Lessons:
    """Read the sentences that ship with tdlab."""
    return document.validate(document.read(FILE), Lessons)
