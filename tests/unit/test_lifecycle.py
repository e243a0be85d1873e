"""A run's network: a subnet that is free, whatever language libvirt refuses the others in."""

from __future__ import annotations

import re

import pytest

from domains import lifecycle
from domains.errors import HypervisorError
from domains.render import Owner

OWNER = Owner("0a1b2c3d", 1, 1, "boot", "machine")


class Host:
    """Stands for a hypervisor on which the first so many subnets are taken."""

    def __init__(self, taken: int) -> None:
        self.taken = taken
        self.asked: list[str] = []
        self.destroyed: list[str] = []

    def create_network(self, xml: str) -> None:
        found = re.search(r"address=['\"]([0-9.]+)['\"]", xml)
        assert found
        self.asked.append(found[1])
        if len(self.asked) <= self.taken:
            raise HypervisorError("erreur interne : le réseau est déjà utilisé par l’interface eth0")

    def destroy_network(self, name: str) -> None:
        self.destroyed.append(name)


def test_a_subnet_that_is_taken_is_passed_over_and_the_network_ends_with_the_block() -> None:
    host = Host(taken=3)
    with lifecycle.network(host, OWNER) as net:  # type: ignore[arg-type]
        assert net.plan.host_address == host.asked[3]
        assert net.guest_address(0) == host.asked[3].removesuffix(".1") + ".10"
        assert host.destroyed == []
    assert len(set(host.asked)) == 4
    assert host.destroyed == ["tdlab-0a1b2c3d"]


def test_when_every_subnet_is_refused_libvirts_words_are_told() -> None:
    host = Host(taken=1000)
    with pytest.raises(HypervisorError, match="déjà utilisé"), lifecycle.network(host, OWNER):  # type: ignore[arg-type]
        pass
    assert len(host.asked) == 16
    assert host.destroyed == []
