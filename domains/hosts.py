"""A lab host by its name: this machine, an emulated one that is up, or any that SSH reaches."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from domains import capabilities, images, process, store
from domains.emulated import registry, revival
from domains.errors import TdlabError, UsageError
from domains.host import Host
from domains.hypervisor import connected
from domains.qemu import build

LOCALHOST = "localhost"
_ADDRESS = re.compile(
    r"(?P<user>[a-z_][a-z0-9_.-]*)@"
    r"(?:(?P<address>[A-Za-z0-9][A-Za-z0-9.-]*|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)"
    r"|\[(?P<bracketed>[0-9A-Fa-f:.]+)\])"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?"
)
# An emulated host that stops more often than this while one thing is measured is not to be relied on.
_ENDS = 3
_VERSION = re.compile(r"QEMU emulator version (\S+)")
# Nobody is there to answer a question; a host key that is not known is refused, as ssh itself would ask.
_SSH = ("ssh", "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "LogLevel=ERROR")


def find(name: str) -> Host:
    """Return the host of a name: ``localhost``, one of `tdlab host list`, or ``USER@ADDRESS[:PORT]``.

    Raises :class:`UsageError` for a name that stands for none.
    """
    if name == LOCALHOST:
        return Host()
    if match := _ADDRESS.fullmatch(name):
        address, port = match["address"] or match["bracketed"], match["port"]
        return Host(
            name,
            f"qemu+ssh://{called(match['user'], address, port, in_uri=True)}/system?no_tty=1",
            (*_SSH, *([f"-p{port}"] if port else []), f"{match['user']}@{address}"),
        )
    if record := registry.read(name):
        return registry.as_host(record)
    known = ", ".join([LOCALHOST, *(record.name for record in registry.all_hosts())])
    raise UsageError(
        f"there is no lab host called {name} (known: {known})",
        remedy=f"make it: tdlab host up --emulated {name}   or name a real one: USER@ADDRESS",
    )


def called(user: str, address: str, port: str | int | None, *, in_uri: bool = False) -> str:
    """Return the name of a host that SSH reaches; an IPv6 address stands in brackets before a port."""
    if ":" in address and (port or in_uri):
        address = f"[{address}]"
    return f"{user}@{address}:{port}" if port else f"{user}@{address}"


def ansible_connection(name: str) -> dict[str, object] | None:
    """Return Ansible's variables that say how a host is reached; None for this machine."""
    if name == LOCALHOST:
        return None
    if match := _ADDRESS.fullmatch(name):
        reached: dict[str, object] = {
            "ansible_host": match["address"] or match["bracketed"],
            "ansible_user": match["user"],
            "ansible_become": match["user"] != "root",
        }
        return reached | ({"ansible_port": int(match["port"])} if match["port"] else {})
    return registry.ansible_connection(registry.require(name).plan)


def ansible_connections() -> dict[str, dict[str, object]]:
    """Return, for each emulated host of `tdlab host list`, Ansible's variables that say how it is reached."""
    return {one.name: registry.ansible_connection(one.plan) for one in registry.all_hosts()}


def is_emulated(host: Host) -> bool:
    """Return whether a host is an emulated one of ours: nobody else uses its modules and devices."""
    return host.name != LOCALHOST and "@" not in host.name and registry.read(host.name) is not None


def emulator(host: Host) -> str | None:
    """Return what emulates a host of ours, with its version ("QEMU 10.0.13, TCG"); None for any other."""
    if not is_emulated(host):
        return None
    said = process.run([registry.require(host.name).emulator, "--version"], timeout=20, check=False)
    found = _VERSION.search(said.stdout)
    return f"QEMU {found[1] if found else 'of unknown version'}, TCG"


def bears_guests_at_once(host: Host) -> bool:
    """Return whether two guests may run on a host at once.

    Real hosts bear it. Of emulated ones, those on our own QEMU do; others stop now and then (patch 0002 of
    ``domains/qemu/patches`` says why).
    """
    return not is_emulated(host) or Path(registry.require(host.name).emulator) == build.built()


def furnish(host: Host, say: Callable[[str], None]) -> None:
    """Give a host the guest image, and try what it can do: what is restored later has both then."""
    with connected(host.uri) as hypervisor:
        store.keep(hypervisor, images.build(say))
        capabilities.probe(host, hypervisor, refresh=True, say=say)


def revive(host: Host, say: Callable[[str], None]) -> bool:
    """Have an emulated host up again that stopped by itself; return whether it had."""
    return is_emulated(host) and revival.revive(host.name, say, furnish)


def through_its_ends(host: Host, work: Callable[[], None], say: Callable[[str], None]) -> None:
    """Do work on a host; an emulated one that stops by itself meanwhile is restored, and the work goes on.

    ``work`` goes on from where it was when it is called again. Raises what it raised when the host is up, or
    has stopped too often.
    """
    for left in reversed(range(_ENDS + 1)):
        broken: TdlabError | None = None
        try:
            work()
        except TdlabError as why:
            broken = why
        if not (left and revive(host, say)):
            if broken:
                raise broken
            return
