"""What goes wrong on ordinary machines: each on a machine of its own, in one deployment, and then mended."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks._room import room, using
from benchmarks._room.room import Machine
from benchmarks._room.using import deploy, hosts, tdlab
from domains import process, provision, wait

pytestmark = pytest.mark.integration

# Says that it is Python 3.5, and is another one: what Ansible's modules ask first.
OLD_PYTHON = """#!/bin/sh
exec /usr/bin/python3.11 -c 'import sys
sys.version_info = (3, 5, 3, "final", 0)
asked = sys.argv[2] if sys.argv[1:2] == ["-c"] else sys.stdin.read()
exec(compile(asked, "module", "exec"))' "$@"
"""
# As another apt does, until it is killed.
HOLD = """import fcntl, signal
held = open("/var/lib/dpkg/lock-frontend", "w")
fcntl.lockf(held, fcntl.LOCK_EX)
print("held", flush=True)
signal.pause()
"""
SUDOER = {"ansible_user": "student", "ansible_become": True}
# Only the packages are looked at here; this Debian has what its backports would bring.
APT = {"lab_host_backports": False, "lab_host_lock_seconds": 10}
NAMES = ("flooding", "strange", "bare", "old", "sudoless", "locked", "broken", "early", "dropping", "whole")


def test_each_ordinary_fault_has_its_cause_and_once_mended_a_rerun_finishes_it(
    own_state: Path, tmp_path: Path
) -> None:
    with room.opened(len(NAMES), megabytes=128) as made:
        at = dict(zip(NAMES, made.machines, strict=True))
        own = {at["sudoless"].name: SUDOER, at["locked"].name: APT, at["broken"].name: APT}
        inventory = using.inventory(made.machines, made.key, tmp_path / "room.yml", own)
        assert tdlab("room", using.LAB, "-i", inventory, "--limit", at["strange"].name).status == 0
        with broken(at):
            began = time.monotonic()
            rows, printed = deployed_while_a_cable_is_pulled(inventory, at["dropping"])
            assert time.monotonic() - began < 180
        causes = {name: rows[machine.name]["cause"] for name, machine in at.items()}
        assert causes == {
            "flooding": "flood",
            "strange": "changed-host-key",
            "bare": "no-python",
            "old": "old-python",
            "sudoless": "no-sudo",
            "locked": "apt-locked",
            "broken": "apt",
            "early": "clock",
            "dropping": "dropped",
            "whole": None,
        }, {name: rows[machine.name] for name, machine in at.items()}
        assert all(row["mend"] for row in rows.values() if row["cause"])
        assert printed < 100_000

        known = own_state / "tdlab/fleet/known_hosts"
        process.run(["ssh-keygen", "-R", at["strange"].address, "-f", known], timeout=30)
        mended = deploy(inventory, "--json", "--lab-host")
        states = {row["host"]: (row["state"], row["cause"]) for row in hosts(mended)}
        assert states.pop(at["whole"].name) == ("unchanged", None)
        assert set(states.values()) == {("done", None)}, states


def deployed_while_a_cable_is_pulled(inventory: Path, dropping: Machine) -> tuple[dict[str, Any], int]:
    """Deploy, and pull a machine's cable while it is sent to; return all rows, and how much was printed."""
    words = using.deploying(inventory, "--json", "--lab-host")
    printed: list[str] = []
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as deploying:
        assert deploying.stdout is not None
        for line in deploying.stdout:
            printed.append(line)
            event = json.loads(line)
            if event.get("host") == dropping.name and event.get("phase") == "files":
                wait.until(
                    lambda: ".tool-" in dropping.run("ls", "-A", "/opt/tdlab/objects", check=False),
                    waiting_for="what is sent",
                    deadline=60,
                )
                dropping.unplug()
    assert deploying.returncode == 4
    return {row["host"]: row for row in json.loads(printed[-1])["hosts"]}, sum(map(len, printed))


@contextlib.contextmanager
def broken(at: dict[str, Machine]) -> Iterator[None]:
    """Break each machine in the way it is called; mend all of them in the end."""
    stamp = json.dumps({"role": provision.role_digest()})
    for name, one in at.items():
        if name not in {"locked", "broken"}:
            one.run("sh", "-c", 'mkdir -p /var/lib/tdlab; echo "$0" > /var/lib/tdlab/lab_host.json', stamp)
            one.run("usermod", "--append", "--groups", "libvirt,kvm", "student")
    at["flooding"].shell("echo 'yes flood' > /root/.bashrc; usermod --shell /bin/bash root")
    at["strange"].shell("ssh-keygen -q -t ed25519 -N '' -f /run/other; mv /run/other /etc/ssh/tdlab_host_key")
    at["strange"].signal_sshd(signal.SIGHUP)
    at["bare"].shell("mv /usr/bin/python3 /usr/bin/python3.gone")
    at["old"].run("sh", "-c", 'rm /usr/bin/python3; echo "$0" > /usr/bin/python3', OLD_PYTHON)
    at["old"].run("chmod", "755", "/usr/bin/python3")
    for name in ("locked", "broken"):
        at[name].shell(_REPOSITORY)
    at["broken"].run("mv", "/srv/repository", "/srv/gone")
    at["early"].shell("printf '#!/bin/sh\\nexec /bin/date -d yesterday \"$@\"' > /usr/local/bin/date")
    at["early"].run("chmod", "755", "/usr/local/bin/date")
    at["dropping"].slow("300kbit")
    words = at["locked"].argv("/usr/bin/python3", "-c", HOLD)
    with process.started(words) as holding:
        assert holding.stdout is not None
        assert holding.stdout.readline() == "held\n"
        yield
    at["flooding"].run("rm", "/root/.bashrc")
    at["bare"].run("mv", "/usr/bin/python3.gone", "/usr/bin/python3")
    at["old"].run("ln", "-sf", "python3.11", "/usr/bin/python3")
    at["sudoless"].shell("echo 'student ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/student")
    at["broken"].run("mv", "/srv/gone", "/srv/repository")
    at["early"].run("rm", "/usr/local/bin/date")
    at["dropping"].unplug(again=True)
    at["dropping"].mend_link()


# One package of a lab host is missing, and apt has it from a folder: the machines have no other network. What
# the role does once the packages are there is not looked at here, and libvirtd is not started for it.
_REPOSITORY = """
dpkg --purge --force-depends tini
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*
mkdir -p /srv/repository /run/made/DEBIAN
printf 'Package: tini\\nVersion: 99\\nArchitecture: all\\nMaintainer: x <x@localhost>\\nDescription: x\\n' \
    > /run/made/DEBIAN/control
dpkg-deb --build /run/made /srv/repository/tini.deb
cd /srv/repository
{ dpkg-deb --field tini.deb; echo "Filename: ./tini.deb"; echo "Size: $(stat -c %s tini.deb)"
  echo "SHA256: $(sha256sum tini.deb | cut -d' ' -f1)"; } > Packages
echo 'deb [trusted=yes] file:/srv/repository ./' > /etc/apt/sources.list
printf '#!/bin/sh\\n' > /usr/bin/virsh
"""
