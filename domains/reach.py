"""A host that an inventory names: how SSH reaches it, for our own commands and for libvirt's connection."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from domains import files, hosts, paths
from domains.errors import UsageError
from domains.host import Host

_OPTIONS = (
    "BatchMode=yes",
    "ConnectTimeout=10",
    "LogLevel=ERROR",
    "ServerAliveInterval=15",
    "ServerAliveCountMax=3",
    # As when deploying: a key that is not known is remembered, one that has changed is refused.
    "StrictHostKeyChecking=accept-new",
    "UpdateHostKeys=no",
    "ForwardAgent=no",
    # A connection carries all that is done on a host: measuring starts dozens of programs there.
    "ControlMaster=auto",
    "ControlPersist=60",
)


# In the order in which Ansible gives them to ssh.
_ARGUMENTS = ("ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args")
_KEYS = ("ansible_ssh_private_key_file", "ansible_private_key_file")
_BY_SSH = frozenset({"ssh", "smart", "paramiko", "paramiko_ssh"})
_ADDRESS = re.compile(r"[A-Za-z0-9:][A-Za-z0-9._:%-]{0,252}")
_USER = re.compile(r"([A-Za-z0-9_][A-Za-z0-9_.@-]{0,63})?")


@dataclass(frozen=True)
class Way:
    """How a host is reached: this machine itself, one of ours by its ``alias``, or by SSH."""

    address: str = ""
    user: str = ""
    port: int = 22
    key: str = ""
    options: tuple[str, ...] = ()
    alias: str = ""

    @property
    def is_near(self) -> bool:
        """Return whether guests there work on this machine's processors."""
        return bool(self.alias)

    @property
    def name(self) -> str:
        """Return the host's name as other commands take it."""
        if self.alias:
            return self.alias
        return hosts.called(
            self.user or getpass.getuser(), self.address, None if self.port == 22 else self.port
        )


def way(name: str, variables: Mapping[str, Any]) -> Way:
    """Return how Ansible's variables say that a host is reached; one of `tdlab host list` by its name alone.

    Raises :class:`UsageError` for what cannot be followed here.
    """
    if variables.get("ansible_connection") == "local" or name == hosts.LOCALHOST:
        return Way(alias=hosts.LOCALHOST)
    if variables.get("ansible_host", name) == name and name in hosts.ansible_connections():
        return Way(alias=name)
    _refuse_templates(name, variables)
    words = [word for key in _ARGUMENTS for word in _words(name, key, variables)]
    address = str(variables.get("ansible_host") or variables.get("ansible_ssh_host") or name)
    user = str(variables.get("ansible_user") or variables.get("ansible_ssh_user") or "")
    port = variables.get("ansible_port") or variables.get("ansible_ssh_port") or 22
    by = str(variables.get("ansible_connection") or "ssh").removeprefix("ansible.builtin.")
    if by not in _BY_SSH or not (_ADDRESS.fullmatch(address) and _USER.fullmatch(user)) or not _is_port(port):
        raise UsageError(
            f"{name} cannot be measured: {by} to {user}@{address}, port {port}, is no way for SSH",
            remedy="write ansible_host, ansible_user and ansible_port as they are, without templates",
        )
    key = next((str(variables[one]) for one in _KEYS if variables.get(one)), "")
    where = str(Path(key).expanduser().absolute()) if key else ""
    return Way(address, user, int(port), where, tuple(words))


def _refuse_templates(name: str, variables: Mapping[str, Any]) -> None:
    """Refuse what only Ansible could fill in: SSH would take it as it is written."""
    for one in (*_ARGUMENTS, *_KEYS):
        if "{{" in str(variables.get(one, "")):
            raise UsageError(
                f"{name} cannot be measured: {one} of {name} is a template",
                remedy="write out what it stands for",
            )


def _words(name: str, variable: str, variables: Mapping[str, Any]) -> list[str]:
    """Return the arguments for SSH that a variable holds."""
    said = str(variables.get(variable) or "")
    try:
        return shlex.split(said)
    except ValueError as why:
        raise UsageError(
            f"{name} cannot be measured: {variable} of {name} cannot be read: {why}",
            remedy=f"mend its quotes: {said}",
        ) from why


def host(at: Way, known_hosts: Path) -> Host:
    """Return the host at the end of a way; keys that SSH sees first are remembered in ``known_hosts``."""
    if at.alias:
        return hosts.find(at.alias)
    program = _program(at, known_hosts)
    address = f"[{at.address}]" if ":" in at.address else at.address
    uri = f"qemu+ssh://{address}/system?command={quote(str(program))}&no_tty=1"
    return Host(at.name, uri, (str(program), at.address))


def _program(at: Way, known_hosts: Path) -> Path:
    """Return an ssh that knows the way: libvirt takes the name of a program, and no options."""
    words = ["ssh", "-T"]
    # The first that is said of an option counts: what the inventory says goes before ours.
    words += at.options
    known = f'UserKnownHostsFile="{known_hosts}" ~/.ssh/known_hosts'
    for option in (*_OPTIONS, known, f"ControlPath={paths.runtime()}/%C"):
        words += ["-o", option]
    words += ["-l", at.user] if at.user else []
    words += ["-p", str(at.port)] if at.port != 22 else []
    words += ["-i", at.key] if at.key else []
    folder = paths.state() / "reach"
    folder.mkdir(mode=0o700, exist_ok=True)
    named = hashlib.sha256(json.dumps([asdict(at), str(known_hosts)]).encode()).hexdigest()[:16]
    program = folder / f"ssh-{named}"
    if os.access(program, os.X_OK):
        return program
    files.write_whole(program, f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    program.chmod(0o700)
    return program


def _is_port(port: object) -> bool:
    return str(port).isdecimal() and 0 < int(str(port)) < 65536
