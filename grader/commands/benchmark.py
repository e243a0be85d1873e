"""``tdlab benchmark NAME``: run a benchmark of tdlab itself.

A benchmark is a file ``benchmarks/NAME.py`` whose ``main()`` prints a table to stderr and one JSON document,
``tdlab.benchmark/1``, to stdout. Its figures are ratios measured in one run: a rate alone tells of a machine.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import click

from domains.errors import UsageError
from domains.paths import SHIPPED

FOLDER = SHIPPED / "benchmarks"


def names() -> list[str]:
    """Return the names of the benchmarks; none outside a checkout, since the wheel does not hold them."""
    return sorted(file.stem for file in FOLDER.glob("*.py") if not file.stem.startswith("_"))


@click.command("benchmark")
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """Run the benchmark NAME, or list what there is."""
    known = names()
    if not known:
        raise UsageError(
            f"there are no benchmarks in {FOLDER}",
            remedy="run this from a checkout of tdlab: ./tdlab benchmark",
        )
    if name is None:
        click.echo("\n".join(known))
        return
    if name not in known:
        from domains.document import nearest

        guess = nearest(name, known)
        raise UsageError(
            f"there is no benchmark {name!r}",
            remedy=f"did you mean {guess!r}?" if guess else f"known: {', '.join(known)}",
        )
    _run(FOLDER / f"{name}.py")


def _run(file: Path) -> None:
    spec = importlib.util.spec_from_file_location(f"benchmarks.{file.stem}", file)
    if spec is None or spec.loader is None:
        raise UsageError(f"{file} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main()
