"""``tdlab grade``: grade submissions of a lab."""

from __future__ import annotations

from pathlib import Path

import click

from domains.errors import EXIT_CHECKS_FAILED, EXIT_DONE, EXIT_INFRASTRUCTURE
from grader.language import LANGUAGES, Lang
from grader.results.result import Grade, Outcome


@click.command("grade")
@click.argument("lab")
@click.argument("submissions", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the grade (tdlab.grade/1) to stdout.")
@click.option("--lang", type=click.Choice(LANGUAGES), help="The language of hints.")
def command(lab: str, submissions: tuple[Path, ...], as_json: bool, lang: Lang | None) -> int:
    """Grade SUBMISSIONS (a folder or archive a student) of LAB (a folder, or a shipped lab's name)."""
    from grader.grading import grading
    from grader.lab import lab as labs
    from grader.report import terminal

    grade = grading.grade(labs.find(lab), submissions, lang=lang)
    if as_json:
        click.echo(grade.model_dump_json(by_alias=True, indent=2))
    else:
        terminal.print_grade(grade)
    return _exit_code(grade)


def _exit_code(grade: Grade) -> int:
    """Ours before theirs: a grade that holds an ERROR is not a grade to rely on."""
    outcomes = {question.outcome for one in grade.submissions for question in one.questions}
    if Outcome.ERROR in outcomes:
        return EXIT_INFRASTRUCTURE
    return EXIT_CHECKS_FAILED if outcomes & {Outcome.FAIL, Outcome.PARTIAL} else EXIT_DONE
