"""``tdlab sheet``: the sheet of a lab, in the terminal or as a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.language import LANGUAGES, Lang

if TYPE_CHECKING:
    from grader.lab.lab import Lab


@click.command("sheet")
@click.argument("lab", required=False)
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language of the sheet.")
@click.option("--html", "page", metavar="FILE", help="Write one self-contained page ('-': to stdout).")
@click.option("--student", metavar="NAME", help="With the letters of this student's variant.")
@click.option("--width", type=click.IntRange(20, 400), help="Columns, instead of the terminal's.")
def command(
    lab: str | None, lang: Lang | None, page: str | None, student: str | None, width: int | None
) -> None:
    """Show the sheet of LAB; inside a workspace, of its lab and with the student's own letters."""
    from grader.sheet import source

    mine, own, whose = _reader(lab, lang, student)
    pieces = source.read(mine, own)
    if page is not None:
        from domains import files
        from grader.sheet.page import html_text

        text = html_text(pieces, mine, own, whose=whose)
        if page == "-":
            click.echo(text, nl=False)
        else:
            files.write_whole(Path(page), text)
            click.echo(f"page: {page}", err=True)
        return
    from rich.console import Console

    from grader.sheet.terminal import print_sheet

    print_sheet(
        pieces, mine, own, own=whose is not None, console=Console(highlight=False, width=_width(width))
    )


def _width(asked: int | None) -> int | None:
    """Return the columns to write in: long lines are hard to read, however wide the terminal is."""
    import shutil

    return asked or min(100, shutil.get_terminal_size().columns)


def _reader(name: str | None, lang: Lang | None, student: str | None) -> tuple[Lab, Lang, str | None]:
    """Return the lab as its reader sees it, the language, and whose letters they are (None: the author's)."""
    from domains.errors import UsageError
    from grader.lab import lab as labs
    from grader.lab import variants
    from grader.workspace import workspace as workspaces

    try:
        place = workspaces.find(Path())
    except UsageError:
        if name is None:
            raise
        place = None
    written = place.written if place and name is None else labs.load(labs.find(name or ""))
    mine = place if place and place.written.slug == written.slug else None
    whose = student or (mine.identity.student if mine else None)
    own: Lang = lang or (mine.identity.lang if mine else "en")
    return variants.drawn(written, whose), own, whose
