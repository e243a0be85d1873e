"""Run a playbook on many hosts at once, each of which may be off, slow, broken or hostile."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from domains import process, provision
from domains.paths import PLAYBOOKS

_INVENTORY_SECONDS = 120
# What a machine may print for one task; our modules say far less, and Ansible is slow to take in more.
MOST_OUTPUT = 2**17
# How our ssh ends when it has cut what a machine printed.
CUT = 141


def listed(inventory: Path, *, vault: Path | None = None, only: str) -> tuple[dict[str, Any] | None, str]:
    """Have Ansible read an inventory of its own; return what ``--list`` says, or None and the complaint.

    ``only`` names its plugins, ``yaml`` and ``ini`` and no other: an inventory that is a program is not run.
    ``vault`` is the file with the password of what is encrypted in it.
    """
    program = Path(sys.executable).parent / "ansible-inventory"
    words: list[str | Path] = [program, "--inventory", inventory.resolve(), "--list"]
    env = {
        "ANSIBLE_INVENTORY_ENABLED": only,
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1",
        "LC_ALL": "C.UTF-8",
        **vault_settings(vault),
    }
    with provision.secluded():
        done = process.run(words, timeout=_INVENTORY_SECONDS, check=False, env=env)
    if done.status != 0:
        return None, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said, done.stderr


def vault_settings(vault: Path | None) -> dict[str, str]:
    """Return Ansible's setting for the file with the password of what is encrypted, if there is one."""
    return {"ANSIBLE_VAULT_PASSWORD_FILE": str(vault.resolve())} if vault else {}


def play(
    playbook: str,
    inventories: Sequence[Path],
    *,
    forks: int,
    known_hosts: Path,
    on_event: Callable[[dict[str, Any]], None],
    is_cancelled: Callable[[], bool] = lambda: False,
    check: bool = False,
    vault: Path | None = None,
    most_output: int = MOST_OUTPUT,
    timeout: float = 7200,
) -> str:
    """Run a playbook of ``playbooks/`` on many hosts, and give each event to ``on_event`` as it comes.

    Returns "successful", "failed", "canceled" or "timeout". A host whose key is not known is remembered in
    ``known_hosts``; one whose key has changed is refused. A task on a host that prints, or sends a file of,
    more than ``most_output`` bytes fails. Raises what :func:`provision.run_playbook` raises.
    """

    def handle(event: dict[str, Any]) -> bool:
        on_event(event)
        return False  # nothing of it is written to the disk

    asked = {
        "inventory": [str(file.resolve()) for file in inventories],
        "forks": forks,
        "event_handler": handle,
        "cancel_callback": is_cancelled,
    }
    with provision.secluded() as private:
        control = private / "cp"
        control.mkdir()
        os.environ |= settings(control, known_hosts) | vault_settings(vault)
        os.environ |= bounds(most_output)
        os.environ["ANSIBLE_SFTP_EXECUTABLE"] = str(_capped_sftp(private, most_output))
        try:
            status, _ = provision.run_playbook(private, playbook, check=check, timeout=timeout, **asked)
        finally:
            close(control)
    return status


def bounds(most_output: int) -> dict[str, str]:
    """Return the settings for Ansible to take in so much of what a machine prints and no more."""
    # A script around each ssh would do it too, with Ansible's own plugin: three processes more for each.
    return {
        "ANSIBLE_CONNECTION_PLUGINS": str(PLAYBOOKS / "connections"),
        "TDLAB_MOST_OUTPUT": str(most_output),
    }


def _capped_sftp(folder: Path, most: int) -> Path:
    """Return an sftp that writes so much of what a machine sends to a file here and no more."""
    script = folder / "capped-sftp"
    # 128 and SIGXFSZ; the words are those by which grader.fleet.causes knows it.
    script.write_text(
        f'#!/bin/bash\nulimit -f {most // 1024}\nsftp "$@"\nended=$?\n'
        '[ $ended != 153 ] || echo "what is sent: output is capped" >&2\nexit $ended\n'
    )
    script.chmod(0o700)
    return script


def close(control: Path) -> None:
    """End the connections that Ansible kept open for the next task: nobody else could use them.

    They are told from others by their sockets' folder. To ask them to end (``ssh -O exit``) takes as long as
    a machine hangs.
    """
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if str(control).encode() in place.read_bytes() and place.parent.name != str(os.getpid()):
                os.kill(int(place.parent.name), signal.SIGTERM)


def settings(control: Path, known_hosts: Path) -> dict[str, str]:
    """Return Ansible's settings for student machines; ``control`` is a folder for ssh's sockets."""
    return {
        "ANSIBLE_SSH_ARGS": _ssh_args(known_hosts, control),
        "ANSIBLE_TIMEOUT": "10",
        "ANSIBLE_TASK_TIMEOUT": "1200",
        # To ask each host where its Python is costs a round trip; an inventory that says it is believed.
        "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
        "ANSIBLE_INVENTORY_ENABLED": "yaml,ini",
        # There already, so that nothing of Ansible's stays in a student's home.
        "ANSIBLE_REMOTE_TMP": "/tmp",  # noqa: S108 (Ansible makes a folder of its own in it)
    }


def _ssh_args(known_hosts: Path, control: Path) -> str:
    """Return how ssh is to reach them: bounded waits, no agent, connections kept and shared."""
    options = {
        "ControlMaster": "auto",
        "ControlPersist": "60",
        "ControlPath": f"{control}/%C",
        "ForwardAgent": "no",
        "GSSAPIAuthentication": "no",
        "ServerAliveInterval": "5",
        "ServerAliveCountMax": "3",
        "StrictHostKeyChecking": "accept-new",
        "UserKnownHostsFile": f"{known_hosts} ~/.ssh/known_hosts",
        "UpdateHostKeys": "no",
    }
    said = [f"{name}={value}" for name, value in options.items()]
    return " ".join(f"-o '{one}'" if " " in one else f"-o {one}" for one in said)
