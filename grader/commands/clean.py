"""``tdlab clean``: remove what killed runs left behind."""

from __future__ import annotations

import click


@click.command("clean")
def command() -> None:
    """Remove guests, networks and volumes whose tdlab process is gone, and nothing else."""
    from domains import daemon, hypervisor, ownership, store

    if said := daemon.ensure_running():
        click.echo(said, err=True)
    with hypervisor.connected() as connection:
        for leftover in ownership.sweep(connection, store.pool(connection)):
            click.echo(f"removed {leftover.kind} {leftover.name}")
