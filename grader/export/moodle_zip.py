"""The ZIP that Moodle's "Upload multiple feedback files in a zip" takes: a folder a student."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable

from grader.export.rows import Export, Notice, Row, Sheet

# Moodle breaks a folder's name up at underscores: whole name, number of the participant, kind and name of the
# plugin that takes the files.
_PLUGIN = "assignfeedback_file"
# A ZIP of the same marks is the same file, whenever it is made.
_DATE = (1980, 1, 1, 0, 0, 0)


def feedback_zip(sheet: Sheet, page: Callable[[Row], str]) -> Export:
    """Return the ZIP with each student's page; who has no number of Moodle's is named, and left out."""
    raw = io.BytesIO()
    left: list[Notice] = []
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for row in sheet.rows:
            if not re.fullmatch(r"[0-9]{1,18}", row.id):
                why = "no number of Moodle's is known: its ZIP takes folders as Moodle downloads them"
                left.append(Notice(row.shown, why))
                continue
            name = f"{_shown(row)}_{row.id}_{_PLUGIN}/feedback-{sheet.lab.slug}.html"
            member = zipfile.ZipInfo(name, _DATE)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            archive.writestr(member, page(row))
    notes = tuple(Notice(one.student, f"{one.why}; the page says so") for one in sheet.unfinished())
    return Export({f"{sheet.lab.slug}.feedback.zip": raw.getvalue()}, tuple(left), notes)


def _shown(row: Row) -> str:
    """Return a name for people alone: nothing of it can be taken for a path, or for the number after it."""
    before = row.folder.split("_")[0] if "_" in row.folder else ""
    plain = re.sub(r"[^\w '.-]|_", " ", before or row.shown)
    return " ".join(plain.split())[:80].strip(". ") or "student"
