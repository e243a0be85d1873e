"""``tdlab clean``: remove what killed runs left behind."""

from __future__ import annotations

import click


@click.command("clean")
@click.option(
    "--host", "name", default="localhost", metavar="NAME", help="One of `tdlab host list`, or USER@ADDRESS."
)
def command(name: str) -> None:
    """Remove what tdlab processes that are gone have left: guests, networks, volumes, devices, folders."""
    from domains import daemon, devices, hosts, hypervisor, ownership, scratch, store

    host = hosts.find(name)
    for folder in scratch.sweep() if host.ssh is None else ():
        click.echo(f"removed folder {folder}")
    if host.ssh is None and (said := daemon.ensure_running()):
        click.echo(said, err=True)
    with hypervisor.connected(host.uri) as connection:
        for leftover in ownership.sweep(connection, store.pool(connection)):
            click.echo(f"removed {leftover.kind} {leftover.name}")
    for leftover in devices.put_back(host):
        click.echo(f"put back: {leftover.name}")
