"""An experiment's result in the terminal: what to look at first, then what was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.experiments.result import Measured, Result, Tabled, Value
from grader.language import Lang, causes
from grader.language.bilingual import Bilingual, decimal
from grader.language.inert import inert, one_line
from grader.language.lines import wrapped

if TYPE_CHECKING:
    from rich.console import Console

_STATUS = {
    "measured": {"fr": "mesuré", "en": "measured"},
    "skipped": {"fr": "non faisable ici", "en": "skipped"},
    "error": {"fr": "erreur (pas la vôtre)", "en": "error (not yours)"},
}
_COLON = {"fr": "\N{NO-BREAK SPACE}:", "en": ":"}
_NOT_MEASURABLE = {"fr": "non mesurable", "en": "not measurable"}
_EMULATED = {
    "fr": "Processeur émulé ({name}) : ne comparez pas ces durées à celles d’un vrai processeur.",
    "en": "Emulated processor ({name}): do not compare these times with those of real hardware.",
}
_YES = {True: {"fr": "oui", "en": "yes"}, False: {"fr": "non", "en": "no"}}


def print_result(result: Result, lang: Lang, console: Console | None = None) -> None:
    """Print a result for people."""
    from rich.console import Console
    from rich.text import Text

    console = console or Console(highlight=False)
    console.print(Text(f"{result.title.say(lang)} ({result.host})", "bold"))
    console.print(Text(result.look_at.say(lang)), "")
    if result.status != "measured":
        cause = inert(causes.said(result.cause or "", lang))
        console.print(
            Text(
                f"{_STATUS[result.status][lang]}{_COLON[lang]} {cause}",
                "yellow",
            )
        )
        if result.remedy:
            remedy = wrapped(one_line(causes.said(result.remedy, lang)), console.width, first="  ", then="  ")
            console.print(Text("\n".join(remedy)), soft_wrap=True)
    for table in result.tables.values():
        _print_table(table, lang, console)
    for measured in result.measurements.values():
        console.print(Text(_measured(measured, lang)))
    for name, why in result.not_measurable.items():
        cause = one_line(causes.said(why, lang))
        console.print(
            Text(
                f"{name}{_COLON[lang]} {_NOT_MEASURABLE[lang]}{_COLON[lang]} {cause}",
                "dim",
            )
        )
    for note in result.notes:
        console.print()
        for paragraph in inert(note.say(lang)).splitlines():
            console.print(Text("\n".join(wrapped(paragraph, console.width))), soft_wrap=True)
    emulators = {one.emulator for one in result.measurements.values() if one.emulator}
    for name in sorted(emulators):
        console.print(Text(f"\n{_EMULATED[lang].format(name=name)}", "dim"))


def _measured(measured: Measured, lang: Lang) -> str:
    text = (
        f"{measured.title.say(lang)}{_COLON[lang]} {decimal(measured.median, lang)} {measured.unit}".rstrip()
    )
    if measured.ci95 is None:
        return text
    low, high = (decimal(one, lang) for one in measured.ci95)
    return f"{text}  [{low}; {high}]"


def _print_table(tabled: Tabled, lang: Lang, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=tabled.title.say(lang), title_justify="left", box=None, padding=(0, 2, 0, 0))
    for label in tabled.columns.values():
        table.add_column(Text(label.say(lang)))
    for row in tabled.rows:
        table.add_row(*(Text(shown(value, lang)) for value in row))
    console.print(table)
    console.print()


def shown(value: Value, lang: Lang) -> str:
    """Return a value of a table as people read it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _YES[value][lang]
    if isinstance(value, Bilingual):
        return value.say(lang)
    if isinstance(value, float):
        return decimal(value, lang)
    return one_line(str(value))
