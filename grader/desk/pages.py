"""The pages of the review, as text; all that students wrote is inert in them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from grader.checks.reading.judging import judge
from grader.checks.text import reason
from grader.desk import words
from grader.desk.beside import Beside
from grader.desk.desk import Progress
from grader.lab.lab import Lab
from grader.lab.questions import TextQuestion
from grader.language import Lang, causes
from grader.language.bilingual import Bilingual
from grader.language.i18n import number, points, translator
from grader.language.inert import inert, one_line
from grader.measure.run import Measurement
from grader.report.words import METRIC_NAMES, UNITS
from grader.review.decisions import LONGEST_COMMENT, is_whole
from grader.review.queue import Waiting, open_ones

TEMPLATES = Path(__file__).resolve().parent / "templates"
# All that a page fetches, from this server; there is nothing inline, so that nothing inline ever runs.
FILES = {"/review.css": "text/css", "/review.js": "text/javascript"}


@dataclass(frozen=True)
class Frame:
    """What all pages share: the lab, how far the teacher is, the forms' token, and what was just done."""

    lang: Lang
    lab: Lab
    progress: Progress
    form: str
    said: str = ""
    can_undo: bool = False


@dataclass(frozen=True)
class Place:
    """An answer's place in the queue: the one before, the one after, and the next that waits."""

    before: Waiting | None
    after: Waiting | None
    waits: Waiting | None


def item(frame: Frame, one: Waiting, place: Place, copies: Sequence[Beside], *, names: Sequence[str]) -> str:
    """Return the page of one answer; with no ``names`` it is blind."""
    part = next((part for part in frame.lab.parts if one.question in part.questions), None)
    return _page(
        "item",
        frame,
        one=one,
        why=why(one, frame.lang),
        place=place,
        copies=copies,
        names=names,
        part=part,
        longest=LONGEST_COMMENT,
    )


def why(one: Waiting, lang: Lang) -> str:
    """Return why an answer waits, in the teacher's language where the check can be asked again."""
    if isinstance(one.question, TextQuestion) and is_whole(one.answer):
        found = judge(one.question, one.answer)
        if not found.alone:
            return reason(one.question, found, lang)
    return one.why


def overview(frame: Frame, waiting: Sequence[Waiting]) -> str:
    """Return the page that shows the queue by question."""
    rows = []
    for question in frame.lab:
        asked = [one for one in waiting if one.question.id == question.id]
        left = open_ones(asked)
        if asked:
            rows.append((question, left, sum(len(one.students) for one in left), (left or asked)[0]))
    return _page("overview", frame, rows=rows, first=next(iter(open_ones(waiting)), None))


def keys(frame: Frame) -> str:
    """Return the page that explains the keys, for a browser without scripts."""
    return _page("help", frame)


def message(lang: Lang, text: str, *, back: str = "") -> str:
    """Return a page that says one thing."""
    return _render("message", lang, text=text, back=back, frame=None)


def opening(lang: Lang) -> str:
    """Return the page that leads from the address with the token to the one without."""
    return _render("opening", lang, frame=None)


def static(path: str) -> tuple[str, bytes] | None:
    """Return the type and the content of a file that the pages use, or None."""
    kind = FILES.get(path)
    return (f"{kind}; charset=utf-8", (TEMPLATES / path[1:]).read_bytes()) if kind else None


def _page(name: str, frame: Frame, **values: Any) -> str:
    return _render(name, frame.lang, frame=frame, **values)


def _render(name: str, lang: Lang, **values: Any) -> str:
    say = translator(lang)

    def median(found: Measurement) -> str:
        unit = say(UNITS[found.unit]) if found.unit in UNITS else found.unit
        return f"{number(found.median, lang)} {unit}".strip()

    def said(text: Bilingual, **fields: object) -> str:
        return text.say(lang, **fields)

    context: dict[str, Any] = {
        "lang": lang,
        "w": words,
        "t": said,
        "points": lambda value: points(value, lang),
        "median": median,
        "metric": lambda name: say(METRIC_NAMES[name]),
    }
    return _environment().get_template(f"{name}.html.j2").render(context | values)


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"cause": causes.said, "one_line": one_line}
    return environment


def _shown(value: Any) -> Any:
    """Make every text that a template shows inert, also where nobody thought of it; markup is our own."""
    return inert(value) if isinstance(value, str) and not isinstance(value, Markup) else value
