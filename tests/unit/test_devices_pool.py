"""Devices lent to the guests of a group: made once, never twice, and put back."""

from __future__ import annotations

from typing import Any

import pytest

from domains import ownership
from domains.devices import VFIO, is_lent, opened
from domains.errors import CapabilityMissing, InfrastructureError, UsageError
from domains.host import Host
from domains.spec_parts import NicSpec

HOST = Host("lab1", ssh=("ssh", "lab1"))
OWNER = ownership.this_process("r1")
PF0, PF1 = "0000:01:00.0", "0000:02:00.0"
VF = NicSpec(model="vf", address="auto")
WHOLE = NicSpec(model="hostdev", address="auto")
WAYS = {"here": "10.208.1.1", "there": "10.208.1.10"}


def test_a_group_without_such_nics_costs_nothing(kernel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(kernel.__class__, "look")
    with opened(HOST, OWNER, [NicSpec(), NicSpec(model="vf", pool="vfs")]):
        pass
    assert kernel.log == []


def test_each_guest_gets_a_vf_of_its_own_and_a_way_to_it(kernel: Any) -> None:
    before = kernel.seen
    with opened(HOST, OWNER, [VF, NicSpec(), VF]) as pool:
        with (
            pool.lent(VF, here="10.208.1.1", there="10.208.1.10") as one,
            pool.lent(VF, here="10.208.1.1", there="10.208.1.12") as other,
        ):
            assert (one.address, other.address) == ("0000:01:10.0", "0000:01:10.1")
            assert (one.driver, one.pf, one.iommu_group, one.facing) == (VFIO, PF0, 50, "igb0")
            assert ("igb0", "10.208.1.1/32", "10.208.1.12/32") in kernel.addresses
            with pytest.raises(CapabilityMissing, match="no VF of lab1 is left"), pool.lent(VF, **WAYS):
                pass
        assert kernel.seen.device("0000:01:10.0").driver is None
    assert kernel.seen == before
    assert not kernel.addresses
    assert not kernel.records


def test_vfs_that_the_host_has_are_lent_first(kernel: Any) -> None:
    kernel._write(f"/sys/bus/pci/devices/{PF0}/sriov_numvfs", "1")
    kernel.change("0000:01:10.0", modules=("igbvf",))
    with opened(HOST, OWNER, [VF]) as pool, pool.lent(VF, **WAYS) as loan:
        assert loan.address == "0000:01:10.0"
    assert ("bind", "0000:01:10.0", "igbvf", "-") in kernel.log
    assert not [step for step in kernel.log if step[0] == "write" and step[1].endswith("numvfs")]


def test_a_whole_nic_is_lent_and_faced_by_the_other(kernel: Any) -> None:
    before = kernel.seen
    with opened(HOST, OWNER, [WHOLE]) as pool, pool.lent(WHOLE, **WAYS) as loan:
        assert (loan.address, loan.pf, loan.facing) == (PF1, None, "igb0")
        assert kernel.seen.interface("igb0").is_up
        assert kernel.seen.device(PF1).driver == VFIO
    assert kernel.seen == before


def test_a_device_that_was_named_is_lent_or_refused(kernel: Any) -> None:
    named = NicSpec(model="hostdev", address=PF0)
    with opened(HOST, OWNER, [named]) as pool:
        with pool.lent(named, **WAYS) as loan:
            assert (loan.address, loan.facing) == (PF0, "igb1")
        essential = NicSpec(model="hostdev", address="0000:00:03.0")
        with pytest.raises(UsageError, match="must stay with lab1"), pool.lent(essential, **WAYS):
            pass


def test_what_breaks_while_vfs_are_made_costs_only_those_who_want_one(kernel: Any) -> None:
    before = kernel.seen
    kernel.refuses = lambda step: step[0] == "write" and step[-1] == "1" and step[1].endswith("numvfs")
    with opened(HOST, OWNER, [VF, WHOLE]) as pool:
        with pytest.raises(InfrastructureError, match="make 1 VFs"), pool.lent(VF, **WAYS):
            pass
        with pool.lent(WHOLE, **WAYS) as loan:
            assert loan.address == PF1
    assert kernel.seen == before


@pytest.mark.parametrize(
    ("nic", "lent"),
    [(VF, True), (WHOLE, True), (NicSpec(model="vf", pool="vfs"), False), (NicSpec(model="igb"), False)],
)
def test_libvirt_lends_from_its_own_pools(nic: NicSpec, lent: bool) -> None:
    assert is_lent(nic) is lent
