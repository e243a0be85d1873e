"""What can be seen of the hypervisor without a daemon: libvirt's driver in memory, and events by hand."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from domains.errors import DeadlineExceeded, GuestError, HypervisorError
from domains.hypervisor import Hypervisor, Machine, connected
from domains.hypervisor.events import Events


@pytest.fixture
def hypervisor() -> Iterator[Hypervisor]:
    with connected("test:///default") as connection:
        yield connection


class Daemon:
    """Stands for a connection: keeps who wants to hear of its end."""

    closed: Any = None

    def domainEventRegisterAny(self, *_: Any) -> int:  # noqa: N802
        return 1

    def domainEventDeregisterAny(self, _: int) -> None:  # noqa: N802
        pass

    def registerCloseCallback(self, heard: Any, opaque: Any) -> None:  # noqa: N802
        self.closed = lambda: heard(self, 0, opaque)

    def unregisterCloseCallback(self) -> None:  # noqa: N802
        self.closed = None

    def setKeepAlive(self, every: int, times: int) -> None:  # noqa: N802
        self.patience = every * times


class Guest:
    """Stands for a domain that never becomes ready."""

    def name(self) -> str:
        return "tdlab-r-a"

    def UUIDString(self) -> str:  # noqa: N802
        return "u"

    def XMLDesc(self) -> str:  # noqa: N802
        return "<domain/>"

    def isActive(self) -> int:  # noqa: N802
        return 0


def test_a_volume_that_is_gone_is_no_error(hypervisor: Hypervisor) -> None:
    assert hypervisor.pool("default-pool", "").delete("never-there")


def test_guests_and_networks_are_listed_with_their_xml(hypervisor: Hypervisor) -> None:
    assert [(machine.name, "<name>test</name>" in xml) for machine, xml in hypervisor.machines()] == [
        ("test", True)
    ]
    assert "<name>default</name>" in hypervisor.networks()["default"]


def test_what_libvirt_refuses_says_what_was_being_done(hypervisor: Hypervisor) -> None:
    with pytest.raises(HypervisorError, match="libvirt could not create the network: "):
        hypervisor.create_network("<network/>")
    hypervisor.destroy_network("never-there")


def test_a_wait_ends_when_libvirt_goes_away_and_not_at_its_deadline() -> None:
    daemon = Daemon()
    events = Events(daemon)
    waiting = Machine(Guest(), events)
    failed: list[BaseException] = []

    def wait() -> None:
        try:
            waiting.wait_for_agent(3600)
        except HypervisorError as lost:
            failed.append(lost)

    thread = threading.Thread(target=wait)
    thread.start()
    daemon.closed()
    thread.join(30)
    assert not thread.is_alive()
    assert "connection to libvirt was lost" in str(failed[0])
    assert daemon.patience == 60
    events.close()
    assert daemon.closed is None


def test_the_ends_of_a_wait_are_told_apart() -> None:
    events = Events(Daemon())
    machine = Machine(Guest(), events)
    with pytest.raises(DeadlineExceeded, match="the agent of tdlab-r-a"):
        machine.wait_for_agent(0)
    events._set("u", "stopped")
    with pytest.raises(GuestError, match="stopped before it was ready"):
        machine.wait_for_agent(3600)
