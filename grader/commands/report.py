"""``tdlab report``: what a teacher wants to know of a whole class."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from domains.errors import EXIT_DONE, UsageError
from domains.phases import phase
from grader.commands.timings import with_timings
from grader.language import LANGUAGES, Lang

if TYPE_CHECKING:
    from datetime import datetime

    from grader.classroom.markbook import Markbook
    from grader.report.classroom.glimpse import Glimpse

_MAX_IDENTITY = 4 * 1024


@click.command("report")
@click.argument("markbook", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="The page, instead of MARKBOOK/class.html.")
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language, instead of most students'.")
@click.option("--anonymous", is_flag=True, help="Numbers in place of names, and nobody's answers.")
@click.option("--json", "as_json", is_flag=True, help="Print it (tdlab.class/1) to stdout; write no page.")
@with_timings
def command(markbook: Path, out: Path | None, lang: Lang | None, anonymous: bool, as_json: bool) -> int:
    """Report on the class of MARKBOOK: marks, questions, wrong ideas, signals, and what is open.

    The page is made anew each time; it changes nothing in the markbook.
    """
    import json
    from datetime import UTC, datetime

    from domains.files import write_whole
    from grader.classroom.markbook import open_markbook
    from grader.report.classroom import document, overview

    book = open_markbook(markbook)
    with phase("look at the submissions"):
        glimpses = list(_glimpses(book))
    chosen = {one.key: one.chosen() for one in book.roster.students}
    unreadable = {key: one.problem for key, one in chosen.items() if one and one.problem}
    with phase("compare them"):
        seen = overview.of(book.lab, book.grade(), glimpses, unreadable=unreadable, anonymous=anonymous)
    own: Lang = lang or overview.language(glimpses)
    if as_json:
        click.echo(json.dumps(document.of(seen, own), ensure_ascii=False, indent=1))
        return EXIT_DONE
    from grader.report.classroom import words
    from grader.report.classroom.page import html_text
    from grader.report.classroom.terminal import print_overview

    print_overview(seen, own, str(markbook))
    page = out or markbook / "class.html"
    if page.is_dir():
        raise UsageError(f"{page} is a folder", remedy="name a file with --out")
    with phase("write the page"):
        write_whole(page, html_text(seen, own, datetime.now(UTC)))
    click.echo(words.PAGE.say(own, file=page))
    return EXIT_DONE


def _glimpses(book: Markbook) -> Iterator[Glimpse]:
    from dataclasses import replace

    from grader.report.classroom import glimpse

    for student in book.roster.students:
        chosen = student.chosen()
        if chosen and chosen.kept and chosen.problem is None:
            seen = glimpse.take(student.key, student.name, book.submission(student.key))
            began = _began(book.folder / chosen.kept)
            yield replace(seen, handed_in=chosen.time, began=began, sha256=chosen.sha256)


def _began(place: Path) -> datetime | None:
    """Return when the workspace of a submission was made; None where it does not say."""
    from grader.submission import identity
    from grader.submission.identity import WORKSPACE_FILE
    from grader.submission.sources import open_source

    raw, _ = open_source(place, {WORKSPACE_FILE: _MAX_IDENTITY}).read(WORKSPACE_FILE, _MAX_IDENTITY)
    try:
        return identity.parse(raw).started if raw else None
    except UsageError:
        return None
