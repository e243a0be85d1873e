"""Which host an experiment runs on, and what emulates that host."""

from __future__ import annotations

from domains import hosts
from domains.host import Host


def resolve(name: str) -> tuple[Host, str | None]:
    """Return a host by name and, for an emulated one of ours, its emulator's name.

    Raises :class:`domains.errors.UsageError` for a name that stands for no host.
    """
    host = hosts.find(name)
    return host, hosts.emulator(host)
