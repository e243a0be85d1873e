"""``tdlab clean``: remove what killed runs left behind."""

from __future__ import annotations

import click


@click.command("clean")
def command() -> None:
    """Remove what tdlab processes that are gone have left: guests, networks, volumes, changed devices."""
    from domains import daemon, devices, hypervisor, ownership, store
    from domains.host import Host

    if said := daemon.ensure_running():
        click.echo(said, err=True)
    with hypervisor.connected() as connection:
        for leftover in ownership.sweep(connection, store.pool(connection)):
            click.echo(f"removed {leftover.kind} {leftover.name}")
    for leftover in devices.put_back(Host()):
        click.echo(f"put back: {leftover.name}")
