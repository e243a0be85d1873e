"""``report.html``: one self-contained page in both languages, with no script and nothing fetched."""

from __future__ import annotations

import base64
import functools
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from grader.language import LANGUAGES
from grader.language.i18n import Texts, fixed, moment, number, plain, points, translator
from grader.language.inert import inert, one_line
from grader.measure.run import Run
from grader.report import published, view, words
from grader.results.result import Grade

# A domain's XML is the longest thing shown.
_LONGEST = 65_536
TEMPLATES = Path(__file__).resolve().parent / "templates"


def html_text(run: Run, grade: Grade | None = None, *, lang: str = "en") -> str:
    """Return the page; ``lang`` is the language that it opens in, the other is one click (no script) away."""
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    say = translator(lang)
    # Autoescape has made each body; it is markup of ours with others' text inert inside it.
    bodies = {one: Markup(_body(run, grade, one)) for one in LANGUAGES}  # noqa: S704
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            lang=lang,
            languages=LANGUAGES,
            translators={one: translator(one) for one in LANGUAGES},
            title=heading(run, say, lang),
            style=Markup(style),  # noqa: S704
            style_hash=_hash(style),
            bodies=bodies,
            run=run,
        )
    )


def heading(run: Run, say: Texts, lang: str) -> str:
    """Return the run's own title in ``lang``, or what every run is about."""
    return run.title.get(lang) or say("What each NIC model costs")


def _body(run: Run, grade: Grade | None, lang: str) -> str:
    say = translator(lang)
    context: dict[str, Any] = {
        "lang": lang,
        "t": say,
        "page": view.page(run, say, lang),
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
    }
    return _environment().get_template("body.html.j2").render(context)


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
    environment.filters |= {"inert": inert, "one_line": one_line, "at": "{:.2f}%".format}
    return environment


def _shown(value: Any) -> Any:
    """Make every text that a template shows inert, also where nobody thought of it; markup is our own."""
    return inert(value, limit=_LONGEST) if isinstance(value, str) and not isinstance(value, Markup) else value


def _hash(style: str) -> str:
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
