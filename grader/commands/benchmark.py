"""``tdlab benchmark NAME``: run a benchmark of tdlab itself.

A benchmark is a file ``benchmarks/NAME.py`` whose ``main()`` prints a table to stderr and one JSON document,
``tdlab.benchmark/1``, to stdout; one that takes options gets them as a list, and it may return a status. Its
figures are ratios measured in one run: a rate alone tells of a machine.
"""

from __future__ import annotations

import importlib.util
import inspect
from pathlib import Path

import click

from domains.errors import UsageError
from domains.paths import SHIPPED

FOLDER = SHIPPED / "benchmarks"


def names() -> list[str]:
    """Return the names of the benchmarks; none outside a checkout, since the wheel does not hold them."""
    return sorted(file.stem for file in FOLDER.glob("*.py") if not file.stem.startswith("_"))


@click.command("benchmark", context_settings={"ignore_unknown_options": True})
@click.argument("name", required=False)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def command(name: str | None, words: tuple[str, ...]) -> int | None:
    """Run the benchmark NAME with its own options, or list what there is."""
    known = names()
    if not known:
        raise UsageError(
            f"there are no benchmarks in {FOLDER}",
            remedy="run this from a checkout of tdlab: ./tdlab benchmark",
        )
    if name is None:
        click.echo("\n".join(known))
        return None
    if name not in known:
        from domains.document import nearest

        guess = nearest(name, known)
        raise UsageError(
            f"there is no benchmark {name!r}",
            remedy=f"did you mean {guess!r}?" if guess else f"known: {', '.join(known)}",
        )
    return _run(FOLDER / f"{name}.py", list(words))


def _run(file: Path, words: list[str]) -> int | None:
    spec = importlib.util.spec_from_file_location(f"benchmarks.{file.stem}", file)
    if spec is None or spec.loader is None:
        raise UsageError(f"{file} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    takes_words = bool(inspect.signature(module.main).parameters)
    if words and not takes_words:
        raise UsageError(f"the benchmark {file.stem} has no options", remedy=f"leave out {' '.join(words)}")
    status: int | None = module.main(words) if takes_words else module.main()
    return status
