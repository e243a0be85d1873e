"""The class report as one self-contained page: no script, nothing fetched, for phone and paper."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from markupsafe import Markup

from grader import look
from grader.language import Lang
from grader.language.bilingual import Bilingual, filled, typeset
from grader.language.i18n import fixed, moment, points
from grader.look.templates import environment
from grader.report.classroom import words
from grader.report.classroom.alike import NEAR, WORDS
from grader.report.classroom.items import ENOUGH
from grader.report.classroom.overview import Overview
from grader.results.score import OUT_OF

_TEMPLATES = Path(__file__).resolve().parent / "templates"
_SHARED = _TEMPLATES.parent.parent / "templates"
# Below this a question tells so little of who knows the rest that its author may want to look.
POOR = 0.1
# What nobody reads to its end stands in the document alone.
_MOST_NAMED, _MOST_LISTED = 12, 60
# The figure's height, without its axis; a column of the most frequent mark fills it.
_HEIGHT = 150


def html_text(overview: Overview, lang: Lang, now: datetime) -> str:
    """Return the page of a class; ``now`` is when it was made."""
    style = look.style_of(_SHARED / "marks.css")

    def say(name: str, /, **values: object) -> str:
        text: Bilingual = getattr(words, name)
        return filled(typeset(text.say(lang), lang), lang, values)

    return (
        environment(_TEMPLATES, _SHARED)
        .get_template("classroom.html.j2")
        .render(
            lang=lang,
            say=say,
            bi=lambda text: typeset(text.say(lang), lang),
            n=lambda value: points(value, lang),
            two=lambda value: fixed(value, lang, decimals=2),
            percent=lambda value: typeset(f"{fixed(100 * value, lang, decimals=0)} %", lang),
            when=lambda text: moment(text, lang) if "T" in text else text,
            of=overview,
            marks=overview.marks,
            several=[one for one in overview.alike if len(one.questions) > 1],
            single=[one for one in overview.alike if len(one.questions) == 1],
            columns=_columns(overview),
            height=_HEIGHT,
            out_of=OUT_OF,
            asked={one.id: one for one in overview.lab},
            odd=lambda one: typeset(words.ODDITIES[one.kind].say(lang), lang),
            poor=POOR,
            most_named=_MOST_NAMED,
            most_listed=_MOST_LISTED,
            enough=ENOUGH,
            long=WORDS,
            near=NEAR,
            made=moment(now.isoformat(), lang),
            style=Markup(style),  # noqa: S704  our own file
            style_hash=look.style_hash(style),
        )
    )


def _columns(overview: Overview) -> list[tuple[int, int, float]]:
    """Return (mark from, students, height in pixels) of each column of the figure."""
    most = max(overview.marks.columns, default=0) or 1
    return [(at, count, round(_HEIGHT * count / most, 1)) for at, count in enumerate(overview.marks.columns)]
