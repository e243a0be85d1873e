"""``report.html``: one self-contained page in both languages, with no script and nothing fetched."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from grader import look
from grader.experiments.result import Measured, Value
from grader.language import LANGUAGES, Lang, causes
from grader.language.bilingual import Bilingual
from grader.language.i18n import Texts, fixed, moment, number, plain, points, translator
from grader.language.inert import inert, one_line
from grader.measure.run import Run
from grader.report import published, view, words
from grader.report.story.claims import Seen
from grader.report.story.kept import EMPTY, Shelf
from grader.results.result import Grade

# A domain's XML is the longest thing shown.
_LONGEST = 65_536
_CODE = re.compile(r"`([^`]+)`")
TEMPLATES = Path(__file__).resolve().parent / "templates"


def html_text(run: Run, grade: Grade | None = None, *, lang: Lang = "en", shelf: Shelf = EMPTY) -> str:
    """Return the page; ``lang`` is the language that it opens in, the other is one click (no script) away.

    ``shelf`` holds the results of experiments that lie beside the run.
    """
    style = look.style_of(TEMPLATES / "report.css")
    say = translator(lang)
    # Autoescape has made each body; it is markup of ours with others' text inert inside it.
    bodies = {one: Markup(_body(run, grade, one, shelf)) for one in LANGUAGES}  # noqa: S704
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            lang=lang,
            languages=LANGUAGES,
            translators={one: translator(one) for one in LANGUAGES},
            title=heading(run, say, lang),
            style=Markup(style),  # noqa: S704
            style_hash=look.style_hash(style),
            bodies=bodies,
            run=run,
        )
    )


def heading(run: Run, say: Texts, lang: str) -> str:
    """Return the run's own title in ``lang``, or what every run is about."""
    return run.title.get(lang) or say("What each NIC model costs")


def _body(run: Run, grade: Grade | None, lang: Lang, shelf: Shelf) -> str:
    say = translator(lang)
    context: dict[str, Any] = {
        "lang": lang,
        "t": say,
        "page": view.page(run, say, lang, shelf),
        "run": run,
        "grade": grade,
        "published": published.read(),
        "heading": heading(run, say, lang),
        "n": lambda value, digits=3: number(value, lang, digits=digits),
        "scale_number": lambda tick, on: fixed(tick, lang, decimals=on.decimals if tick else 0),
        "moment": lambda text: one_line(moment(text, lang)),
        "points": lambda value: points(value, lang),
        "plain": lambda value: inert(plain(value, say)),
        "unit": lambda name: say(words.UNITS[name]) if name in words.UNITS else inert(name),
        "metric_name": lambda name: say(words.METRIC_NAMES[name]) if name in words.METRIC_NAMES else name,
        "fact_name": lambda name: say(words.FACTS[name]) if name in words.FACTS else inert(name),
        "words": words,
        "bi": lambda text: text.say(lang),
        "quantity": lambda of, value: number(value, lang, digits=1 if _is_count(of, value) else 3),
        "tick": lambda value: fixed(value, lang, decimals=_decimals(value)),
        "value": lambda value: _value(value, say, lang),
        "is_number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    }
    return _environment().get_template("body.html.j2").render(context)


def _value(value: Value, say: Texts, lang: Lang) -> str:
    """Return a value of a table for people; a whole number may be a name (a PID) and stays as it is."""
    if isinstance(value, Bilingual):
        return value.say(lang)
    if isinstance(value, float):
        return number(value, lang)
    return "" if value is None else plain(value, say)


def _is_count(of: Measured | Seen, value: float) -> bool:
    return of.unit == "" and value == round(value)


def _marked(text: object) -> Markup:
    """Return inert text in which `this` is code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(inert(text)))))  # noqa: S704


def _decimals(value: float) -> int:
    """Return how many decimals a round value of an axis needs."""
    return next((count for count in range(9) if round(value, count) == round(value, 12)), 9)


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "cause": causes.said,
        "inert": inert,
        "one_line": one_line,
        "marked": _marked,
        "at": "{:.2f}%".format,
    }
    return environment


def _shown(value: Any) -> Any:
    """Make every text that a template shows inert, also where nobody thought of it; markup is our own."""
    return inert(value, limit=_LONGEST) if isinstance(value, str) and not isinstance(value, Markup) else value
