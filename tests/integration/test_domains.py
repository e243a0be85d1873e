"""What libvirt and QEMU make of the family: each guest that this host can start is started, and looked at."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from lxml import etree

from domains import hypervisor, images, lifecycle, ownership, store
from domains.guest import Guest
from domains.hypervisor import Hypervisor
from domains.render import Owner, Placement, render, render_volume
from domains.spec import DomainSpec

pytestmark = pytest.mark.integration

# One at a time on this many threads: a guest under TCG keeps about one CPU busy while it boots.
_SIDE_BY_SIDE = 2


@dataclass(frozen=True)
class Lab:
    """What the guests of this module share."""

    connection: Hypervisor
    owner: Owner
    stored: store.StoredImage
    network: lifecycle.Network


@pytest.fixture(scope="module")
def lab(libvirt_daemon: None) -> Iterator[Lab]:
    with hypervisor.connected() as connection:
        owner = ownership.this_process(ownership.new_run_id())
        stored = store.keep(connection, images.build())
        with lifecycle.network(connection, owner) as net:
            yield Lab(connection, owner, stored, net)


def _driver(expected: str) -> Callable[[Guest], None]:
    def look(guest: Guest) -> None:
        assert guest.driver() == expected

    return look


def _multiqueue(guest: Guest) -> None:
    assert guest.driver() == "virtio_net"
    assert guest.shell("ls -d /sys/class/net/eth0/queues/rx-* | wc -l").strip() == "2"


def _disk(name: str, driver: str) -> Callable[[Guest], None]:
    def look(guest: Guest) -> None:
        assert guest.shell(f"cat /sys/block/{name}/size").strip() == str(64 * 2**20 // 512)
        # The controller's driver is bound somewhere on the way from the root to the disk.
        bound = guest.shell(
            f"place=$(readlink -f /sys/block/{name}/device); while [ $place != /sys/devices ]; do"
            " [ ! -e $place/driver ] || basename $(readlink $place/driver); place=$(dirname $place); done"
        )
        assert driver in bound.split()

    return look


def _flags(shown: set[str], hidden: set[str]) -> Callable[[Guest], None]:
    def look(guest: Guest) -> None:
        flags = set(guest.shell("grep -m1 ^flags /proc/cpuinfo").split())
        assert shown <= flags
        assert not hidden & flags

    return look


def _iommu(remapping: int) -> Callable[[Guest], None]:
    def look(guest: Guest) -> None:
        # ACPI's DMAR table describes the IOMMU; bit 0 of the byte at 37 says that it remaps interrupts.
        flags = guest.shell(
            "dd if=/sys/firmware/acpi/tables/DMAR bs=1 skip=37 count=1 2>/dev/null | hexdump -C"
        )
        assert int(flags.split()[1], 16) & 1 == remapping

    return look


def _machine(vendor_device: str) -> Callable[[Guest], None]:
    def look(guest: Guest) -> None:
        found = guest.shell("cat /sys/bus/pci/devices/0000:00:00.0/device").strip()
        assert found == vendor_device

    return look


def _cpus(count: int) -> Callable[[Guest], None]:
    def look(guest: Guest) -> None:
        assert guest.shell("grep -c ^processor /proc/cpuinfo").strip() == str(count)

    return look


STARTED: dict[str, tuple[dict[str, object], Callable[[Guest], None]]] = {
    "i82557b": ({"nic": {"model": "i82557b"}}, _driver("e100")),
    "e1000": ({"nic": {"model": "e1000"}}, _driver("e1000")),
    "e1000e": ({"nic": {"model": "e1000e"}}, _driver("e1000e")),
    "rtl8139": ({"nic": {"model": "rtl8139"}}, _driver("8139cp")),
    "pcnet": ({"nic": {"model": "pcnet"}}, _driver("pcnet32")),
    "vmxnet3": ({"nic": {"model": "vmxnet3"}}, _driver("vmxnet3")),
    "igb": ({"nic": {"model": "igb"}}, _driver("igb")),
    "virtio": ({"nic": {"model": "virtio", "vhost": "off"}}, _driver("virtio_net")),
    "virtio-multiqueue": ({"vcpus": 2, "nic": {"queues": 2}}, _multiqueue),
    "i440fx": ({"machine": "i440fx"}, _machine("0x1237")),
    "q35": ({"machine": "q35"}, _machine("0x29c0")),
    "disk-virtio": ({"disk": {"bus": "virtio"}}, _disk("vda", "virtio_blk")),
    "disk-ide": ({"machine": "i440fx", "disk": {"bus": "ide"}}, _disk("sda", "ata_piix")),
    "disk-sata": ({"disk": {"bus": "sata"}}, _disk("sda", "ahci")),
    "disk-pvscsi": ({"disk": {"bus": "pvscsi"}}, _disk("sda", "vmw_pvscsi")),
    "iommu": ({"iommu": {"interrupt_remapping": "on"}}, _iommu(1)),
    "iommu-without-interrupt-remapping": ({"iommu": {"interrupt_remapping": "off"}}, _iommu(0)),
    "nested-off": ({"cpu": {"nested": "off"}}, _flags(set(), {"svm", "vmx"})),
    "nested-off-max": ({"cpu": {"model": "max"}}, _flags(set(), {"svm", "vmx"})),
    "nested-npt-shown": (
        {"cpu": {"nested": "on", "vendor": "amd", "ept_shown_to_guest": "on"}},
        _flags({"svm", "npt"}, {"vmx"}),
    ),
    "nested-npt-hidden": (
        {"cpu": {"nested": "on", "vendor": "amd", "ept_shown_to_guest": "off"}},
        _flags({"svm"}, {"npt", "vmx"}),
    ),
    "pinning": ({"vcpus": 2, "pinning": [0, 0]}, _cpus(2)),
}


def _start_and_look(lab: Lab, number: int, name: str) -> None:
    fields, look = STARTED[name]
    spec = DomainSpec.model_validate({"accelerator": "tcg", "memory": "192 MiB", **fields})
    place = Placement(
        name=f"{ownership.PREFIX}{lab.owner.run}-{name}",
        accelerator="tcg",
        kernel=lab.stored.kernel,
        initramfs=lab.stored.initramfs,
        owner=lab.owner,
    )
    with lifecycle.running(lab.connection, spec, place, lab.network, number) as domain:
        look(domain.guest)


class _Started:
    """Starts all guests in the background, so that two boot side by side while a test looks at one."""

    def __init__(self, lab: Lab, names: list[str]) -> None:
        self._pool = ThreadPoolExecutor(_SIDE_BY_SIDE)
        self._stop = threading.Event()
        self._results = {
            name: self._pool.submit(self._one, lab, number, name) for number, name in enumerate(names)
        }

    def _one(self, lab: Lab, number: int, name: str) -> None:
        if not self._stop.is_set():
            _start_and_look(lab, number, name)

    def result(self, name: str) -> None:
        self._results[name].result()

    def close(self) -> None:
        self._stop.set()
        self._pool.shutdown(wait=True)


@pytest.fixture(scope="module")
def started(lab: Lab, request: pytest.FixtureRequest) -> Iterator[_Started]:
    wanted = [
        item.callspec.params["name"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.originalname == "test_guest_starts"
    ]
    guests = _Started(lab, wanted)
    try:
        yield guests
    finally:
        guests.close()


@pytest.mark.parametrize("name", STARTED)
def test_guest_starts(started: _Started, name: str) -> None:
    """The agent answers, and the guest sees what was asked for."""
    started.result(name)


def test_microvm_starts_without_pci(lab: Lab) -> None:
    """QEMU takes the machine with every device on MMIO.

    Its vCPU never runs: without KVM's clock, a microvm's kernel has only the PIT to set its own by, and on
    a busy host it hangs or panics over that before its first program. No answer here would tell of our XML.
    """
    spec = DomainSpec.model_validate({"machine": "microvm", "accelerator": "tcg", "disk": {}})
    pool = store.pool(lab.connection)
    volume = ownership.volume_name(lab.owner, "microvm.qcow2")
    place = Placement(
        name=f"{ownership.PREFIX}{lab.owner.run}-microvm",
        accelerator="tcg",
        kernel=lab.stored.kernel,
        initramfs=lab.stored.initramfs,
        network=lab.network.plan.name,
        disk_path=pool.create(render_volume(volume, 2**20, format_="qcow2")),
        owner=lab.owner,
    )
    try:
        machine = lab.connection.create(render(spec, place), paused=True)
        try:
            running = etree.fromstring(machine.xml().encode())
        finally:
            machine.destroy()
    finally:
        pool.delete(volume)
    placed = {
        device: [address.get("type") for address in running.iterfind(f"devices/{device}/address")]
        for device in ("disk", "interface", "controller[@type='virtio-serial']")
    }
    assert all(types == ["virtio-mmio"] for types in placed.values()), placed
    assert running.find("devices/controller[@type='pci']") is None
