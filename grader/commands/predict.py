"""``tdlab predict``: commit a prediction before measuring."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from grader.lab.lab import Lab
    from grader.workspace.workspace import Workspace


@click.command("predict", context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, required=True, metavar="[LAB] QUESTION PREDICTION...")
@click.option(
    "--workspace",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Folder of your answers (by default this one).",
)
def command(words: tuple[str, ...], workspace: Path) -> None:
    """Commit PREDICTION (a number, or items in order) for QUESTION; do it before you measure.

    LAB may be left out inside a workspace.
    """
    from datetime import UTC, datetime

    from grader.language import i18n
    from grader.submission import predictions
    from grader.workspace import sayings
    from grader.workspace import workspace as workspaces

    lab, place, rest = _asked(words, workspace)
    if len(rest) < 2:
        raise click.UsageError("name a question and what you predict: tdlab predict QUESTION PREDICTION")
    question, *given = rest
    value = given[0] if len(given) == 1 else given
    lang = place.identity.lang if place else "en"
    if place:
        workspaces.require_open(place)
        _refuse_given_up(place, question)
    folder = place.folder if place else workspace
    done = predictions.commit(lab, question, value, folder, datetime.now(UTC))
    when = i18n.moment(done.time.isoformat(timespec="seconds"), lang)
    said = f"[{', '.join(given)}]" if len(given) > 1 else given[0]
    click.echo(sayings.COMMITTED.say(lang, time=when, value=said))


def _asked(words: tuple[str, ...], folder: Path) -> tuple[Lab, Workspace | None, tuple[str, ...]]:
    """Return the lab, the workspace that the folder is in, and the words after the lab's name."""
    from grader.lab import lab as labs
    from grader.workspace import workspace as workspaces

    place = workspaces.around(folder)
    if place and place.lab.question(words[0]):
        return place.lab, place, words
    if place and not labs.find(words[0]).is_dir():
        return place.lab, place, words
    lab = labs.load(labs.find(words[0]))
    if place and place.written.folder == lab.folder:
        return place.lab, place, words[1:]
    return lab, None, words[1:]


def _refuse_given_up(place: Workspace, question: str) -> None:
    from domains.errors import UsageError
    from grader.submission import history
    from grader.workspace import sayings

    if question in {one.about for one in history.events(place.folder, "unpredicted")}:
        raise UsageError(sayings.GIVEN_UP.say(place.identity.lang, question=question))
