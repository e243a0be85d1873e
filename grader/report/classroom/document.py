"""The class report for other programs: ``tdlab.class/1``."""

from __future__ import annotations

import dataclasses
from typing import Any

from grader.language import Lang
from grader.language.bilingual import Bilingual
from grader.language.inert import inert
from grader.report.classroom.overview import Overview


def of(overview: Overview, lang: Lang) -> dict[str, Any]:
    """Return the report as plain data; texts of the lab are in ``lang``, those of students are inert."""
    fields = {
        one.name: _plain(getattr(overview, one.name), lang)
        for one in dataclasses.fields(overview)
        if one.name not in ("lab", "students")
    }
    students = [{"student": inert(name), "mark": value} for name, value in overview.students]
    return {"schema": "tdlab.class/1", "lab": overview.lab.slug, "students": students, **fields}


def _plain(value: Any, lang: Lang) -> Any:
    if isinstance(value, Bilingual):
        return value.say(lang)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name), lang) for one in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): _plain(one, lang) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one, lang) for one in value]
    return inert(value) if isinstance(value, str) else value
