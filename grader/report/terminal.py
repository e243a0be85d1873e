"""A run or a grade in the terminal: a table where it fits, one block after another where it does not.

rich is imported late (the command line must start quickly) and honours NO_COLOR by itself. Text from others
goes in as :class:`rich.text.Text`, never as markup.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.language import Lang, causes
from grader.language.bilingual import both
from grader.language.i18n import number, points
from grader.language.inert import one_line
from grader.language.lines import wrapped
from grader.measure.run import CellResult, Run
from grader.report.finding import accelerator, refusal
from grader.results.result import CheckResult, Grade, Outcome, SubmissionGrade

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

# Asked how wide it would like to be, a table answers no more than it is offered.
_ANY_WIDTH = 1_000
_STYLES = {
    Outcome.PASS: "green",
    Outcome.PARTIAL: "yellow",
    Outcome.FAIL: "red",
    Outcome.INCONCLUSIVE: "yellow",
    Outcome.ERROR: "magenta",
    Outcome.SKIPPED: "dim",
}
_COLUMNS = (
    (both("to guest", "vers VM"), both("Mbit/s", "Mbit/s"), "tcp_to_guest"),
    (both("from guest", "de la VM"), both("Mbit/s", "Mbit/s"), "tcp_from_guest"),
    (both("RTT", "RTT"), both("µs", "µs"), "rtt"),
    (both("exits", "sorties"), both("per MB", "par Mo"), "exits_per_mb"),
)
_CELL, _RAN = both("cell", "cellule"), both("ran", "sous")
_STATUSES = {
    "measured": both("measured:", "mesuré :"),
    "skipped": both("skipped:", "laissé de côté :"),
    "error": both("error:", "erreur (pas la vôtre) :"),
}
_NOT_MEASURABLE = both("n/m:", "n/m (non mesurable) :")
_COUNTED_OTHERWISE = both(
    "{cell}: by reason the tracepoint saw {traced} exits, and KVM counted {counted}",
    "{cell} : par cause, {traced} sorties vues, et KVM en compte {counted}",
)
_NOT_KVM = both("{others}, not KVM:", "{others}, et non KVM :")


def print_run(run: Run, console: Console | None = None, *, lang: Lang = "en") -> None:
    """Print what each cell measured, then why cells or metrics are missing ("n/m": not measurable)."""
    console = console or _console()
    measured = [cell for cell in run.cells if cell.status == "measured"]
    table = _table(measured, lang)
    # A table whose numbers wrap is harder to read than no table.
    wanted = console.measure(table, options=console.options.update(width=_ANY_WIDTH)).maximum
    if measured and wanted <= console.width:
        console.print(table)
        console.print()
    else:
        for cell in measured:
            _print_block(cell, lang, console)
    # Cells that are missing for the same reason are told together: on shadow page tables it is nine of them.
    missing: dict[tuple[str, str | None, str | None], list[str]] = {}
    for cell in run.cells:
        if cell.status != "measured":
            missing.setdefault((cell.status, cell.cause, cell.remedy), []).append(cell.id)
    for (status, cause, remedy), names in missing.items():
        said = causes.said(cause or "no cause was recorded", lang)
        _print_missing(", ".join(names), status, said, causes.said(remedy or "", lang), lang, console)
    _print_causes(run, measured, lang, console)


def print_grade(grade: Grade, console: Console | None = None) -> None:
    """Print each submission's score and what was said of each question."""
    console = console or _console()
    for index, submission in enumerate(grade.submissions):
        if index:
            console.print()
        _print_submission(submission, console)


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False)


def _text(words: object, style: str = "") -> Text:
    from rich.text import Text

    return Text(one_line(words), style=style)


def _table(cells: list[CellResult], lang: Lang) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False, header_style="bold")
    table.add_column(_CELL.say(lang))
    table.add_column(_RAN.say(lang))
    for title, unit, _ in _COLUMNS:
        table.add_column(f"{title.say(lang)}\n{unit.say(lang)}", justify="right", no_wrap=True)
    for cell in cells:
        values = (_text(_value(cell, metric, lang)) for _, _, metric in _COLUMNS)
        table.add_row(_text(cell.id, "bold"), _text(accelerator(cell).upper()), *values)
    return table


def _print_block(cell: CellResult, lang: Lang, console: Console) -> None:
    console.print(_text(cell.id, "bold"), _text(accelerator(cell).upper(), "dim"))
    for title, unit, metric in _COLUMNS:
        known = f" {unit.say(lang)}" if metric in cell.measurements else ""
        console.print(f"  {title.say(lang):<10}", _text(f"{_value(cell, metric, lang)}{known}"))


def _value(cell: CellResult, metric: str, lang: Lang) -> str:
    measured = cell.measurements.get(metric)
    if measured is None:
        return "n/m" if metric in cell.not_measurable else "–"
    said = number(measured.median, lang)
    if measured.ci95 and metric.startswith("tcp_"):
        said += f" [{number(measured.ci95[0], lang)}–{number(measured.ci95[1], lang)}]"
    return said


def _print_missing(names: str, status: str, cause: str, remedy: str, lang: Lang, console: Console) -> None:
    line = _text(names, "bold")
    line.append(f" {_STATUSES[status].say(lang)} ", style="red" if status == "error" else "yellow")
    line.append_text(_text(cause))
    console.print(line)
    if remedy:
        console.print(_text("→"), _text(remedy, "dim"))


def _print_causes(run: Run, measured: list[CellResult], lang: Lang, console: Console) -> None:
    lacking = dict.fromkeys(cause for cell in measured for cause in cell.not_measurable.values())
    for cause in lacking:
        console.print(_text(_NOT_MEASURABLE.say(lang), "yellow"), _text(causes.said(cause, lang)))
    for cell in measured:
        if (seen := cell.exit_reasons) and seen.agrees is False:
            said = _COUNTED_OTHERWISE.say(lang, cell=cell.id, traced=seen.traced, counted=seen.counted)
            console.print(_text(said, "yellow"))
    others = sorted({accelerator(cell).upper() for cell in measured} - {"KVM"})
    if others:
        why = causes.said(refusal(run) or "the run does not say why", lang)
        console.print(_text(_NOT_KVM.say(lang, others=", ".join(others)), "bold yellow"), _text(why))


def _print_submission(submission: SubmissionGrade, console: Console) -> None:
    score = f"{points(submission.score, 'en')} / {points(submission.max, 'en')}"
    console.print(_text(submission.student, "bold"), _text(score, "bold"))
    for question in submission.questions:
        _print_question(question, console)


def _print_question(question: CheckResult, console: Console) -> None:
    line = _text(question.id)
    line.pad_left(2)
    line.append(f" {question.outcome.value}", style=_STYLES[question.outcome])
    if question.outcome not in (Outcome.ERROR, Outcome.SKIPPED):
        line.append(f" {points(question.points, 'en')} / {points(question.max, 'en')}")
    console.print(line)
    if question.outcome is Outcome.PASS:
        return
    for title, said in (
        ("expected", question.expected),
        ("actual", question.actual),
        ("hint", question.hint),
    ):
        if said:
            _print_indented(title, said, console)


def _print_indented(title: str, said: str, console: Console) -> None:
    """Print it where rich would break lines at any blank, within commands too."""
    margin = " " * 4
    lines = wrapped(f"{title}: {one_line(said)}", console.width, first=margin, then=margin)
    text = _text("")
    text.append("\n".join(lines))
    text.stylize("dim", len(margin), len(margin) + len(title) + 1)
    console.print(text, soft_wrap=True)
