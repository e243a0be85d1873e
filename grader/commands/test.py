"""``tdlab test``: run tdlab's own tests."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click


@click.command("test", context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> int:
    """Run tdlab's own tests, those with real guests too; ARGUMENTS after ``--`` go to pytest."""
    from domains import process
    from domains.errors import UsageError
    from domains.paths import SHIPPED, cache
    from domains.setup import bootstrap, browser, environments

    if not (SHIPPED / "tests").is_dir():
        raise UsageError(
            "the tests are not part of an installed tdlab",
            remedy="run ./tdlab test in a checkout of the sources",
        )
    bootstrap.ensure_dev()
    # Pages are tested in a real browser. The unit tests need none; an environment of others' making stays.
    if environments.is_ours(Path(sys.prefix)) and not any("tests/unit" in word for word in arguments):
        browser.ensure(cache() / "logs")
    # Output passes through line by line, so that whoever watches sees where it is.
    os.chdir(SHIPPED)
    return process.passthrough([sys.executable, "-m", "pytest", *arguments], env={"PYTHONUNBUFFERED": "1"})
