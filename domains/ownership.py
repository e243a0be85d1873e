"""Who made what: so that tdlab removes what a killed run left behind, and nothing else.

Every domain and network carries its owner in libvirt's ``<metadata>``, every volume in its name. An owner is
a process: its number, its start time and the boot it lived in. What belongs to a living process, or was made
from another machine, is left alone.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import secrets
import socket
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from domains.hypervisor import Hypervisor, Pool
from domains.render import OWNER_NAMESPACE, Owner

PREFIX = "tdlab-"
# Ends the name of the volume that says that another one is whole.
WHOLE = ".whole"
_VOLUME = re.compile(rf"{PREFIX}(?P<run>[a-z0-9]+)\.(?P<pid>\d+)\.(?P<started>\d+)\.(?P<machine>[0-9a-f]+)-")


@dataclass(frozen=True)
class Leftover:
    """Something on the host whose owner is gone."""

    kind: str
    name: str


def new_run_id() -> str:
    """Return a short name for a run, unlike any other."""
    return secrets.token_hex(4)


def this_process(run: str) -> Owner:
    """Return the owner that stands for this process."""
    pid = os.getpid()
    return Owner(run, pid, _started(pid) or 0, _boot(), _machine())


def is_alive(owner: Owner) -> bool:
    """Return whether the owner may still be at work; in doubt, and for another machine's, yes."""
    if owner.machine != _machine():
        return True
    return owner.boot == _boot() and _started(owner.pid) == owner.started


def volume_name(owner: Owner, rest: str) -> str:
    """Return the name of a volume of this owner, which :func:`sweep` can read again."""
    return f"{PREFIX}{owner.run}.{owner.pid}.{owner.started}.{owner.machine}-{rest}"


def volume_owner(name: str) -> Owner | None:
    """Return who made a volume, or None when its name is not one that tdlab gives."""
    match = _VOLUME.match(name)
    if not match:
        return None
    return Owner(match["run"], int(match["pid"]), int(match["started"]), _boot(), match["machine"])


def sweep(hypervisor: Hypervisor, pool: Pool) -> list[Leftover]:
    """Remove domains, networks and volumes whose owner is gone, and return what was removed."""
    removed = []
    machines = [(machine, owner_of(xml)) for machine, xml in hypervisor.machines()]
    # What belongs to a lab host that is up lives as long as the host does.
    kept = {owner.run for machine, owner in machines if owner and owner.kept}
    for machine, owner in machines:
        if machine.name.startswith(PREFIX) and _is_orphan(owner, kept):
            machine.destroy()
            removed.append(Leftover("guest", machine.name))
    for name, xml in hypervisor.networks().items():
        if name.startswith(PREFIX) and _is_orphan(owner_of(xml), kept):
            hypervisor.destroy_network(name)
            removed.append(Leftover("network", name))
    removed += _sweep_volumes(pool, kept)
    return removed


def owner_of(xml: str) -> Owner | None:
    """Return who made a domain or network, from its XML; None when it is not as tdlab writes it."""
    element = etree.fromstring(xml.encode()).find(f".//{{{OWNER_NAMESPACE}}}owner")
    if element is None:
        return None
    get = element.get
    pid, started = get("pid", ""), get("started", "")
    if not (pid.isdecimal() and started.isdecimal()):
        return None  # somebody else's, whatever its name
    machine, kept = get("machine", ""), get("kept", "")
    return Owner(get("run", ""), int(pid), int(started), get("boot", ""), machine, kept)


def _sweep_volumes(pool: Pool, kept: Set[str]) -> list[Leftover]:
    there = pool.volumes()
    removed = []
    for name in there:
        owner = volume_owner(name)
        # A whole image serves later runs too; what is half of one serves nobody.
        if owner is None or owner.run in kept or name.endswith(WHOLE) or name + WHOLE in there:
            continue
        if not is_alive(owner) and pool.delete(name):
            removed.append(Leftover("volume", name))
    return removed


def _is_orphan(owner: Owner | None, kept: Set[str]) -> bool:
    return owner is not None and owner.run not in kept and not is_alive(owner)


def _started(pid: int) -> int | None:
    """Return the start time of a process in clock ticks since boot (field 22 of /proc/PID/stat)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the program's name in parentheses and may hold spaces; count after its end.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] == "Z" else int(fields[19])


@functools.cache
def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


@functools.cache
def _machine() -> str:
    """Return a short name of this machine; of its machine-id only a hash leaves it, as systemd asks."""
    try:
        identity = Path("/etc/machine-id").read_text().strip()
    except FileNotFoundError:
        identity = ""
    return hashlib.sha256(f"tdlab {identity or socket.gethostname()}".encode()).hexdigest()[:12]
