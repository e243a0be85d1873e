"""Changes of this machine's interfaces, on one made for the test: by `ip`, and put back after kill -9."""

from __future__ import annotations

import os
import secrets
import signal
import sys
from collections.abc import Iterator

import pytest

from domains import devices, process, wait
from domains.devices import records
from domains.host import Host
from domains.paths import SHIPPED

pytestmark = pytest.mark.integration

HERE, GUEST = "198.18.77.1/32", "198.18.77.10/32"
_VICTIM = """
import sys
from domains import devices
from domains.host import Host

with devices.raised(Host(), sys.argv[1]):
    with devices.addressed(Host(), sys.argv[1], "198.18.77.1/32", peer="198.18.77.10/32"):
        print("changed", flush=True)
        sys.stdin.read()
"""


@pytest.fixture
def interface() -> Iterator[str]:
    """A bridge of the test's own, down and without an address."""
    name = f"tdt{secrets.token_hex(4)}"
    process.run(["ip", "link", "add", name, "type", "bridge"], timeout=10)
    try:
        yield name
    finally:
        process.run(["ip", "link", "delete", name], timeout=10)


def state(name: str) -> tuple[bool, tuple[str, ...]]:
    found = devices.look(Host()).interface(name)
    assert found
    return found.is_up, found.addresses


def route() -> str:
    return process.run(["ip", "route", "get", GUEST.partition("/")[0]], timeout=10).stdout


def test_an_interface_is_as_it_was(interface: str) -> None:
    with devices.raised(Host(), interface):
        with devices.addressed(Host(), interface, HERE, peer=GUEST):
            assert state(interface) == (True, (HERE.partition("/")[0],))
            assert f"dev {interface} src 198.18.77.1" in route()
        with devices.addressed(Host(), interface, "198.18.77.1/24"):
            assert state(interface) == (True, ("198.18.77.1/24",))
    assert state(interface) == (False, ())
    assert not _records(interface)


def test_what_a_killed_process_changed_is_put_back(interface: str) -> None:
    with process.started(
        [sys.executable, "-c", _VICTIM, interface], env={"PYTHONPATH": str(SHIPPED)}, stdin=True
    ) as victim:
        assert victim.stdout
        assert victim.stdout.readline() == "changed\n"
        assert len(_records(interface)) == 2
        # While it lives its changes are its own.
        assert not [one for one in devices.put_back(Host()) if interface in one.name]
        assert state(interface)[0]
        os.kill(victim.pid, signal.SIGKILL)
        wait.until(lambda: victim.poll() is not None, waiting_for="the victim's end", deadline=10)
    done = [one.name for one in devices.put_back(Host()) if interface in one.name]
    assert done == [f"address on {interface}", f"link of {interface}"]
    assert state(interface) == (False, ())
    assert not _records(interface)


def test_the_record_of_an_interface_that_is_gone_goes_too() -> None:
    name = f"tdt{secrets.token_hex(4)}"
    process.run(["ip", "link", "add", name, "type", "bridge"], timeout=10)
    with devices.raised(Host(), name):
        process.run(["ip", "link", "delete", name], timeout=10)
        assert _records(name)
    assert not _records(name)


def _records(name: str) -> list[str]:
    return [str(record) for record in records.read(Host()) if name in record.name]
