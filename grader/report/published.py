"""Figures that others published, each with its source; shown beside what is measured, never among it."""

from __future__ import annotations

from pathlib import Path

from domains import document
from grader.measure.run import Record

FILE = Path(__file__).resolve().parent / "published.yaml"


class Bilingual(Record):
    """One text in both languages."""

    en: str
    fr: str

    def in_(self, lang: str) -> str:
        """Return the text in ``lang``."""
        return self.fr if lang == "fr" else self.en


class Published(Record):
    """One figure: what it is about, its value as printed, and where it was printed."""

    concept: Bilingual
    value: Bilingual
    source: str


def read(file: Path = FILE) -> tuple[Published, ...]:
    """Read the figures; raises :class:`domains.errors.InputError` with file:line:column."""
    doc = document.read(file)
    return tuple(
        document.validate(doc, Published, at=(index,), data=data) for index, data in enumerate(doc.data)
    )
