"""Machines on a switch: each is a set of namespaces with an address, a file system and an sshd of its own.

Everything lives in namespaces of processes that die with this one, so nothing of it is left behind even when
this process is killed. Needs root; needs neither systemd nor KVM.
"""

from __future__ import annotations

import contextlib
import ipaddress
import itertools
import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import filelock

from benchmarks._room import sshd
from domains import process, wait
from domains.errors import InfrastructureError

_SCRIPT = Path(__file__).with_name("machine.sh")
_SECONDS = 30
# machine.sh makes that file, in the root that is the machine's.
_ONLY_THERE = '[ -e /.tdlab-machine ] || { echo "not on a machine of the room" >&2; exit 99; }; exec "$@"'
# Taken for nothing else here: libvirt's networks and emulated hosts are in 192.168 and 10.0 to 10.99.
_NETWORKS = tuple(ipaddress.ip_network(f"10.213.{third}.0/24") for third in range(256))


@dataclass(frozen=True)
class Machine:
    """One machine: ``pid`` is a process in its namespaces, ``port`` its end at the switch."""

    name: str
    address: str
    pid: int
    port: str
    switch: int

    def run(self, *words: str, check: bool = True) -> str:
        """Run a program on the machine, as root and not over SSH, and return what it printed."""
        return process.run(self.argv(*words), timeout=_SECONDS, check=check).stdout

    def argv(self, *words: str) -> list[str]:
        """Return the words that run a program on the machine, for one that is to go on.

        Nothing is run where its root is not the machine's yet, or its process is another by now: what breaks
        a machine would break this host.
        """
        inside = ["nsenter", "--target", str(self.pid), "--net", "--mount", "--uts", "--wdns=/"]
        return [*inside, "/bin/sh", "-c", _ONLY_THERE, "sh", *words]

    def shell(self, script: str) -> str:
        """Run a script on the machine, as root."""
        return self.run("sh", "-euc", script)

    def slow(self, rate: str) -> None:
        """Let no more than ``rate`` (``256kbit``) reach the machine.

        A token bucket, which every kernel has; netem is a module of its own, and not always there.
        """
        words = ["add", "dev", self.port, "root", "tbf", "rate", rate, "burst", "16k", "latency", "400ms"]
        _inside(self.switch, "tc", "qdisc", *words)

    def drop(self) -> None:
        """Drop all packets that reach the machine, as a firewall does: nobody is told."""
        _inside(self.pid, "iptables", "--append", "INPUT", "--in-interface", "eth0", "--jump", "DROP")

    def unplug(self, *, again: bool = False) -> None:
        """Pull the machine's cable out, or put it in again."""
        _inside(self.switch, "ip", "link", "set", self.port, "up" if again else "down")

    def mend_link(self) -> None:
        """Take away what :meth:`slow` and :meth:`drop` did."""
        _inside(self.switch, "tc", "qdisc", "del", "dev", self.port, "root", check=False)
        _inside(self.pid, "iptables", "--flush")

    def signal_sshd(self, number: signal.Signals) -> None:
        """Send the machine's sshd a signal, and all that it has started."""
        for listed in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                same = (listed / "ns/net").readlink() == Path(f"/proc/{self.pid}/ns/net").readlink()
                if same and (listed / "comm").read_text().strip() == "sshd":
                    os.kill(int(listed.name), number)


@dataclass(frozen=True)
class Room:
    """The machines, and the private key that opens them."""

    machines: tuple[Machine, ...]
    key: Path

    def csv(self, students: dict[str, str]) -> str:
        """Return an inventory of students by the names of their machines."""
        rows = [f"{students[one.name]},{one.address},root" for one in self.machines if one.name in students]
        return "\n".join(["student,host,user", *rows, ""])


@contextlib.contextmanager
def opened(count: int, *, megabytes: int = 512) -> Iterator[Room]:
    """Have a room of so many machines for the length of a ``with`` block, all of them answering."""
    packages = sshd.root()
    with contextlib.ExitStack() as owned:
        folder = Path(owned.enter_context(tempfile.TemporaryDirectory(prefix="tdlab-room-")))
        key = folder / "key"
        process.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], timeout=_SECONDS)
        # Two rooms that are opened at once would choose the same.
        with filelock.FileLock(Path(tempfile.gettempdir(), "tdlab-rooms.lock"), timeout=_SECONDS):
            network = _free_network()
            switch = _switch(owned, folder, network)
        hosts = itertools.islice(network.hosts(), count)
        machines = tuple(
            _machine(
                owned, folder, packages, switch, f"pc{number:02}", f"{host}/{network.prefixlen}", megabytes
            )
            for number, host in enumerate(hosts, 1)
        )
        for one in machines:
            wait.until(
                lambda at=one: _answers(at.address) and at.run("hostname", check=False).strip() == at.name,
                waiting_for=f"sshd of {one.name}",
                deadline=_SECONDS,
            )
        yield Room(machines, key)


