"""A run or a grade in the terminal: a table where it fits, one block after another where it does not.

rich is imported late (the command line must start quickly) and honours NO_COLOR by itself. Text from others
goes in as :class:`rich.text.Text`, never as markup.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    ("to guest", "Mbit/s", "tcp_to_guest"),
    ("from guest", "Mbit/s", "tcp_from_guest"),
    ("RTT", "µs", "rtt"),
    ("exits", "per MB", "exits_per_mb"),
)


def print_run(run: Run, console: Console | None = None) -> None:
    """Print what each cell measured, then why cells or metrics are missing ("n/m": not measurable)."""
    console = console or _console()
    measured = [cell for cell in run.cells if cell.status == "measured"]
    table = _table(measured)
    # A table whose numbers wrap is harder to read than no table.
    wanted = console.measure(table, options=console.options.update(width=_ANY_WIDTH)).maximum
    if measured and wanted <= console.width:
        console.print(table)
        console.print()
    else:
        for cell in measured:
            _print_block(cell, console)
    # Cells that are missing for the same reason are told together: on shadow page tables it is nine of them.
    missing: dict[tuple[str, str | None, str | None], list[str]] = {}
    for cell in run.cells:
        if cell.status != "measured":
            missing.setdefault((cell.status, cell.cause, cell.remedy), []).append(cell.id)
    for (status, cause, remedy), names in missing.items():
        _print_missing(", ".join(names), status, cause, remedy, console)
    _print_causes(run, measured, console)


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


def _table(cells: list[CellResult]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False, header_style="bold")
    table.add_column("cell")
    table.add_column("ran")
    for title, unit, _ in _COLUMNS:
        table.add_column(f"{title}\n{unit}", justify="right", no_wrap=True)
    for cell in cells:
        values = (_text(_value(cell, metric)) for _, _, metric in _COLUMNS)
        table.add_row(_text(cell.id, "bold"), _text(accelerator(cell).upper()), *values)
    return table


def _print_block(cell: CellResult, console: Console) -> None:
    console.print(_text(cell.id, "bold"), _text(accelerator(cell).upper(), "dim"))
    for title, unit, metric in _COLUMNS:
        known = f" {unit}" if metric in cell.measurements else ""
        console.print(f"  {title:<10}", _text(f"{_value(cell, metric)}{known}"))


def _value(cell: CellResult, metric: str) -> str:
    measured = cell.measurements.get(metric)
    if measured is None:
        return "n/m" if metric in cell.not_measurable else "–"
    said = number(measured.median, "en")
    if measured.ci95 and metric.startswith("tcp_"):
        said += f" [{number(measured.ci95[0], 'en')}–{number(measured.ci95[1], 'en')}]"
    return said


def _print_missing(names: str, status: str, cause: str | None, remedy: str | None, console: Console) -> None:
    style = "red" if status == "error" else "yellow"
    line = _text(names, "bold")
    line.append(f" {status}: ", style=style)
    line.append_text(_text(cause or "no cause was recorded"))
    console.print(line)
    if remedy:
        console.print(_text("→"), _text(remedy, "dim"))


def _print_causes(run: Run, measured: list[CellResult], console: Console) -> None:
    causes = dict.fromkeys(cause for cell in measured for cause in cell.not_measurable.values())
    for cause in causes:
        console.print(_text("n/m:", "yellow"), _text(cause))
    for cell in measured:
        if (seen := cell.exit_reasons) and seen.agrees is False:
            said = f"by reason the tracepoint saw {seen.traced} exits, and KVM counted {seen.counted}"
            console.print(_text(f"{cell.id}:", "yellow"), _text(said))
    others = sorted({accelerator(cell).upper() for cell in measured} - {"KVM"})
    if others:
        why = refusal(run) or "the run does not say why"
        console.print(_text(f"{' and '.join(others)}, not KVM:", "bold yellow"), _text(why))


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
