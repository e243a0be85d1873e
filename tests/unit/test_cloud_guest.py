"""Cloud guests: which specs cannot be, which channel is taken, and how one that will not do is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from domains.cloud import guest as cloud_guest
from domains.cloud.ssh import SshGuest
from domains.errors import DeadlineExceeded, GuestError, InfrastructureError
from domains.guest import Guest
from domains.process import Completed
from domains.spec import DomainSpec

SPEC = DomainSpec()


class World:
    """A guest, played by the test: when its agent connects, what answers, and what it says it has."""

    name = "tdlab-x"

    def __init__(self, *, agent_at: float, ssh: bool, allows: bool = True, has: str = "agent iperf3") -> None:
        self.agent_at = agent_at
        self.ssh = ssh
        self.allows = allows
        self.has = has
        self.waited = 0.0

    def wait_for_agent(self, deadline: float) -> None:
        self.waited += deadline
        if self.waited < self.agent_at:
            raise DeadlineExceeded("the agent", deadline)

    def answer(self, guest: Guest, argv: list[str], **_: Any) -> Completed:
        reachable = self.ssh if guest.channel == "ssh" else self.allows
        if not reachable:
            raise GuestError(f"no {guest.channel}")
        text = self.has if "tdlab.ready" in argv[-1] else ""
        return Completed(tuple(argv), 0, text, "", 0.0)


def ready(world: World, monkeypatch: pytest.MonkeyPatch, *, within: float = 30) -> Guest:
    machine: Any = world
    for kind in (Guest, SshGuest):
        monkeypatch.setattr(kind, "run", lambda guest, argv, **more: world.answer(guest, argv, **more))
    over_ssh = SshGuest(machine, "10.1.2.3", Path("/key"), Path("/known"))
    return cloud_guest._ready(SPEC, over_ssh, within)


def test_that_the_agent_is_the_channel_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ready(World(agent_at=0, ssh=True), monkeypatch).channel == "agent"


def test_that_ssh_is_the_channel_where_there_is_no_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(agent_at=1e9, ssh=True, has="iperf3")
    assert ready(world, monkeypatch).channel == "ssh"


def test_that_an_agent_that_starts_after_ssh_is_preferred(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ready(World(agent_at=5, ssh=True), monkeypatch).channel == "agent"


def test_that_an_agent_that_may_run_nothing_gives_way_to_ssh(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ready(World(agent_at=0, ssh=True, allows=False), monkeypatch).channel == "ssh"


def test_that_a_guest_where_iperf3_does_not_start_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(GuestError, match="iperf3 does not start"):
        ready(World(agent_at=0, ssh=True, has="agent"), monkeypatch)


def test_that_a_silent_guest_is_given_up_with_what_may_be_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DeadlineExceeded, match="agent or SSH of tdlab-x") as late:
        ready(World(agent_at=1e9, ssh=False), monkeypatch, within=0)
    assert late.value.remedy is not None
    for word in ("cloud-init", "virtio", "256 MiB"):
        assert word in late.value.remedy


def test_that_a_guest_without_a_driver_for_its_nic_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"cat": "", "uname -r": "6.1.0-cloud\n"}
    monkeypatch.setattr(
        Guest, "shell", lambda _guest, script: next(text for key, text in said.items() if key in script)
    )
    machine: Any = None
    with pytest.raises(GuestError, match=r"kernel 6\.1\.0-cloud has no driver for virtio"):
        cloud_guest._check_nic(Guest(machine), "52:54:00:00:00:01", SPEC)
    said["cat"] = "52:54:00:00:00:0a\n"
    cloud_guest._check_nic(Guest(machine), "52:54:00:00:00:0A", SPEC)


@pytest.mark.parametrize(
    ("asked", "cause"),
    [
        ({"machine": "microvm"}, "boots from a disk"),
        ({"nic": {"model": "hostdev", "address": "0000:01:00.0"}}, "MAC address"),
    ],
)
def test_that_specs_without_a_disk_or_a_mac_of_ours_are_refused(asked: dict[str, Any], cause: str) -> None:
    refused = cloud_guest.refusal(DomainSpec.model_validate(asked))
    assert refused is not None
    assert cause in refused.cause
    assert refused.remedy


def test_that_other_specs_are_not_refused() -> None:
    assert cloud_guest.refusal(SPEC) is None
    assert (
        cloud_guest.refusal(DomainSpec.model_validate({"machine": "i440fx", "nic": {"model": "e1000"}}))
        is None
    )


def test_that_the_image_is_read_back_from_what_runs() -> None:
    path = "/pool/tdlab-1a.2.3.4b-disk-00112233445566aa"
    disk = f"<disk><backingStore><source file='{path}'/></backingStore></disk>"
    live = f"<domain><devices>{disk}</devices></domain>"
    assert cloud_guest.image_digest(live) == "sha256:00112233445566aa"
    with pytest.raises(InfrastructureError, match="no image of this run"):
        cloud_guest.image_digest("<domain><devices/></domain>")


def test_that_macs_are_qemus_and_differ_from_guest_to_guest() -> None:
    macs = {cloud_guest._mac(f"tdlab-1a-{number}") for number in range(100)}
    assert len(macs) == 100
    assert all(mac.startswith("52:54:00:") and len(mac) == 17 for mac in macs)
