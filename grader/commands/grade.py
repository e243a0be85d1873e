"""``tdlab grade``: grade submissions of a lab, one by one or a whole class."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from domains.errors import EXIT_CHECKS_FAILED, EXIT_DONE, EXIT_INFRASTRUCTURE, UsageError
from domains.phases import phase
from grader.commands.cluster_options import elsewhere, with_cluster_options
from grader.commands.timings import with_timings
from grader.language import LANGUAGES, Lang
from grader.results.result import Grade, Outcome

if TYPE_CHECKING:
    from grader.classroom.markbook import Markbook
    from grader.classroom.policy import Policy


@click.command("grade")
@click.argument("lab")
@click.argument("submissions", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the grade (tdlab.grade/1) to stdout.")
@click.option("--lang", type=click.Choice(LANGUAGES), help="The language of hints.")
@click.option(
    "--lab-host",
    metavar="NAME",
    help="Boot students' domains on this lab host, for the checks that ask for it.",
)
@click.option(
    "--into",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Grade a class (a folder, or the ZIP of a platform) into this markbook.",
)
@click.option(
    "-j", "--jobs", type=click.IntRange(0, 256), default=0, help="Workers for a class (0: as many as pay)."
)
@with_cluster_options
@with_timings
@click.option("--attempts", type=click.Choice(["last", "best"]), default="last", help="Which attempt counts.")
@click.option("--deadline", metavar="DATE", help="Until when (2026-11-30T18:00); later is late.")
@click.option(
    "--late", metavar="POLICY", help='What lateness costs: "10 % per day, at most 50 %, grace 15 min".'
)
def command(
    lab: str,
    submissions: tuple[Path, ...],
    as_json: bool,
    lang: Lang | None,
    into: Path | None,
    **how: Any,
) -> int:
    """Grade SUBMISSIONS (a folder or archive a student) of LAB (a folder, or a shipped lab's name).

    With --into, grade one class: a folder with a folder or an archive a student, or one ZIP as Moodle or
    Gradescope give it.
    """
    from grader.grading import grading
    from grader.lab import lab as labs
    from grader.report import terminal

    host = how["lab_host"]
    if host is not None:
        from domains import hosts

        # A name that stands for no host is said before anything is graded.
        hosts.find(host)
    if into is not None:
        return _class(labs.find(lab), submissions, into, lang, as_json, how)
    if how["cluster"] is not None:
        raise UsageError("--cluster grades a class into a markbook", remedy="add --into FOLDER")
    if len(submissions) == 1 and submissions[0].exists():
        from grader.classroom import intake

        intake.refuse_a_class(submissions[0], labs.load(labs.find(lab)).slug)
    with phase("grade"):
        grade = grading.grade(labs.find(lab), submissions, lang=lang, host=host)
    if as_json:
        click.echo(grade.model_dump_json(by_alias=True, indent=2))
    else:
        terminal.print_grade(grade)
    return _exit_code(grade)


def _class(
    lab: Path,
    sources: tuple[Path, ...],
    into: Path,
    lang: Lang | None,
    as_json: bool,
    how: dict[str, Any],
) -> int:
    """Grade a class into a markbook, and print what came of it."""
    from datetime import UTC, datetime

    from grader.classroom import marking

    if len(sources) != 1:
        raise UsageError("--into takes one class", remedy="name one folder, or one ZIP")
    policy = _policy(how)
    cluster = elsewhere(how, how["jobs"])
    book = marking.mark(
        lab,
        sources[0],
        into,
        policy,
        jobs=how["jobs"],
        lang=lang,
        now=datetime.now(UTC),
        host=how["lab_host"],
        elsewhere=cluster(into) if cluster else None,
    )
    with phase("print"):
        return _status(_print(book, lang or "en", as_json))


def _policy(how: dict[str, Any]) -> Policy:
    """Return which attempt counts, and what lateness costs."""
    from grader.classroom.policy import Policy, parse_deadline, parse_late

    policy = Policy(
        attempts=how["attempts"],
        deadline=parse_deadline(how["deadline"]) if how["deadline"] else None,
        late=parse_late(how["late"]) if how["late"] else None,
    )
    if policy.late and policy.deadline is None:
        raise UsageError("--late without a deadline costs nothing", remedy="add --deadline DATE")
    return policy


def _print(book: Markbook, lang: Lang, as_json: bool) -> set[Outcome]:
    """Print the marks of a class, and return which outcomes they hold."""
    from collections import deque

    from grader.classroom import told
    from grader.classroom.markbook import GRADE_FILE

    seen: set[Outcome] = set()
    lines = told.lines(book, lang, seen)
    if not as_json:
        for line in lines:
            click.echo(line)
        return seen
    deque(lines, maxlen=0)
    with (book.folder / GRADE_FILE).open(encoding="utf-8") as marks:
        for line in marks:
            click.echo(line, nl=False)
    return seen


def _exit_code(grade: Grade) -> int:
    return _status({question.outcome for one in grade.submissions for question in one.questions})


def _status(outcomes: set[Outcome]) -> int:
    """Ours before theirs: a grade that holds an ERROR is not a grade to rely on."""
    if Outcome.ERROR in outcomes:
        return EXIT_INFRASTRUCTURE
    return EXIT_CHECKS_FAILED if outcomes & {Outcome.FAIL, Outcome.PARTIAL} else EXIT_DONE
