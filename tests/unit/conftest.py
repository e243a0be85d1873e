"""A host whose kernel is a few lines of Python: what changes of PCI devices are tried on."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from domains import process
from domains.devices import Interface, Inventory, Mount, PciDevice, changes, pool
from domains.devices.model import Disk
from domains.devices.steps import Step
from domains.errors import InfrastructureError, UsageError
from domains.host import Host

PF0, PF1, MANAGEMENT, STORAGE = "0000:01:00.0", "0000:02:00.0", "0000:00:03.0", "0000:00:04.0"


def lab_host() -> Inventory:
    """Return a host like the emulated one: two igb NICs, another one that it is reached by, and a disk."""
    nic = PciDevice(
        PF0,
        "8086",
        "10c9",
        0x020000,
        driver="igb",
        iommu_group=12,
        vf_total=7,
        autoprobe=True,
        interfaces=("igb0",),
        modules=("igb",),
        bridges=("0000:00:02.0",),
    )
    return Inventory(
        "lab1",
        (
            PciDevice("0000:00:01.0", class_=0x030000, iommu_group=1, boot_vga=True),
            PciDevice("0000:00:02.0", class_=0x060400, driver="pcieport", iommu_group=2),
            PciDevice(
                MANAGEMENT, class_=0x020000, driver="virtio-pci", iommu_group=3, interfaces=("enp0s3",)
            ),
            PciDevice(STORAGE, class_=0x010000, driver="virtio-pci", iommu_group=4, block_devices=("vda",)),
            nic,
            replace(nic, address=PF1, iommu_group=13, interfaces=("igb1",), bridges=("0000:00:05.0",)),
        ),
        (
            Interface("enp0s3", MANAGEMENT, "52:54:00:00:00:03", True, addresses=("192.0.2.7/24",)),
            Interface("igb0", PF0, "52:54:00:00:00:10"),
            Interface("igb1", PF1, "52:54:00:00:00:11"),
        ),
        (Disk("vda", "254:0", STORAGE), Disk("vda1", "254:1", STORAGE)),
        (Mount("/", "254:1", "/dev/vda1", "ext4"),),
        frozenset({"enp0s3"}),
    )


class Kernel:
    """Carries steps out on an inventory, as a host's kernel would on its devices."""

    def __init__(self, seen: Inventory) -> None:
        self.seen = seen
        self.records: dict[str, str] = {}
        self.addresses: set[tuple[str, ...]] = set()
        self.log: list[Step] = []
        # A step that the kernel refuses from now on, and one that the tool does not survive.
        self.refuses: Callable[[Step], bool] = lambda _: False
        self.kills: Callable[[Step], bool] = lambda _: False
        self.dead = False

    def look(self, _host: Host) -> Inventory:
        return self.seen

    def run(self, argv: Sequence[str], **_: object) -> process.Completed:
        return process.Completed(tuple(argv), 0, "\n".join(self.records.values()), "", 0.0)

    def carry_out(self, _host: Host, steps: Sequence[Step], *, what: str, root: str = "") -> None:
        for step in steps:
            if self.dead or self.kills(step):
                self.dead = True  # the tool was killed here: what its own blocks would do is not done
                return
            if self.refuses(step):
                raise InfrastructureError(f"cannot {what}: {step} refused")
            self.log.append(step)
            getattr(self, f"_{step[0]}")(*step[1:])

    def change(self, address: str, **fields: object) -> None:
        devices = [replace(device, **fields) if device.address == address else device for device in self.seen]
        self.seen = replace(self.seen, devices=tuple(devices))

    def change_interface(self, name: str, **fields: object) -> None:
        found = [replace(one, **fields) if one.name == name else one for one in self.seen.interfaces]
        self.seen = replace(self.seen, interfaces=tuple(found))

    def _keep(self, name: str, text: str) -> None:
        if name in self.records:
            raise UsageError(f"another change of it is under way: {self.records[name]}")
        json.loads(text)
        self.records[name] = text

    def _drop(self, name: str) -> None:
        self.records.pop(name, None)

    def _gone(self, path: str, _name: str) -> None:
        name = path.rsplit("/", 1)[-1]
        assert self.seen.get(name) or self.seen.interface(name)

    def _idle(self, address: str) -> None:
        device = self.seen.device(address)
        assert not any(one.is_held for one in (device, *self.seen.vfs(device)))

    def _write(self, path: str, value: str) -> None:
        address, key = path.removeprefix("/sys/bus/pci/devices/").split("/")
        if key == "sriov_drivers_autoprobe":
            self.change(address, autoprobe=value == "1")
            return
        assert key == "sriov_numvfs"
        pf = self.seen.device(address)
        assert not (pf.vfs and int(value)), "the kernel says: Device or resource busy"
        others = tuple(device for device in self.seen if device.pf != address)
        driver = "igbvf" if pf.autoprobe else None
        base = address.replace(":00.0", ":10.")
        made = tuple(
            PciDevice(f"{base}{n}", "8086", "10ca", 0x020000, driver, iommu_group=50 + n, pf=address)
            for n in range(int(value))
        )
        self.seen = replace(self.seen, devices=tuple(sorted(others + made, key=lambda one: one.address)))
        self.change(address, vfs=tuple(vf.address for vf in made))

    def _bind(self, address: str, driver: str, override: str) -> None:
        self.change(
            address,
            driver=None if driver == "-" else driver,
            override=None if override == "-" else override,
        )

    def _bound(self, address: str, driver: str) -> None:
        assert (self.seen.device(address).driver or "-") == driver

    def _named(self, address: str, name: str) -> None:
        assert name in self.seen.device(address).interfaces

    def _link(self, name: str, state: str) -> None:
        self.change_interface(name, is_up=state == "up")

    def _address(self, *words: str) -> None:
        self.addresses.add(words)

    def _unaddress(self, *words: str) -> None:
        self.addresses.discard(words)


@pytest.fixture
def inventory() -> Inventory:
    return lab_host()


@pytest.fixture
def kernel(inventory: Inventory, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    """A host's devices in the state in which they must be found again."""
    made = Kernel(inventory)
    monkeypatch.setattr(changes, "look", made.look)
    monkeypatch.setattr(pool, "look", made.look)
    monkeypatch.setattr(changes, "carry_out", made.carry_out)
    monkeypatch.setattr(process, "run", made.run)
    return made
