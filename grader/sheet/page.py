"""A sheet as one self-contained page: no script, nothing fetched, readable on a phone and on paper."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nh3
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from grader import look
from grader.lab.asking import how, options, worth
from grader.lab.lab import Lab
from grader.language import Lang
from grader.language.inert import one_line
from grader.sheet import words
from grader.sheet.source import Piece, Prose

_TEMPLATES = Path(__file__).resolve().parent / "templates"
_TAGS = {
    *("h1", "h2", "h3", "h4", "p", "ul", "ol", "li", "blockquote", "pre", "code", "em", "strong", "a"),
    *("br", "hr", "table", "thead", "tbody", "tr", "th", "td", "s"),
}
_ATTRIBUTES = {"a": {"href"}, "h2": {"id"}, "h3": {"id"}, "ol": {"start"}}


@dataclass
class Chapter:
    """An entry of the table of contents: a heading, and the questions that stand below it."""

    id: str
    title: Markup
    level: int
    questions: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Shown:
    """A piece of the page: prose as markup, or a question."""

    prose: str = ""
    question: Any = None
    worth: str = ""
    how: str = ""
    options: Sequence[tuple[str, str]] = ()


def html_text(pieces: Sequence[Piece], lab: Lab, lang: Lang, *, whose: str | None = None) -> str:
    """Return the page; ``whose`` is the student whose letters the questions carry, None for the author's."""
    style = look.style_of(_TEMPLATES / "sheet.css")
    chapters: list[Chapter] = []
    shown = [_shown(one, lang, chapters) for one in pieces]
    template = _environment().get_template("sheet.html.j2")
    return template.render(
        lang=lang,
        title=lab.title.say(lang),
        style=Markup(style),  # noqa: S704  our own file
        style_hash=look.style_hash(style),
        chapters=chapters,
        pieces=shown,
        whose=one_line(whose) if whose else None,
        inline=lambda text: _inline(text.say(lang)),
        say=lambda name, **values: getattr(words, name).say(lang, **values),
        lettered=any(hasattr(question, "options") for question in lab),
        note=_inline(words.NOT_OWN.say(lang)),
    )


def _shown(piece: Piece, lang: Lang, chapters: list[Chapter]) -> _Shown:
    if isinstance(piece, Prose):
        return _Shown(prose=_rendered(piece.markdown, chapters))
    question = piece.question
    if chapters:
        chapters[-1].questions.append(question.id)
    said = _inline(how(question, lang))
    choices = [(name, _inline(option)) for name, option in options(question, lang)]
    return _Shown(question=question, worth=worth(question, lang), how=said, options=choices)


def _rendered(markdown: str, chapters: list[Chapter]) -> Markup:
    """Return Markdown as clean markup, and remember its headings."""
    parser = _markdown()
    tokens = parser.parse(markdown)
    for number, token in enumerate(tokens):
        if token.type == "heading_open" and token.tag in {"h2", "h3"}:
            chapter = _chapter(tokens[number + 1], int(token.tag[1]), len(chapters) + 1)
            token.attrSet("id", chapter.id)
            chapters.append(chapter)
    return _clean(parser.renderer.render(tokens, parser.options, {}))


def _chapter(inline: Token, level: int, number: int) -> Chapter:
    return Chapter(f"section-{number}", _inline(inline.content), level)


def _inline(text: str) -> Markup:
    return _clean(_markdown().renderInline(text))


def _clean(html: str) -> Markup:
    cleaned = nh3.clean(html, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes={"https", "http"})
    # A code block that is wider than the page is scrolled, and by keyboard only when it can take the focus.
    return Markup(cleaned.replace("<pre>", '<pre tabindex="0">'))  # noqa: S704  nh3 has cleaned it


@functools.cache
def _markdown() -> MarkdownIt:
    # js-default: tables as on GitHub, and HTML in the source is text.
    return MarkdownIt("js-default")


@functools.cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
