"""Records of changes: written as one line, read again, and undone in an order that works."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domains import ownership, process
from domains.devices import records
from domains.devices.records import Record
from domains.errors import InfrastructureError
from domains.host import Host

OWNER = ownership.this_process("r1")
PF = "0000:01:00.0"
VFS = Record(
    "vfs", PF, OWNER, {"count": 1, "autoprobe": True, "drivers": {"0000:01:10.0": None}, "down": ["a"]}
)
BINDING = Record("binding", PF, OWNER, {"driver": None, "override": None, "interfaces": {}})
LINK = Record("link", "igb0", OWNER, {"up": False})
ADDRESS = Record("address", "igb0=x", OWNER, {"interface": "igb0", "address": "10.0.0.1/24", "peer": None})
FOLDER = f"/sys/bus/pci/devices/{PF}"


def answering(monkeypatch: pytest.MonkeyPatch, text: str, status: int = 0) -> None:
    def answer(argv: list[str], **_: object) -> process.Completed:
        return process.Completed(tuple(argv), status, text, "no route to host\n", 0.0)

    monkeypatch.setattr(process, "run", answer)


def test_records_are_one_line_each_and_read_in_the_order_of_undoing(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [record.to_json() for record in (VFS, BINDING, LINK, ADDRESS)]
    assert not any("\n" in line for line in lines)
    answering(monkeypatch, "\n".join(lines) + "\n")
    assert records.read(Host()) == (ADDRESS, LINK, BINDING, VFS)


def test_a_host_without_records_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, "")
    assert records.read(Host()) == ()


@pytest.mark.parametrize("line", ["{", "[]", '{"kind": "vfs"}', LINK.to_json().replace("link", "twist")])
def test_what_tdlab_did_not_write_is_not_guessed_at(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    answering(monkeypatch, line)
    with pytest.raises(InfrastructureError, match="not one of tdlab's"):
        records.read(Host())


def test_a_host_that_cannot_be_asked_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, "", status=255)
    with pytest.raises(InfrastructureError, match="no route to host"):
        records.read(Host())


def test_only_what_is_surely_dead_is_an_orphan() -> None:
    assert not records.is_orphan(LINK)
    assert records.is_orphan(replace(LINK, owner=replace(OWNER, started=1)))
    assert not records.is_orphan(replace(LINK, owner=replace(OWNER, started=1, machine="0" * 12)))


def test_vfs_go_before_their_number_is_put_back_and_keep_their_drivers() -> None:
    assert VFS.undo() == (
        ("gone", FOLDER, f"vfs-{PF}"),
        ("idle", PF),
        ("write", f"{FOLDER}/sriov_numvfs", "0"),
        ("write", f"{FOLDER}/sriov_drivers_autoprobe", "1"),
        ("write", f"{FOLDER}/sriov_numvfs", "1"),
        ("bind", "0000:01:10.0", "-", "-"),
        ("link", "a", "down"),
        ("drop", f"vfs-{PF}"),
    )


def test_a_kernel_without_the_switch_for_probing_is_not_told_to_use_it() -> None:
    old = replace(VFS, before={"count": 0, "autoprobe": None, "drivers": {}, "down": []})
    assert [step[0] for step in old.undo()] == ["gone", "idle", "write", "drop"]


def test_a_device_that_had_no_driver_has_none_again() -> None:
    assert BINDING.undo()[2:4] == (("bind", PF, "-", "-"), ("bound", PF, "-"))


@pytest.mark.parametrize("record", [VFS, BINDING, LINK, ADDRESS])
def test_undoing_looks_whether_the_thing_is_there_and_drops_the_record_last(record: Record) -> None:
    steps = record.undo()
    assert (steps[0][0], steps[0][-1]) == ("gone", record.name)
    assert steps[-1] == ("drop", record.name)


def test_records_are_named_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    words = [str(record) for record in (VFS, BINDING, LINK, ADDRESS)]
    assert words == [f"VFs of {PF}", f"driver of {PF}", "link of igb0", "address on igb0"]
