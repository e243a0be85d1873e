"""``tdlab doctor``: what this host can do, row by row."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console, Group

    from domains.capabilities import Capabilities, Capability
    from domains.errors import TdlabError
    from domains.host import Host
    from domains.hypervisor import Hypervisor

SCHEMA = "tdlab.doctor/1"
_WORDS = {"yes": "yes", "no": "no", "unknown": "cannot tell"}
_STYLES = {"yes": "green", "no": "red", "unknown": "yellow"}


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help=f"Print {SCHEMA} to stdout.")
@click.option("--refresh", is_flag=True, help="Try again what was tried before and remembered.")
@click.option(
    "--host", "name", default="localhost", metavar="NAME", help="One of `tdlab host list`, or USER@ADDRESS."
)
def command(as_json: bool, refresh: bool, name: str) -> None:
    """Say what a host can do: each row with its evidence, and with cause and remedy where it cannot.

    KVM is believed only after a tiny guest has booted under it; the verdict is remembered until the kernel,
    QEMU, libvirt or the microcode change.
    """
    from domains import capabilities, hosts

    host = hosts.find(name)
    with contextlib.ExitStack() as stack:
        hypervisor, missing = _connect(stack, host)
        found = capabilities.probe(host, hypervisor, refresh=refresh, say=_say, no_libvirt=missing)
    if as_json:
        click.echo(json.dumps(contract(found), indent=1, ensure_ascii=False))
    else:
        from rich.console import Console

        show(found, Console(highlight=False))


def contract(found: Capabilities) -> dict[str, object]:
    """Return the capabilities as the machine-readable contract has them."""
    return {"schema": SCHEMA, "host": found.host, "capabilities": [row.as_dict() for row in found.rows]}


def show(found: Capabilities, console: Console) -> None:
    """Print the rows for people; the status is a word, so that no colour is needed to read it."""
    from rich.table import Table
    from rich.text import Text

    from domains.capabilities import choose

    chosen = choose(found["kvm"])
    console.print(Text(f"Guests on {found.host} run under {chosen.name.upper()}. {chosen.why}\n"))
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column()
    for row in found.rows:
        table.add_row(Text(_WORDS[row.status], _STYLES[row.status]), _told(row))
    console.print(table)


def _told(row: Capability) -> Group:
    """Return the id and the evidence and, indented under them, the cause and the remedy."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    first = Text.assemble((row.id, "bold"), f"  {row.evidence}")
    if row.status == "yes":
        return Group(first)
    below = Table.grid(padding=(0, 1))
    below.add_row("  cause:", Text(row.cause or ""))
    below.add_row("  remedy:", Text(row.remedy or ""))
    return Group(first, below)


def _connect(stack: contextlib.ExitStack, host: Host) -> tuple[Hypervisor | None, TdlabError | None]:
    """Return a connection to libvirt, or the reason why there is none: that is a row, not an error."""
    from domains import daemon, hypervisor
    from domains.errors import TdlabError

    try:
        if host.ssh is None and (said := daemon.ensure_running()):
            _say(said)
        return stack.enter_context(hypervisor.connected(host.uri)), None
    except TdlabError as missing:
        return None, missing


def _say(text: str) -> None:
    click.echo(text, err=True)
