"""The command line on a room of machines, as a teacher uses it."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks._room.room import Machine
from domains import daemon, process, wait
from domains.paths import PLAYBOOKS

LAB = "first-vm"
_SECONDS = 600
# The machines have no QEMU of their own, and this Python has all that tdlab needs.
_CHOSEN = ("--no-lab-host", "--no-image", "--python", sys.executable)


def inventory(
    machines: Iterable[Machine],
    key: Path,
    file: Path,
    own: Mapping[str, Mapping[str, object]] | None = None,
    **more: object,
) -> Path:
    """Write an inventory of Ansible's own: a student at each machine.

    ``more`` are variables of all machines, ``own`` those of one, by its name.
    """
    hosts = {
        one.name: {
            "ansible_host": one.address,
            "tdlab_students": [f"Élève {one.name}"],
            **(own or {}).get(one.name, {}),
        }
        for one in machines
    }
    common = {
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(key),
        "tdlab_account": "student",
        **more,
    }
    file.write_text(json.dumps({"all": {"children": {"b12": {"hosts": hosts, "vars": common}}}}))
    return file


def tdlab(*words: object) -> process.Completed:
    """Run a command to its end, whatever it ends with."""
    return process.run(argv(*words), timeout=_SECONDS, check=False)


def argv(*words: object) -> list[str]:
    """Return the words that start a command."""
    return [sys.executable, "-m", "grader", *map(str, words)]


def deploying(file: Path, *words: str) -> list[str]:
    """Return the words that start a deployment to machines of :func:`inventory`."""
    return argv("deploy", LAB, "-i", file, *_CHOSEN, *words)


def deploy(file: Path, *words: str) -> process.Completed:
    """Deploy, whatever comes of it."""
    return process.run(deploying(file, *words), timeout=_SECONDS, check=False)


def hosts(done: process.Completed) -> list[dict[str, Any]]:
    """Return the machines that ``--json`` told of in the end."""
    found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])["hosts"]
    return found


def play(playbook: str, *words: object, home: Path) -> dict[str, list[int]]:
    """Run a playbook by ansible-playbook itself; return what its recap counts, a machine a number."""
    program = Path(sys.executable).parent / "ansible-playbook"
    env = {"ANSIBLE_CONFIG": str(PLAYBOOKS / "ansible.cfg"), "LC_ALL": "C.UTF-8", "ANSIBLE_HOME": str(home)}
    given = [program, *map(str, words), PLAYBOOKS / playbook]
    output = process.run(given, timeout=_SECONDS, env=env, check=False).stdout
    recap = output.partition("PLAY RECAP")[2]
    assert recap, output
    names = ("changed", "failed", "unreachable")
    return {name: [int(count) for count in re.findall(rf"{name}=(\d+)", recap)] for name in names}


def start_libvirt(machine: Machine, key: Path) -> None:
    """Have a libvirt of its own on a machine, which ends with it, so that guests can run there."""
    # As root QEMU may use this machine's /dev/kvm, as libvirt finds when it tries; otherwise it tries it anew
    # before each guest, which takes 20 seconds.
    machine.shell("mount -o remount,rw /sys; echo 'user = \"root\"' >>/etc/libvirt/qemu.conf")
    reached = ["-i", key, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
    # Over SSH, and not from outside: then it is in the machine's own namespace of processes, too.
    ssh = ["ssh", *reached, "-o", "LogLevel=ERROR", f"root@{machine.address}"]
    libvirtd = f"setsid --fork tini -s -- libvirtd --config {daemon.OUR_CONFIGURATION}"
    process.run([*ssh, f"virtlogd --daemon && {libvirtd} >/tmp/libvirtd.log 2>&1 </dev/null"], timeout=60)
    asks = [*ssh, "virsh --connect qemu:///system version"]
    wait.until(
        lambda: process.run(asks, timeout=60, check=False).status == 0,
        waiting_for=f"libvirt of {machine.name}",
        deadline=60,
    )
