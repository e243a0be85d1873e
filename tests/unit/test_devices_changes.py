"""Changes of devices are put back: at the end, after an error, and after the tool was killed at any step."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import Any

import pytest

from domains import ownership
from domains.devices import VFIO, Mount, addressed, bound, changes, put_back, raised, records, vfs
from domains.errors import CapabilityMissing, InfrastructureError, UsageError
from domains.host import Host
from domains.render import Owner

HOST = Host("lab1", ssh=("ssh", "lab1"))
PF0, PF1, MANAGEMENT = "0000:01:00.0", "0000:02:00.0", "0000:00:03.0"


@pytest.fixture
def gone() -> Owner:
    """An owner that was a process of this machine, and is no more."""
    return replace(ownership.this_process("r1"), started=1)


def test_vfs_are_made_and_removed(kernel: Any) -> None:
    before = kernel.seen
    with vfs(HOST, PF0, 2) as made:
        assert [vf.address for vf in made] == ["0000:01:10.0", "0000:01:10.1"]
        assert [vf.driver for vf in made] == [None, None]
        assert kernel.seen.interface("igb0").is_up
        assert set(kernel.records) == {f"vfs-{PF0}"}
    assert kernel.seen == before
    assert not kernel.records


def test_former_vfs_come_back_with_their_drivers(kernel: Any) -> None:
    kernel._write(f"/sys/bus/pci/devices/{PF0}/sriov_numvfs", "2")
    kernel.change("0000:01:10.1", driver=None)
    before = kernel.seen
    with vfs(HOST, PF0, 3, autoprobe=True) as made:
        assert [vf.driver for vf in made] == ["igbvf"] * 3
    assert kernel.seen == before


def test_as_many_vfs_as_there_are_is_no_change(kernel: Any) -> None:
    kernel._write(f"/sys/bus/pci/devices/{PF0}/sriov_numvfs", "2")
    with vfs(HOST, PF0, 2) as made:
        assert len(made) == 2
    assert kernel.log == []


@pytest.mark.parametrize(
    ("address", "count", "kind", "problem"),
    [
        (MANAGEMENT, 1, UsageError, "is no PF"),
        (PF0, 8, UsageError, "can make 7 VFs, not 8"),
        (PF0, -1, UsageError, "can make 7 VFs, not -1"),
        ("0000:01:00.1", 1, UsageError, f"no PCI device 0000:01:00.1; the nearest is {PF0}"),
    ],
)
def test_vfs_that_cannot_be_are_refused(
    kernel: Any, address: str, count: int, kind: type[Exception], problem: str
) -> None:
    with pytest.raises(kind, match=problem), vfs(HOST, address, count):
        pass
    assert kernel.log == []


def test_vfs_are_made_by_the_pfs_driver_only(kernel: Any) -> None:
    kernel.change(PF0, driver=VFIO)
    with pytest.raises(CapabilityMissing, match="made by the PF's own driver"), vfs(HOST, PF0, 1):
        pass


@pytest.mark.parametrize("fields", [{"is_held": True}, {"driver": VFIO}, {"interfaces": ("igb1",)}])
def test_vfs_in_use_are_not_remade(kernel: Any, fields: dict[str, object]) -> None:
    kernel._write(f"/sys/bus/pci/devices/{PF0}/sriov_numvfs", "2")
    kernel.change_interface("igb1", addresses=("198.51.100.1/24",))
    kernel.change("0000:01:10.1", **fields)
    with pytest.raises(UsageError, match=r"cannot be remade: 0000:01:10.1"), vfs(HOST, PF0, 1):
        pass
    assert kernel.log == []


def test_a_binding_is_put_back_with_the_interface_that_went_with_it(kernel: Any) -> None:
    kernel.change_interface("igb1", is_up=True, addresses=("198.51.100.1/24",))
    before = kernel.seen
    with bound(HOST, PF1) as device:
        assert (device.driver, device.override) == (VFIO, VFIO)
    assert kernel.seen == before
    assert kernel.addresses == {("igb1", "198.51.100.1/24", "-")}
    assert kernel.log[-3:-1] == [("link", "igb1", "up"), ("address", "igb1", "198.51.100.1/24", "-")]


def test_a_binding_that_is_so_already_is_left_alone(kernel: Any) -> None:
    kernel.change(PF1, driver=VFIO)
    with bound(HOST, PF1) as device:
        assert device.driver == VFIO
    assert kernel.log == []


def test_essential_devices_are_refused(kernel: Any) -> None:
    with pytest.raises(UsageError, match="must stay with lab1: it carries enp0s3"), bound(HOST, MANAGEMENT):
        pass
    kernel.seen = replace(kernel.seen, mounts=(Mount("/", "0:33", "rpool", "zfs"),))
    with pytest.raises(UsageError, match="may hold /"), bound(HOST, "0000:00:04.0"):
        pass
    kernel.seen = replace(kernel.seen, reached_by=frozenset({"igb0"}))
    with pytest.raises(UsageError, match="must stay"), vfs(HOST, PF0, 1):
        pass
    assert kernel.log == []


@pytest.mark.parametrize(
    ("fields", "kind", "problem"),
    [
        ({"iommu_group": None}, CapabilityMissing, "in no IOMMU group"),
        ({"is_held": True}, UsageError, "held by a guest"),
        ({"vfs": ("0000:01:10.0",)}, UsageError, "has 1 VFs"),
    ],
)
def test_what_cannot_be_bound_is_refused(
    kernel: Any, fields: dict[str, object], kind: type[Exception], problem: str
) -> None:
    kernel.change(PF1, **fields)
    with pytest.raises(kind, match=problem), bound(HOST, PF1):
        pass
    assert kernel.log == []


def test_a_change_that_fails_half_way_is_put_back_at_once(kernel: Any) -> None:
    before = kernel.seen
    kernel.refuses = lambda step: step[0] == "write" and step[-1] == "2"
    with pytest.raises(InfrastructureError, match="make 2 VFs"), vfs(HOST, PF0, 2):
        pass
    assert kernel.seen == before
    assert not kernel.records


def test_what_the_block_raises_comes_through_and_all_is_put_back(kernel: Any) -> None:
    before = kernel.seen
    with pytest.raises(KeyboardInterrupt), vfs(HOST, PF0, 1), bound(HOST, "0000:01:10.0"):
        raise KeyboardInterrupt
    assert kernel.seen == before


def test_two_changes_of_one_device_do_not_meet(kernel: Any) -> None:
    with bound(HOST, PF1):
        kernel.change(PF1, driver="igb", override=None)  # by somebody else's hand
        with pytest.raises(UsageError, match="under way"), bound(HOST, PF1):
            pass
        assert f"binding-{PF1}" in kernel.records


def test_an_interface_that_was_up_stays_up(kernel: Any) -> None:
    with raised(HOST, "enp0s3"):
        assert kernel.log == []
    with raised(HOST, "igb1"):
        assert kernel.seen.interface("igb1").is_up
    assert not kernel.seen.interface("igb1").is_up
    with pytest.raises(UsageError, match="no network interface igb9"), raised(HOST, "igb9"):
        pass


def test_an_interface_carries_an_address_for_each_guest_behind_it(kernel: Any) -> None:
    with (
        addressed(HOST, "igb0", "10.208.1.1/32", peer="10.208.1.10/32"),
        addressed(HOST, "igb0", "10.208.1.1/32", peer="10.208.1.11/32"),
    ):
        assert len(kernel.addresses) == 2
        assert len(kernel.records) == 2
        assert not any("/" in name for name in kernel.records)
    assert not kernel.addresses


def _use_everything(owner: Owner) -> None:
    with ExitStack() as used:
        used.enter_context(vfs(HOST, PF0, 2, owner=owner))
        used.enter_context(bound(HOST, "0000:01:10.0", owner=owner))
        used.enter_context(bound(HOST, PF1, owner=owner))
        used.enter_context(addressed(HOST, "igb0", "10.208.1.1/32", peer="10.208.1.10/32", owner=owner))


def _steps_of(kernel: Any, owner: Owner) -> int:
    _use_everything(owner)
    return len(kernel.log)


def test_a_kill_at_any_step_is_put_back_by_the_next_command(
    kernel: Any, gone: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = kernel.seen
    total = _steps_of(kernel, gone)
    assert kernel.seen == before
    # "gone" is about the object itself, and a kernel that lost it would be another test.
    for number in range(total):
        kernel.dead, kernel.log = False, []
        kernel.kills = _after(number, kernel)
        with suppress(InfrastructureError, UsageError):
            _use_everything(gone)
        assert kernel.dead
        kernel.dead, kernel.kills = False, lambda _: False
        put_back(HOST)
        assert kernel.seen == before, f"killed before step {number}: {kernel.log[number:]}"
        assert not kernel.records
        assert not kernel.addresses


def _after(number: int, kernel: Any) -> Callable[[object], bool]:
    return lambda _: len(kernel.log) == number


def test_changes_of_the_living_and_of_other_machines_are_left(kernel: Any, gone: Owner) -> None:
    mine = ownership.this_process("r2")
    elsewhere = replace(gone, machine="0" * 12)
    for owner, name in ((mine, "igb0"), (elsewhere, "igb1")):
        record = records.Record("link", name, owner, {"up": False})
        kernel._keep(record.name, record.to_json())
    assert put_back(HOST) == []
    assert len(kernel.records) == 2
    assert [leftover.name for leftover in put_back(HOST, everything=True)] == ["link of igb0", "link of igb1"]


def test_put_back_says_what_it_did(kernel: Any, gone: Owner) -> None:
    record = records.Record("binding", PF1, gone, {"driver": "igb", "override": None, "interfaces": {}})
    kernel._keep(record.name, record.to_json())
    kernel.change(PF1, driver=VFIO, override=VFIO)
    (leftover,) = put_back(HOST)
    assert (leftover.kind, leftover.name) == ("change of the", f"driver of {PF1}")
    assert kernel.seen.device(PF1).driver == "igb"


def test_refusals_stand_alone_for_those_who_only_ask(kernel: Any) -> None:
    changes.refuse_binding(kernel.seen, kernel.seen.device(PF1))
    changes.refuse_vfs(kernel.seen, kernel.seen.device(PF0), 7)
