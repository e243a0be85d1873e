"""``tdlab demo``: measure every NIC model, grade the sample answers, and write one report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from domains.files import write_whole
from domains.phases import phase
from grader.commands.timings import with_timings
from grader.language import LANGUAGES, Lang
from grader.running.execution import Request, default_folder, execute, exit_code

if TYPE_CHECKING:
    from grader.lab.lab import Lab
    from grader.measure.run import Run
    from grader.results.result import Grade

_LAB = "r202"


@click.command("demo")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the run and its report.")
@click.option(
    "--resume",
    is_flag=False,
    flag_value="last",
    help="Go on with the last demo, or with the one in this folder.",
)
@click.option(
    "--full",
    is_flag=True,
    help="Also make an emulated lab host, and measure the whole matrix and every experiment on it.",
)
@click.option("--lang", type=click.Choice(LANGUAGES), default="en", help="The language the report opens in.")
@click.option("--json", "as_json", is_flag=True, help="Print the run (tdlab.run/1) to stdout.")
@with_timings
def command(out: Path | None, resume: str | None, full: bool, lang: Lang, as_json: bool) -> int:
    """Measure every NIC model on this host, grade the lab's sample answers, and write one report."""
    from grader import report
    from grader.lab import lab as labs
    from grader.measure import matrix
    from grader.running import journal

    lab = labs.load(labs.find(_LAB))
    asked = matrix.load(lab.folder / "matrix.yaml")
    folder = out or (journal.last("demo") if resume == "last" else Path(resume or default_folder("demo")))
    # The emulated host's run is what the page of a whole demo is about; this machine's has one of its own.
    here = folder / "this-machine" if full else folder
    folder.mkdir(parents=True, exist_ok=True)
    journal.remember(folder, "demo")
    run = execute(Request(asked, here, resume is not None, "demo-here"))
    broken = False
    with phase("grade the samples"):
        grade, surprises = _graded(lab, run, here / "samples")
    if full:
        from grader.commands import demo_full

        with phase("write the report"):
            report.write(run, here, grade, lang=lang)
        found = demo_full.measure(asked, lab.folder, folder, resume=resume is not None)
        broken = exit_code(run) != 0 or any(one.status == "error" for one in found.results)
        run = found.run
    with phase("write the report"):
        report.write(run, folder, grade, lang=lang)
        write_whole(folder / "grade.json", grade.model_dump_json(by_alias=True, indent=2) + "\n")
    if as_json:
        click.echo(run.to_json(), nl=False)
    else:
        _print(run, grade)
    for surprise in surprises:
        click.echo(f"tdlab: {surprise}", err=True)
    click.echo(f"report: {folder / 'report.html'}", err=True)
    return exit_code(run, broken=bool(surprises) or broken)


def _print(run: Run, grade: Grade) -> None:
    """Print what was measured, and what the samples score by it."""
    from grader.report import terminal
    from grader.results import score

    terminal.print_run(run)
    for one in grade.submissions:
        lost = ", ".join(score.lost(one.questions)) or "nothing"
        click.echo(f"sample {one.student}: {one.score:g} of {one.max:g} points, lost {lost}")


def _graded(lab: Lab, run: Run, folder: Path) -> tuple[Grade, list[str]]:
    """Grade the samples with this run as evidence; one that scores otherwise than it should is our fault."""
    from grader.grading import grading
    from grader.results import score
    from grader.submission import samples

    expected = samples.samples(lab)
    grade = grading.grade(lab.folder, samples.materialise(lab, run, folder), samples=True)
    surprises = []
    for sample, got in zip(expected, grade.submissions, strict=True):
        lost = sorted(score.lost(got.questions))
        if lost != sorted(sample.loses):
            should = ", ".join(sorted(sample.loses)) or "nothing"
            surprises.append(f"sample {got.student} lost {lost or 'nothing'}, and should lose {should}")
    return grade, surprises
