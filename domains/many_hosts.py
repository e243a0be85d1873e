"""Run a playbook on many hosts at once, each of which may be off, slow, broken or hostile."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from domains import process, provision

_INVENTORY_SECONDS = 120
_CLOSING_SECONDS = 5


def listed(inventory: Path) -> tuple[dict[str, Any] | None, str]:
    """Have Ansible read an inventory of its own; return what ``--list`` says, or None and the complaint.

    Only YAML and INI are read: an inventory that is a program is not run.
    """
    program = Path(sys.executable).parent / "ansible-inventory"
    words: list[str | Path] = [program, "--inventory", inventory.resolve(), "--list"]
    env = {
        "ANSIBLE_INVENTORY_ENABLED": "yaml,ini",
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1",
        "LC_ALL": "C.UTF-8",
    }
    with provision.secluded():
        done = process.run(words, timeout=_INVENTORY_SECONDS, check=False, env=env)
    if done.status != 0:
        return None, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said, done.stderr


def play(
    playbook: str,
    inventories: Sequence[Path],
    *,
    forks: int,
    known_hosts: Path,
    on_event: Callable[[dict[str, Any]], None],
    is_cancelled: Callable[[], bool] = lambda: False,
    check: bool = False,
    timeout: float = 7200,
) -> str:
    """Run a playbook of ``playbooks/`` on many hosts, and give each event to ``on_event`` as it comes.

    Returns "successful", "failed", "canceled" or "timeout". A host whose key is not known is remembered in
    ``known_hosts``; one whose key has changed is refused. Raises what :func:`provision.run_playbook` raises.
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
        os.environ |= {"ANSIBLE_SSH_ARGS": ssh_args(known_hosts, control)} | _SETTINGS
        try:
            status, _ = provision.run_playbook(private, playbook, check=check, timeout=timeout, **asked)
        finally:
            for socket in control.iterdir():
                # Else the connection would stay open for a minute, and nobody could use it any more.
                words = ["ssh", "-O", "exit", "-o", f"ControlPath={socket}", "host"]
                process.run(words, timeout=_CLOSING_SECONDS, check=False)
    return status


def ssh_args(known_hosts: Path, control: Path) -> str:
    """Return how ssh is to reach student machines: bounded waits, no agent, connections kept and shared."""
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


_SETTINGS = {
    "ANSIBLE_TIMEOUT": "10",
    "ANSIBLE_TASK_TIMEOUT": "1200",
    # To ask each host where its Python is costs a round trip; an inventory that says it is believed.
    "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
    "ANSIBLE_INVENTORY_ENABLED": "yaml,ini",
}
