"""``tdlab predict``: commit a prediction before measuring."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("predict", context_settings={"ignore_unknown_options": True})
@click.argument("lab")
@click.argument("question")
@click.argument("prediction", nargs=-1, required=True)
@click.option(
    "--workspace",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Folder of your answers (by default this one).",
)
def command(lab: str, question: str, prediction: tuple[str, ...], workspace: Path) -> None:
    """Commit PREDICTION (a number, or items in order) for QUESTION of LAB; do it before you measure."""
    from datetime import UTC, datetime

    from grader.lab import lab as labs
    from grader.submission import predictions

    value = prediction[0] if len(prediction) == 1 else list(prediction)
    done = predictions.commit(labs.load(labs.find(lab)), question, value, workspace, datetime.now(UTC))
    said = " ".join(prediction)
    click.echo(f"committed at {done.time:%Y-%m-%d %H:%M:%S} UTC; write the same into answers.yaml: {said}")
