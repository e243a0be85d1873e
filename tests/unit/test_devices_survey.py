"""One script's look at a tree like /sys: run for real by a shell, on a tree made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from domains import process
from domains.devices import Inventory, choose, essential, look, parse
from domains.errors import InfrastructureError
from domains.host import Host

PF0, VF, BRIDGE = "0000:01:00.0", "0000:01:10.0", "0000:00:02.0"
# Recorded on an emulated lab host: two igb NICs, the first with two VFs, one of these bound to vfio-pci.
RECORDED = Path(__file__).parent.parent / "data" / "devices" / "emulated-lab-host.txt"


class Tree:
    """A tree like the one of a kernel, with the links and small files that the script reads."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for folder in ("sys/bus/pci/devices", "sys/class/net", "sys/class/block", "proc/self"):
            (root / folder).mkdir(parents=True)
        (root / "proc/swaps").write_text("Filename Type Size Used Priority\n/dev/vda2 partition 1 0 -2\n")
        (root / "proc/self/mountinfo").write_text(
            "22 27 0:21 / /proc rw - proc proc rw\n27 1 254:1 / / rw shared:1 - ext4 /dev/vda1 rw\n"
        )

    def file(self, path: str, value: str) -> None:
        where = self.root / path
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_text(f"{value}\n")

    def link(self, path: str, target: str) -> None:
        where, real = self.root / path, self.root / target
        where.parent.mkdir(parents=True, exist_ok=True)
        if not real.exists():
            real.mkdir(parents=True)
        where.symlink_to(real)

    def function(self, path: str, group: int | None, driver: str | None, **values: str) -> None:
        address = path.rsplit("/", 1)[-1]
        self.link(f"sys/bus/pci/devices/{address}", f"sys/devices/{path}")
        for key, value in {"vendor": "0x8086", "device": "0x10c9", **values}.items():
            self.file(f"sys/devices/{path}/{key}", value)
        if group is not None:
            self.link(f"sys/devices/{path}/iommu_group", f"sys/kernel/iommu_groups/{group}")
        if driver:
            self.link(f"sys/devices/{path}/driver", f"sys/bus/pci/drivers/{driver}")

    def interface(self, name: str, below: str, *, flags: str, mac: str = "52:54:00:00:00:01") -> None:
        self.link(f"sys/class/net/{name}", f"sys/devices/{below}/net/{name}")
        self.file(f"sys/devices/{below}/net/{name}/flags", flags)
        self.file(f"sys/devices/{below}/net/{name}/address", mac)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    made = Tree(tmp_path / "host")
    nic = {"class": "0x020000", "driver_override": "(null)"}
    port = "pci0000:00/0000:00:02.0"
    made.function(port, 1, "pcieport", **{"class": "0x060400"})
    made.function(
        f"{port}/{PF0}",
        2,
        "igb",
        sriov_totalvfs="7",
        sriov_numvfs="1",
        sriov_drivers_autoprobe="0",
        **nic,
    )
    made.function(f"{port}/{VF}", 7, "vfio-pci", **nic | {"device": "0x10ca", "driver_override": "vfio-pci"})
    made.link(f"sys/devices/{port}/{PF0}/virtfn0", f"sys/devices/{port}/{VF}")
    made.function("pci0000:00/0000:00:03.0", 3, "virtio-pci", **{"class": "0x020000"})
    made.function("pci0000:00/0000:00:04.0", None, "virtio-pci", **{"class": "0x010000"})
    made.function("pci0000:00/0000:00:01.0", 0, None, **{"class": "0x030000", "boot_vga": "1"})
    made.interface("pf0", f"{port}/{PF0}", flags="0x1003")
    made.interface("mgmt", "pci0000:00/0000:00:03.0/virtio0", flags="0x1002")
    made.interface("br7", "virtual", flags="0x1003")
    made.link(
        "sys/devices/virtual/net/br7/lower_mgmt", "sys/devices/pci0000:00/0000:00:03.0/virtio0/net/mgmt"
    )
    made.link("sys/devices/pci0000:00/0000:00:03.0/virtio0/net/mgmt/master", "sys/devices/virtual/net/br7")
    for name, number in (("vda", "254:0"), ("vda1", "254:1"), ("vda2", "254:2")):
        made.link(f"sys/class/block/{name}", f"sys/devices/pci0000:00/0000:00:04.0/virtio1/block/{name}")
        made.file(f"sys/devices/pci0000:00/0000:00:04.0/virtio1/block/{name}/dev", number)
    made.link("sys/class/block/dm-0", "sys/devices/virtual/block/dm-0")
    made.link("sys/devices/virtual/block/dm-0/slaves/vda2", "sys/class/block/vda2")
    made.file("sys/kernel/iommu_groups/2/type", "DMA-FQ")
    made.link("proc/4711/fd/9", "dev/vfio/7")
    return made


@pytest.fixture
def seen(tree: Tree) -> Inventory:
    return look(Host(), str(tree.root))


def test_devices_have_their_class_driver_group_and_bridges(seen: Inventory) -> None:
    pf = seen.device(PF0)
    assert (pf.vendor, pf.device, pf.driver, pf.override, pf.iommu_group) == ("8086", "10c9", "igb", None, 2)
    assert (pf.is_nic, pf.is_bridge, pf.is_display, pf.is_storage) == (True, False, False, False)
    assert pf.bridges == (BRIDGE,)
    assert seen.device(BRIDGE).is_bridge
    assert seen.device("0000:00:01.0").boot_vga
    assert seen.device("0000:00:04.0").iommu_group is None


