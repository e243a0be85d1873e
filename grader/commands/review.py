"""``tdlab review``: decide what only a teacher can decide."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from domains.errors import EXIT_DONE, EXIT_PARTLY_DONE, UsageError
from grader.language import LANGUAGES, Lang

if TYPE_CHECKING:
    from grader.desk.desk import Desk


@click.command("review")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--lang", type=click.Choice(LANGUAGES), default="en", help="The page's language.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The page's port (any free one).")
@click.option("--json", "as_json", is_flag=True, help="Print the queue (tdlab.review/1), and serve nothing.")
@click.option("--names", is_flag=True, help="With --json: name the students, too.")
@click.option(
    "--decide",
    "made",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Add decisions from a file (tdlab.decision/1 a line), and serve nothing.",
)
def command(folder: Path, lang: Lang, port: int, as_json: bool, names: bool, made: Path | None) -> int:
    """Decide what the checks left open in FOLDER, on a page that opens on this machine alone.

    Each decision is saved at once and holds for all who gave the same answer. Exit code 4 says that answers
    still wait.
    """
    from datetime import UTC, datetime

    from grader.classroom.markbook import open_markbook
    from grader.desk import batch
    from grader.desk.desk import Desk

    desk = Desk(open_markbook(folder), lambda: datetime.now(UTC))
    if made is not None:
        batch.decide(desk, made)
        desk.settle()
    if as_json:
        click.echo(batch.listed(desk, names=names))
        return EXIT_DONE
    if made is None:
        _serve(desk, lang, port)
        desk.settle()
    _tell(desk, lang)
    left = desk.progress()
    return EXIT_PARTLY_DONE if left.decided < left.answers else EXIT_DONE


def _serve(desk: Desk, lang: Lang, port: int) -> None:
    """Serve the page until Ctrl-C or a termination, which here is the ordinary end."""
    from grader.desk import words
    from grader.desk.server import Server
    from grader.running.interruption import patient

    try:
        opened = Server(desk, lang, port)
    except OSError as taken:
        why = f"port {port} cannot be had: {taken.strerror}"
        raise UsageError(why, remedy="leave --port out, and any free one is taken") from taken
    with opened as server, patient():
        click.echo(words.OPEN_HERE.say(lang, url=server.gate.url), err=True)
        click.echo(words.END_BY.say(lang), err=True)
        try:
            server.serve_forever(poll_interval=0.1)
        except KeyboardInterrupt:
            click.echo("", err=True)


def _tell(desk: Desk, lang: Lang) -> None:
    from grader.desk import words

    progress = desk.progress()
    said = words.ENDED.say(lang, decided=progress.decided, answers=progress.answers, file=desk.grade_file)
    click.echo(said)
