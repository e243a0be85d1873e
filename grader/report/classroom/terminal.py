"""The class report in the terminal: what fits on one screen, and where the rest is."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from grader.language import Lang
from grader.language.bilingual import Bilingual, typeset
from grader.language.i18n import fixed, points
from grader.language.inert import one_line
from grader.report.classroom import words
from grader.report.classroom.overview import Overview

_FEW = 3
# Eighths of a line's height, as block elements.
_BLOCKS = " ▁▂▃▄▅▆▇█"


def print_overview(overview: Overview, lang: Lang, folder: str, console: Console | None = None) -> None:
    """Print the marks, the hardest questions, the commonest wrong ideas, and what to do in ``folder``."""
    console = console or Console(highlight=False)

    def say(text: Bilingual, **values: object) -> str:
        return typeset(text.say(lang, **values), lang)

    marks = overview.marks
    console.print(Text(one_line(overview.lab.title.say(lang)), style="bold"))
    figures = [(words.MEAN, marks.mean), (words.MEDIAN, marks.median), (words.DEVIATION, marks.deviation)]
    said = [f"{say(name)} {points(value, lang)}" for name, value in figures if value is not None]
    console.print(Text(", ".join([say(words.ABOUT, count=len(overview.students)), *said])))
    if marks.values:
        console.print(Text(f"0 {_sparkline(marks.columns)} 20"))
    hard = sorted((one for one in overview.items if one.mean is not None), key=lambda one: one.mean or 0)[
        :_FEW
    ]
    if hard:
        told = (
            f"{one.id} ({fixed(100 * (one.mean or 0), lang, decimals=0)}\N{NO-BREAK SPACE}%)" for one in hard
        )
        console.print(Text(f"{say(words.HARDEST)}{say(_COLON)} {one_line(', '.join(told))}"))
    if overview.misconceptions:
        console.print(Text(f"{say(words.COMMONEST)}{say(_COLON)}"))
    for wrong in overview.misconceptions[:_FEW]:
        text = wrong.option or wrong.feedback
        line = f"  {wrong.question}  {wrong.count} / {wrong.of}  {text.say(lang) if text else ''}"
        console.print(Text(line), no_wrap=True, overflow="ellipsis")
    waiting = sum(count for _, count in overview.waiting)
    errors = sum(one.count for one in overview.errors)
    signals = sum(len(one.questions) > 1 for one in overview.alike) + len(overview.oddities)
    todo = {words.TO_REVIEW: waiting, words.TO_REGRADE: errors, words.TO_TELL: len(overview.unreadable)}
    for text, count in (todo | {words.TO_LOOK_AT: signals}).items():
        if count:
            console.print(Text(one_line(say(text, count=count, folder=folder)), style="yellow"))


_COLON = Bilingual(en=":", fr=" :")


def _sparkline(columns: tuple[int, ...]) -> str:
    most = max(columns)
    # What is there at all is seen: one student is no blank.
    return "".join(_BLOCKS[max(1, round(8 * one / most)) if one else 0] for one in columns)
