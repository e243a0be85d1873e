"""What `grade` and `regrade` take to have a class graded by Dask's workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from domains.errors import UsageError

if TYPE_CHECKING:
    from grader.classroom.marking import Elsewhere

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_OPTIONS = (
    click.option(
        "--cluster", metavar="ADDRESS", help="By Dask's workers: local, local:N, or tls://HOST:PORT."
    ),
    click.option("--cluster-ca", type=_FILE, metavar="FILE", help="Who signs its certificates (PEM)."),
    click.option("--cluster-cert", type=_FILE, metavar="FILE", help="This side's certificate (PEM)."),
    click.option("--cluster-key", type=_FILE, metavar="FILE", help="Its key (PEM)."),
)
Command = TypeVar("Command", bound=Callable[..., object])


def with_cluster_options(command: Command) -> Command:
    """Give a command the options that name a cluster."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def elsewhere(how: Mapping[str, Any], jobs: int) -> Callable[[Path], Elsewhere] | None:
    """Return what grades the class of a markbook (its folder) on the cluster asked for, or None.

    Raises UsageError where options do not go together.
    """
    from grader.cluster import session
    from grader.cluster.address import Certificates, parse

    certificates = Certificates(how["cluster_ca"], how["cluster_cert"], how["cluster_key"])
    if how["cluster"] is None:
        if certificates:
            raise UsageError("certificates of no cluster", remedy="add --cluster tls://HOST:PORT")
        return None
    where = parse(how["cluster"], certificates)
    if jobs:
        raise UsageError("--jobs counts workers of this machine", remedy=f"write --cluster local:{jobs}")
    say = partial(click.echo, err=True)
    return lambda folder: partial(session.class_graded, where=where, folder=folder, say=say)
