"""NICs that are plugged into a running guest: the ports it has for them, and what is plugged in."""

from __future__ import annotations

import pytest
from lxml import etree

from domains import plugged, render, validate
from domains.errors import InfrastructureError
from domains.render import Placement
from domains.spec import DomainSpec

LIVE = """
<domain><devices>
  <controller type="pci" index="0" model="pcie-root"/>
  <controller type="pci" index="1" model="pcie-root-port"/>
  <controller type="pci" index="2" model="pcie-root-port"/>
  <controller type="pci" index="10" model="pcie-root-port"/>
  <controller type="virtio-serial"><address type="pci" bus="0x01" slot="0x00"/></controller>
  {}
</devices></domain>
"""


def test_the_first_port_without_a_device_is_free() -> None:
    assert plugged.free_port(LIVE.format("")) == "0x02"


def test_an_address_of_the_host_s_own_takes_no_port_of_the_guest_s() -> None:
    lent = """<hostdev><source><address type="pci" bus="0x0a"/></source>
              <address type="pci" bus="0x02" slot="0x00"/></hostdev>"""
    assert plugged.free_port(LIVE.format(lent)) == "0x0a"


def test_without_a_free_port_nothing_is_plugged_in() -> None:
    taken = "".join(f'<rng><address type="pci" bus="{bus}"/></rng>' for bus in ("0x02", "0x0a"))
    with pytest.raises(InfrastructureError, match="no root port left"):
        plugged.free_port(LIVE.format(taken))


def test_a_guest_with_ports_has_no_nic_of_its_own_and_is_valid() -> None:
    spec = DomainSpec.model_validate({"name": "several", "nic": {"model": "e1000"}})
    xml = render.render(spec, Placement(ports=3))
    validate.validate(xml)
    devices = etree.fromstring(xml.encode()).find("devices")
    assert devices is not None
    assert devices.find("interface") is None
    assert [one.get("index") for one in devices.findall("controller[@model='pcie-root-port']")] == [
        "1",
        "2",
        "3",
    ]


@pytest.mark.parametrize(
    "nic",
    [
        {"model": "e1000"},
        {"model": "i82557b"},
        {"model": "virtio", "vhost": "on"},
        {"model": "igb"},
        {"model": "vf", "address": "0000:0a:10.0"},
        {"model": "hostdev", "address": "0000:0b:00.0"},
    ],
    ids=lambda nic: nic["model"],
)
def test_each_nic_is_plugged_into_the_port_that_was_chosen(nic: dict[str, str]) -> None:
    spec = DomainSpec.model_validate({"name": "one", "nic": nic})
    element = etree.fromstring(render.render_nic(spec, Placement(), "0x07").encode())
    address = element.find("address")
    assert element.tag in {"interface", "hostdev"}
    assert address is not None
    assert (address.get("bus"), address.get("slot")) == ("0x07", "0x00")
