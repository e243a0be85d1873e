"""``tdlab clean``: remove what killed runs left behind."""

from __future__ import annotations

import click


@click.command("clean")
@click.option(
    "--host", "name", default="localhost", metavar="NAME", help="One of `tdlab host list`, or USER@ADDRESS."
)
def command(name: str) -> None:
    """Remove what tdlab processes that are gone have left: guests, networks, volumes, changed devices."""
    from domains import daemon, devices, hosts, hypervisor, ownership, store

    host = hosts.find(name)
    if host.ssh is None and (said := daemon.ensure_running()):
        click.echo(said, err=True)
    with hypervisor.connected(host.uri) as connection:
        for leftover in ownership.sweep(connection, store.pool(connection)):
            click.echo(f"removed {leftover.kind} {leftover.name}")
    for leftover in devices.put_back(host):
        click.echo(f"put back: {leftover.name}")
