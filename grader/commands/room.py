"""``tdlab room``: the machines of a room, and how far each student is."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from grader.commands import deploy
from grader.language import Lang


@click.command("room")
@click.argument("lab")
@click.option("--watch", is_flag=True, help="Look again and again, until Ctrl-C.")
@click.option("--every", type=click.IntRange(5), default=30, help="Seconds between two looks (30).")
@click.option(
    "--html", type=click.Path(path_type=Path), metavar="FILE", help="Write a page that reloads itself."
)
@deploy.with_room_options
def command(
    lab: str,
    file: Path,
    vault: Path | None,
    limit: str | None,
    forks: int,
    as_json: bool,
    lang: Lang,
    watch: bool,
    every: int,
    html: Path | None,
) -> int:
    """Look at the machines of an inventory: what each has of LAB, and how far each student is."""
    from domains.errors import EXIT_DONE, EXIT_INTERRUPTED, EXIT_PARTLY_DONE
    from grader.fleet import causes, page, running

    made = deploy.planned(lab, file, vault, limit)
    while True:
        board, _log = running.run(made, "status.yml", forks=forks)
        if any(row.cause and row.cause.kind is causes.INTERRUPTED for row in board.rows.values()):
            return EXIT_INTERRUPTED
        if html:
            page.write(html, board, made, every if watch else None, lang)
        if as_json:
            click.echo(json.dumps(page.document(board, made), ensure_ascii=False))
        else:
            if watch and sys.stdout.isatty():
                click.clear()
            click.echo("\n".join(page.lines(board, made, lang)))
        if not watch:
            return EXIT_PARTLY_DONE if any(row.cause for row in board.rows.values()) else EXIT_DONE
        _rest(every)


def _rest(seconds: int) -> None:
    import time

    from domains import wait

    end = time.monotonic() + seconds
    wait.until(lambda: time.monotonic() >= end, waiting_for="the next look", deadline=seconds + 1)
