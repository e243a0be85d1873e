"""``tdlab host devices``: one line for each device, and the same for programs."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from domains import devices
from domains.devices import Inventory
from domains.host import Host
from grader.commands import host
from grader.commands.host_devices import command as listing
from grader.commands.host_devices import line


@pytest.fixture
def looked(inventory: Inventory, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked: list[str] = []

    def look(at: Host) -> Inventory:
        asked.append(at.name)
        return inventory

    monkeypatch.setattr(devices, "look", look)
    return asked


def test_lines_say_what_a_device_is_and_whether_it_can_go(inventory: Inventory) -> None:
    lines = {device.address: line(inventory, device) for device in inventory}
    assert lines["0000:01:00.0"] == (
        "  12  0000:01:00.0  8086:10c9  NIC      igb          igb0, PF with 0 of 7 VFs"
    )
    assert lines["0000:00:03.0"].endswith("enp0s3, must stay: it carries enp0s3, by which lab1 is reached")
    assert lines["0000:00:02.0"].endswith("bridge   pcieport")


def test_programs_get_every_fact(looked: list[str]) -> None:
    done = CliRunner().invoke(host.command, ["devices", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["schema"], told["host"], looked) == ("tdlab.devices/1", "lab1", ["localhost"])
    by_address = {device["address"]: device for device in told["devices"]}
    assert by_address["0000:01:00.0"]["vf_total"] == 7
    assert by_address["0000:01:00.0"]["essential"] is None
    assert by_address["0000:00:04.0"]["essential"] == "holds / (vda1)"
    assert "goes dark" in by_address["0000:00:01.0"]["warning"]


def test_changes_are_put_back_when_asked(looked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, bool]] = []

    def put_back(at: Host, *, everything: bool = False) -> list[object]:
        calls.append((at.name, everything))
        return []

    monkeypatch.setattr(devices, "put_back", put_back)
    done = CliRunner().invoke(listing, ["root@192.0.2.9", "--put-back"])
    assert done.exit_code == 0, done.output
    assert calls == [("root@192.0.2.9", True)]
    assert looked == ["root@192.0.2.9"]
