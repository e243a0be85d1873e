"""The lab hosts that this user has made: what is needed to reach each of them, one folder a host."""

from __future__ import annotations

import contextlib
import json
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from domains import files, locks, paths, process
from domains.emulated.plan import HostPlan, check_name
from domains.errors import UsageError
from domains.host import Host

_LOCK_SECONDS = 600


@dataclass(frozen=True)
class Record:
    """A host that was made: its plan, the QEMU it runs on, and the key of what it was made of."""

    plan: HostPlan
    emulator: str
    emulator_said: str
    key: str

    @property
    def name(self) -> str:
        """Return the name that users call it by."""
        return self.plan.name


def folder(name: str) -> Path:
    """Return the folder of a host, made if it is not there; only its user may look into it."""
    place = paths.state() / "hosts" / check_name(name)
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    return place


def lock(name: str) -> contextlib.AbstractContextManager[None]:
    """Return the lock that keeps two commands from changing one host at the same time."""
    return locks.held(folder(name) / ".lock", f"the emulated host {name}", _LOCK_SECONDS)


def write(record: Record) -> None:
    """Remember a host that is up."""
    text = json.dumps({"schema": "tdlab.emulated-host/1", **asdict(record)}, indent=1)
    files.write_whole(folder(record.name) / "host.json", text + "\n")


def read(name: str) -> Record | None:
    """Return what is remembered of a host, or None."""
    try:
        kept = json.loads((paths.state() / "hosts" / check_name(name) / "host.json").read_text())
    except FileNotFoundError:
        return None
    kept.pop("schema")
    return Record(plan=HostPlan(**kept.pop("plan")), **kept)


def require(name: str) -> Record:
    """Return what is remembered of a host; raise :class:`UsageError` for one that nobody made."""
    if found := read(name):
        return found
    known = ", ".join(record.name for record in all_hosts()) or "none yet"
    raise UsageError(
        f"there is no lab host called {name} (known: {known})",
        remedy=f"make it: tdlab host up --emulated {name}",
    )


def all_hosts() -> Iterator[Record]:
    """Yield what is remembered of every host, by name."""
    for place in sorted((paths.state() / "hosts").glob("*/host.json")):
        if record := read(place.parent.name):
            yield record


def forget(name: str) -> None:
    """Remove all that is remembered of a host."""
    shutil.rmtree(folder(name))


def as_host(record: Record) -> Host:
    """Return the host as the rest of tdlab knows it: over SSH, its libvirt through the same connection."""
    return host_of(record.plan)


def host_of(plan: HostPlan) -> Host:
    """Return the host that a plan is of, as the rest of tdlab knows it."""
    command = folder(plan.name) / "ssh"
    uri = f"qemu+ssh://root@{plan.name}/system?command={command}"
    return Host(plan.name, uri, _ssh_words(plan.name))


def ansible_connection(plan: HostPlan) -> dict[str, object]:
    """Return Ansible's variables that say how a host is reached: through the same SSH connection."""
    return {
        "ansible_host": plan.name,
        "ansible_user": "root",
        "ansible_ssh_args": f"-F {shlex.quote(str(folder(plan.name) / 'ssh_config'))}",
        "ansible_python_interpreter": "/usr/bin/python3",
    }


def close_ssh(name: str) -> None:
    """End the connection that commands to a host share; it would hold on to a host that is gone."""
    if (folder(name) / "ssh_config").exists():
        process.run(["ssh", "-O", "exit", *_ssh_words(name)[1:]], timeout=10, check=False)


def _ssh_words(name: str) -> tuple[str, ...]:
    return ("ssh", "-F", str(folder(name) / "ssh_config"), name)


def write_ssh(record_plan: HostPlan, host_key: str) -> None:
    """Write what SSH needs to know of a host, for us, for libvirt, and for the user: ``ssh -F FILE NAME``."""
    place = folder(record_plan.name)
    kind, key, *_ = host_key.split()
    (place / "known_hosts").write_text(f"{record_plan.name} {kind} {key}\n")
    # A socket's path is at most 107 bytes long, and a home can be long already.
    sockets = paths.runtime()
    lines = [
        f"Host {record_plan.name}",
        f"  HostName {record_plan.address}",
        f"  HostKeyAlias {record_plan.name}",
        "  User root",
        f'  IdentityFile "{place / "id_ed25519"}"',
        "  IdentitiesOnly yes",
        "  BatchMode yes",
        "  StrictHostKeyChecking yes",
        f'  UserKnownHostsFile "{place / "known_hosts"}"',
        "  GlobalKnownHostsFile none",
        "  LogLevel ERROR",
        "  ConnectTimeout 10",
        "  ServerAliveInterval 15",
        # The handshake takes a second on an emulated processor: one connection carries all commands.
        "  ControlMaster auto",
        f'  ControlPath "{sockets}/%C"',
        "  ControlPersist 60",
    ]
    (place / "ssh_config").write_text("\n".join(lines) + "\n")
    wrapper = place / "ssh"
    wrapper.write_text(f'#!/bin/sh\nexec ssh -F {shlex.quote(str(place / "ssh_config"))} "$@"\n')
    wrapper.chmod(0o700)
