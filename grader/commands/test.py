"""``tdlab test``: run tdlab's own tests."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click


@click.command("test", context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> int:
    """Run tdlab's own tests, those with real guests too; ARGUMENTS after ``--`` go to pytest.

    Without any, the unit tests run on all cores, and then those with real guests, one after the other.
    """
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
    cores = len(os.sched_getaffinity(0))
    everything = [(f"--numprocesses={cores}", "tests/unit"), ("tests/integration",)]
    sessions = [arguments] if arguments else everything
    # What the second session finds is of use also where the first one fails.
    found = [
        process.passthrough([sys.executable, "-m", "pytest", *words], env={"PYTHONUNBUFFERED": "1"})
        for words in sessions
    ]
    return next(filter(None, found), 0)