def test_pfs_know_their_vfs_and_vfs_their_pf(seen: Inventory) -> None:
    pf, vf = seen.device(PF0), seen.device(VF)
    assert (pf.vf_total, pf.vfs, pf.autoprobe, pf.pf) == (7, (VF,), False, None)
    assert (vf.pf, vf.vf_total, vf.driver, vf.override) == (PF0, None, "vfio-pci", "vfio-pci")
    assert seen.pfs() == (pf,)
    assert seen.vfs(pf) == (vf,)


def test_a_device_whose_vfio_file_a_process_has_open_is_held(seen: Inventory) -> None:
    assert [device.address for device in seen if device.is_held] == [VF]


def test_interfaces_belong_to_functions_and_stand_on_others(seen: Inventory) -> None:
    assert seen.device(PF0).interfaces == ("pf0",)
    assert seen.device("0000:00:03.0").interfaces == ("mgmt",)  # virtio: one level below the function
    bridge, mgmt, pf0 = (seen.interface(name) for name in ("br7", "mgmt", "pf0"))
    assert bridge
    assert mgmt
    assert pf0
    assert (bridge.pci, bridge.lowers, mgmt.master) == (None, ("mgmt",), "br7")
    assert (pf0.is_up, mgmt.is_up, pf0.mac) == (True, False, "52:54:00:00:00:01")


def test_disks_mounts_and_swap_are_read(seen: Inventory) -> None:
    assert seen.device("0000:00:04.0").block_devices == ("vda", "vda1", "vda2")
    assert {disk.name: (disk.number, disk.slaves) for disk in seen.disks}["dm-0"] == ("", ("vda2",))
    assert [(mount.point, mount.number, mount.source) for mount in seen.mounts] == [
        ("/proc", "0:21", "proc"),
        ("/", "254:1", "/dev/vda1"),
        ("swap", "", "/dev/vda2"),
    ]


def test_groups_have_their_members_and_their_type(seen: Inventory) -> None:
    assert seen.groups() == (0, 1, 2, 3, 7)
    assert [device.address for device in seen.group(2)] == [PF0]
    assert seen.group_types == {2: "DMA-FQ"}


def test_routes_addresses_and_our_login_say_how_the_host_is_reached() -> None:
    text = """
@@ links
lrwxrwxrwx 1 root root 0 Jan  1 00:00 /sys/class/net/eno1 -> ../../devices/pci0000:00/0000:00:03.0/net/eno1
lrwxrwxrwx 1 root root 0 Jan  1 00:00 /sys/class/net/eno2 -> ../../devices/pci0000:00/0000:00:04.0/net/eno2
@@ routes
default via 192.0.2.1 dev eno1 proto dhcp metric 100
@@ addresses
2: eno1    inet 192.0.2.9/24 brd 192.0.2.255 scope global eno1\\       valid_lft forever
3: eno2@if7    inet 198.51.100.9 peer 198.51.100.1/32 scope global eno2\\       valid_lft forever
3: eno2    inet6 2001:db8::9/64 scope global \\       valid_lft forever
@@ reached-at
{address}
@@ end
"""
    found = parse(text.replace("{address}", "2001:db8::9"), "lab3")
    assert found.host == "lab3"
    assert found.reached_by == {"eno1", "eno2"}
    assert [one.addresses for one in found.interfaces] == [
        ("192.0.2.9/24",),
        ("198.51.100.9", "2001:db8::9/64"),
    ]
    assert parse(text.replace("{address}", "203.0.113.5"), "lab3").reached_by == {"eno1"}
    assert parse(text.replace("{address}", "fe80::1%eno7"), "lab3").reached_by == {"eno1", "eno7"}


def test_a_recorded_lab_host_is_read_whole() -> None:
    found = parse(RECORDED.read_text(), "lab1")
    first, second = found.pfs()
    assert (first.address, first.vfs) == ("0000:0a:00.0", ("0000:0a:10.0", "0000:0a:10.2"))
    assert (second.address, second.vfs, second.interfaces) == ("0000:0b:00.0", (), ("enp11s0",))
    assert [vf.driver for vf in found.vfs(first)] == ["vfio-pci", None]
    assert {vf.modules for vf in found.vfs(first)} == {("igbvf",)}
    assert [found.companions(vf) for vf in found.vfs(first)] == [(), ()]
    assert [device.address for device in found if device.is_display] == ["0000:0c:00.0"]
    reasons = {device.address: essential.reason(found, device) for device in found if not device.is_bridge}
    assert {address: reason for address, reason in reasons.items() if reason} == {
        "0000:01:00.0": "carries enp1s0, by which lab1 is reached",
        "0000:03:00.0": "holds / (vda)",
    }
    assert choose(found, "vf").address == "0000:0a:10.2"
    assert choose(found, "hostdev") == second


def test_a_host_that_shows_nothing_has_nothing() -> None:
    assert parse("@@ end\n") == Inventory("localhost")


def test_a_host_that_cannot_be_asked_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(argv: list[str], **_: object) -> process.Completed:
        return process.Completed(tuple(argv), 255, "", "Connection refused\n", 0.0)

    monkeypatch.setattr(process, "run", refuse)
    with pytest.raises(InfrastructureError, match="lab3's devices could not be listed: Connection refused"):
        look(Host("lab3", ssh=("ssh", "lab3")))


def test_all_is_read_in_one_round_trip(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []

    def answer(argv: list[str], **_: object) -> process.Completed:
        ran.append(argv)
        return process.Completed(tuple(argv), 0, "@@ end\n", "", 0.0)

    monkeypatch.setattr(process, "run", answer)
    look(Host("lab3", ssh=("ssh", "lab3")))
    assert [argv[:2] for argv in ran] == [["ssh", "lab3"]]


def test_this_machine_can_be_looked_at() -> None:
    found = look(Host())
    assert found.host == "localhost"
    assert found.interface("lo")
