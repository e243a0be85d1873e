"""Which cells a host has a device for, and what they are told of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domains import devices, ownership
from domains.guest_image.contents import NIC_DRIVERS
from domains.host import Host
from domains.lifecycle import Network
from domains.render import NetworkPlan
from domains.spec import DomainSpec
from grader.running import lending

NETWORK = Network(NetworkPlan("tdlab-r1", "tdlr1", "10.208.7.1"))
PF0, PF1 = "0000:01:00.0", "0000:02:00.0"


def spec(**nic: Any) -> DomainSpec:
    return DomainSpec.model_validate({"nic": nic})


@pytest.mark.parametrize(
    ("asks", "said"),
    [
        (spec(model="virtio"), {}),
        (spec(model="vf", pool="vfs"), {}),
        (spec(model="vf", address="auto"), {"device": "any", "host_driver": "vfio-pci"}),
        (spec(model="hostdev", address=PF1), {"device": PF1, "host_driver": "vfio-pci"}),
    ],
)
def test_what_is_asked_of_a_device(asks: DomainSpec, said: dict[str, str]) -> None:
    assert lending.asked(asks) == said


@pytest.mark.parametrize(
    "asks",
    [
        spec(model="e1000"),
        spec(model="vf", pool="vfs"),
        spec(model="vf", address="auto"),
        spec(model="hostdev", address="auto"),
        spec(model="hostdev", address=PF0),
    ],
)
def test_a_lab_host_refuses_nothing(inventory: devices.Inventory, asks: DomainSpec) -> None:
    assert lending.refusal(inventory, asks, NIC_DRIVERS) is None


@pytest.mark.parametrize(
    ("asks", "cause"),
    [
        (spec(model="hostdev", address="0000:00:03.0"), "must stay with lab1"),
        (spec(model="vf", address="0000:01:10.0"), "no PCI device 0000:01:10.0"),
    ],
)
def test_what_cannot_be_spared_is_refused_with_a_remedy(
    inventory: devices.Inventory, asks: DomainSpec, cause: str
) -> None:
    refused = lending.refusal(inventory, asks, NIC_DRIVERS)
    assert refused
    assert cause in refused.cause
    assert refused.remedy


def test_a_host_without_a_nic_to_spare_refuses_both_kinds(inventory: devices.Inventory) -> None:
    bare = replace(inventory, devices=inventory.devices[:4])
    for model in ("vf", "hostdev"):
        refused = lending.refusal(bare, spec(model=model, address="auto"), NIC_DRIVERS)
        assert refused
        assert "to hand over" in refused.cause


def test_a_whole_nic_that_nothing_faces_is_refused(inventory: devices.Inventory) -> None:
    only = replace(inventory, devices=inventory.devices[-1:])
    refused = lending.refusal(only, spec(model="hostdev", address="auto"), NIC_DRIVERS)
    assert refused
    assert "cannot be reached from the host" in refused.cause


def test_a_guest_gets_the_address_that_was_chosen(kernel: Any) -> None:
    asks = spec(model="vf", address="auto")
    owner = ownership.this_process("r1")
    before = kernel.seen
    with (
        devices.opened(Host("lab1"), owner, [asks.nic]) as pool,
        lending.lent(pool, asks, NETWORK, 3) as (got, facts),
    ):
        assert got.nic.address == "0000:01:10.0"
        assert facts == {
            "device": "0000:01:10.0",
            "host_driver": "vfio-pci",
            "iommu_group": 50,
            "pf": PF0,
            "facing": "igb0",
        }
        assert ("igb0", "10.208.7.1/32", "10.208.7.13/32") in kernel.addresses
    assert kernel.seen == before


def test_specs_of_other_nics_come_through(kernel: Any) -> None:
    asks = spec(model="virtio")
    with (
        devices.opened(Host("lab1"), ownership.this_process("r1"), [asks.nic]) as pool,
        lending.lent(pool, asks, NETWORK, 0) as (got, facts),
    ):
        assert got is asks
        assert facts == {}
    assert kernel.log == []