def _switch(owned: contextlib.ExitStack, folder: Path, network: ipaddress.IPv4Network) -> int:
    """Have a bridge in a network namespace of its own, and this machine on it; return a process there."""
    pid = _unshared(owned, folder / "switch.log", ["--net"], ["sleep", "infinity"])
    end = f"tdr{os.getpid()}"
    _ip(pid, "link", "add", "br0", "type", "bridge")
    _ip(pid, "link", "set", "br0", "up")
    process.run(
        ["ip", "link", "add", end, "type", "veth", "peer", "name", "up0", "netns", str(pid)], timeout=_SECONDS
    )
    # The kernel would take it away too, a little later than this process ends.
    owned.callback(process.run, ["ip", "link", "del", end], timeout=_SECONDS, check=False)
    _ip(pid, "link", "set", "up0", "master", "br0", "up")
    process.run(["ip", "address", "add", f"{network[-2]}/{network.prefixlen}", "dev", end], timeout=_SECONDS)
    process.run(["ip", "link", "set", end, "up"], timeout=_SECONDS)
    return pid


def _machine(
    owned: contextlib.ExitStack, folder: Path, packages: Path, switch: int, name: str, at: str, megabytes: int
) -> Machine:
    scratch = folder / name
    scratch.mkdir()
    (scratch / "authorized_keys").write_text((folder / "key.pub").read_text())
    kinds = ["--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--propagation=private"]
    script = ["sh", str(_SCRIPT), str(scratch), str(packages), name, str(megabytes), *_python()]
    pid = _unshared(owned, folder / f"{name}.log", kinds, script)
    port = f"to-{name}"
    _ip(switch, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
    _ip(switch, "link", "set", port, "master", "br0", "up")
    _ip(pid, "address", "add", at, "dev", "eth0")
    _ip(pid, "link", "set", "eth0", "up")
    return Machine(name, at.partition("/")[0], pid, port, switch)


def _unshared(owned: contextlib.ExitStack, log: Path, kinds: list[str], words: list[str]) -> int:
    """Start a program in new namespaces, which end with this process; return its process id."""
    stream = owned.enter_context(log.open("wb"))
    # Killed with the thread that started it: a test that is killed cleans up nothing itself.
    own = ["setpriv", "--pdeathsig", "KILL", "unshare", *kinds, "--", *words]
    child = owned.enter_context(process.started(own, log=stream))
    ours = Path("/proc/self/ns/net").readlink()

    def moved() -> bool:
        if child.poll() is not None:
            raise InfrastructureError(f"no namespaces: {log.read_text()}")
        return Path(f"/proc/{child.pid}/ns/net").readlink() != ours

    wait.until(moved, waiting_for="namespaces", deadline=_SECONDS)
    return child.pid


def _ip(pid: int, *words: str) -> None:
    _inside(pid, "ip", *words)


def _inside(pid: int, *words: str, check: bool = True) -> None:
    """Run a program of this machine's in the network namespace of a process."""
    process.run(["nsenter", "--target", str(pid), "--net", *words], timeout=_SECONDS, check=check)


def _answers(address: str) -> bool:
    import socket

    try:
        with socket.create_connection((address, 22), timeout=1) as link:
            return link.recv(4) == b"SSH-"
    except OSError:
        return False


def _python() -> list[str]:
    """Return the folders of this Python that the machines would not see: their homes are their own."""
    both = {sys.prefix, sys.base_prefix}
    return sorted(one for one in both if one.startswith(("/root/", "/home/")))


def _free_network() -> ipaddress.IPv4Network:
    listed = json.loads(process.run(["ip", "-json", "-4", "address", "show"], timeout=_SECONDS).stdout)
    taken = {ipaddress.ip_address(at["local"]) for link in listed for at in link.get("addr_info", [])}
    start = os.getpid() % len(_NETWORKS)
    for network in (*_NETWORKS[start:], *_NETWORKS[:start]):
        if not any(one in network for one in taken):
            return network
    raise InfrastructureError("no free network in 10.213.0.0/16")
