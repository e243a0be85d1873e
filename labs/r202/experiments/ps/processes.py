#!/usr/bin/env python3
"""Find the process of a VM among all processes, and its threads: what `ps` and `top -H` show, as JSON.

    python3 processes.py NAME          # the name of the VM, as `virsh list` shows it

Reads only /proc (see proc(5)): a VM is an ordinary process, and nothing more is needed to find it.
"""

from __future__ import annotations

import json
import os
import pathlib
import pwd
import sys
from typing import Any

PROC = pathlib.Path("/proc")


def words_of(process: pathlib.Path) -> list[str]:
    """Return the words by which a process was started; none for a kernel thread, or one that is gone."""
    try:
        return (process / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except OSError:
        return []


def is_vm(words: list[str], name: str) -> bool:
    """Return whether this is the QEMU of the VM ``name``: libvirt writes `-name guest=NAME,…`."""
    after = [words[number + 1] for number, word in enumerate(words[:-1]) if word == "-name"]
    return any(f"guest={name}" in one.split(",") for one in after)


def cpu_seconds(stat: str) -> float:
    """Return the seconds of CPU time, user and system (fields 14 and 15; the name before may hold spaces)."""
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def threads(process: pathlib.Path) -> list[dict[str, Any]]:
    """Return the threads of a process, each with its name and the CPU time that it has used."""
    found = []
    for task in sorted((process / "task").iterdir(), key=lambda task: int(task.name)):
        name, stat = (task / "comm").read_text().strip(), (task / "stat").read_text()
        found.append({"thread": int(task.name), "name": name, "cpu_seconds": cpu_seconds(stat)})
    return found


def status(process: pathlib.Path) -> dict[str, str]:
    """Return the lines of /proc/PID/status by their names."""
    pairs = (line.partition(":") for line in (process / "status").read_text().splitlines())
    return {key: value.strip() for key, _, value in pairs}


def user(number: int) -> str:
    """Return the name of a user; the number where it has none."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def describe(process: pathlib.Path, words: list[str]) -> dict[str, Any]:
    """Return what the host knows of a VM's process."""
    said = status(process)
    return {
        "pid": int(process.name),
        "parent": int(said["PPid"]),
        "user": user(int(said["Uid"].split()[0])),
        "resident_kib": int(said["VmRSS"].split()[0]),
        "virtual_kib": int(said["VmSize"].split()[0]),
        "words": words,
        "threads": threads(process),
    }


def main() -> int:
    """Print the process of one VM."""
    name = sys.argv[1]
    running = [(one, words_of(one)) for one in PROC.iterdir() if one.name.isdecimal()]
    found = [describe(one, words) for one, words in running if is_vm(words, name)]
    if len(found) != 1:
        print(f"processes: {len(found)} processes of a VM called {name}", file=sys.stderr)
        return 3
    print(json.dumps({"schema": "tdlab.ps/1", "processes": len(running), **found[0]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
