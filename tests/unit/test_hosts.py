"""Lab hosts by their names, and work that goes on when an emulated one stops by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from domains import hosts
from domains.emulated import registry, revival
from domains.emulated.plan import HostPlan
from domains.emulated.registry import Record
from domains.errors import InfrastructureError, UsageError
from domains.host import Host

pytestmark = pytest.mark.usefixtures("own_state")


@pytest.fixture
def lab(own_state: Path) -> Host:
    """An emulated host that is remembered."""
    registry.write(Record(HostPlan("lab", "r1", "10.225.3"), "/usr/bin/qemu", "why", "key"))
    return hosts.find("lab")


def test_this_machine_an_emulated_one_and_any_that_ssh_reaches(lab: Host) -> None:
    assert hosts.find("localhost") == Host()
    assert lab.uri.startswith("qemu+ssh://root@lab/system?command=")
    real = hosts.find("eve@10.1.2.3")
    assert (real.uri, real.ssh and real.ssh[-1]) == (
        "qemu+ssh://eve@10.1.2.3/system?no_tty=1",
        "eve@10.1.2.3",
    )
    assert [hosts.is_emulated(host) for host in (Host(), lab, real)] == [False, True, False]
    assert hosts.ansible_connection("localhost") is None
    assert (hosts.ansible_connection("eve@10.1.2.3") or {})["ansible_become"] is True


@pytest.mark.parametrize("name", ["nobody", "x@", "@x", "a@-oProxyCommand=x", "a b@c"])
def test_a_name_that_stands_for_no_host_is_refused(lab: Host, name: str) -> None:
    with pytest.raises(UsageError, match=r"no lab host called|cannot be called"):
        hosts.find(name)


class Work:
    """Breaks some times, then is done."""

    def __init__(self, breaks: int) -> None:
        self.calls, self.breaks = 0, breaks

    def __call__(self) -> None:
        self.calls += 1
        if self.calls <= self.breaks:
            raise InfrastructureError("the connection was lost")


def revived(times: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked: list[str] = []

    def revive(name: str, _say: object, _furnish: object) -> bool:
        asked.append(name)
        return len(asked) <= times

    monkeypatch.setattr(revival, "revive", revive)
    return asked


def test_work_goes_on_when_an_emulated_host_stopped(lab: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, work = revived(1, monkeypatch), Work(breaks=1)
    hosts.through_its_ends(lab, work, print)
    assert (work.calls, asked) == (2, ["lab", "lab"])


def test_what_broke_on_a_host_that_is_up_is_raised(lab: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, work = revived(0, monkeypatch), Work(breaks=9)
    with pytest.raises(InfrastructureError, match="connection was lost"):
        hosts.through_its_ends(lab, work, print)
    assert (work.calls, asked) == (1, ["lab"])


def test_a_host_that_stops_again_and_again_is_given_up(lab: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, work = revived(99, monkeypatch), Work(breaks=9)
    with pytest.raises(InfrastructureError, match="connection was lost"):
        hosts.through_its_ends(lab, work, print)
    assert (work.calls, len(asked)) == (4, 3)


def test_a_host_of_somebody_elses_is_never_restored(lab: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, work = revived(99, monkeypatch), Work(breaks=1)
    with pytest.raises(InfrastructureError):
        hosts.through_its_ends(Host(), work, print)
    assert (work.calls, asked) == (1, [])
