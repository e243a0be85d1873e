"""Which host an experiment runs on, and what emulates that host."""

from __future__ import annotations

from domains import hosts, process
from domains.emulated import registry
from domains.host import Host


def resolve(name: str) -> tuple[Host, str | None]:
    """Return a host by name and, for an emulated one of ours, its emulator's name.

    Raises :class:`domains.errors.UsageError` for a name that stands for no host.
    """
    host = hosts.find(name)
    if not hosts.is_emulated(host):
        return host, None
    emulator = registry.require(name).emulator
    said = process.run([emulator, "--version"], timeout=20, check=False).stdout.splitlines()
    version = (
        said[0].removeprefix("QEMU emulator version ").partition(" ")[0] if said else "of unknown version"
    )
    return host, f"QEMU {version}, TCG"
