"""Put VMware's NIC and disk controller beside virtio's, and beside imitations of real hardware."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from domains import wait
from domains.errors import InfrastructureError
from domains.lifecycle import Domain
from domains.spec import DiskSpec, DomainSpec, NicSpec
from grader.experiments.result import Value
from grader.experiments.stage import Stage
from grader.measure import cell, counters
from grader.measure.matrix import Workload

WORK = Workload(seconds=3, warmup=1, repeats=3, pings=50)
MIB = 1 << 20
DISK_MIB, SMALL, SMALL_BYTES = 64, 1000, 4096
DISK_SECONDS = 240.0
# Each question of ours to the guest's agent makes exits of its own: seldom asked, they do not count.
ASK_EVERY = 1.0
# The guest's dd does not tell the time, and busybox tells no less than 10 ms: the kernel does, in ns.
_NOW = (
    "now() { while read -r word _ clock _; do [ $word != now ] || break; done </proc/timer_list; "
    "echo $clock; }"
)


@dataclass(frozen=True)
class Family:
    """A NIC and a disk controller of one kind."""

    nic: Literal["vmxnet3", "virtio", "e1000"]
    bus: Literal["pvscsi", "virtio", "ide"]
    disk: str

    @property
    def spec(self) -> DomainSpec:
        """Return the guest: of the three machines only i440fx has an IDE controller, so all are one."""
        return DomainSpec(
            name=f"{self.nic}-{self.bus}",
            machine="i440fx",
            nic=NicSpec(model=self.nic, vhost="off" if self.nic == "virtio" else None),
            disk=DiskSpec(bus=self.bus, size=DISK_MIB * MIB),
        )


FAMILIES = (
    Family("vmxnet3", "pvscsi", "sda"),
    Family("virtio", "virtio", "vda"),
    Family("e1000", "ide", "sda"),
)


@dataclass(frozen=True)
class Copy:
    """One run of dd in the guest."""

    words: str
    requests: int
    size: int

    @property
    def command(self) -> str:
        """Return the command line."""
        return f"dd {self.words} bs={self.size} count={self.requests}"

    @property
    def megabytes(self) -> float:
        """Return what it moves, in MB of 10^6 bytes."""
        return self.requests * self.size / 1e6

    def seconds(self, said: str) -> float:
        """Return how long it took: dd's own words stand between two readings of the guest's clock (ns).

        Raises :class:`InfrastructureError` when not all was moved.
        """
        clock = [int(line) for line in said.splitlines() if line.isdecimal()]
        if len(clock) != 2 or f"{self.requests}+0 records out" not in said or clock[1] <= clock[0]:
            raise InfrastructureError(f"{self.command} in the guest said: {said.strip()[-200:]!r}")
        return (clock[1] - clock[0]) / 1e9


@dataclass
class Disk:
    """Samples of one disk: MB/s, µs a request, and exits a request where they can be counted."""

    read: list[float] = field(default_factory=list)
    write: list[float] = field(default_factory=list)
    request: list[float] = field(default_factory=list)
    exits: list[float] = field(default_factory=list)


def measure(stage: Stage) -> None:
    """Boot one guest for each family, and put its NIC and its disk to work."""
    nothing_counted = uncounted(stage.accelerator, stage.capabilities["counters"].cause)
    emulator = stage.emulator_of(stage.accelerator)
    nics: list[dict[str, Value]] = []
    disks: list[dict[str, Value]] = []
    stage.asked(**{one.spec.name: cell.asked(one.spec) for one in FAMILIES})
    for one in FAMILIES:
        with stage.guest(one.spec) as guest:
            ran = stage.what_runs(guest)
            stage.ran(**{one.spec.name: ran})
            cell.refuse_other(cell.asked(one.spec), ran)
            cell.wait_for_network(stage.host, guest)
            rounds = [cell.measure(stage.host, guest, WORK, nothing_counted) for _ in range(WORK.repeats)]
            samples = [found.samples for found in rounds]
            stage.measure(
                f"net-{one.nic}", [found["tcp_to_guest"] / 8 for found in samples], emulator=emulator
            )
            nics.append(nic_row(one, ran["driver"], samples))
            disk = _disk(stage, guest, one, nothing_counted is None)
            stage.measure(f"disk-{one.bus}", disk.read, emulator=emulator)
            disks.append(disk_row(one, _driver(guest, one.disk), disk))
    stage.table("nics", nics)
    stage.table("disks", disks)
    stage.note("same")
    if nothing_counted:
        stage.note("uncounted", cause=nothing_counted)
    elif exits := exits_by_device(nics, disks):
        stage.note("counted", **exits)


def exits_by_device(
    nics: Sequence[dict[str, Value]], disks: Sequence[dict[str, Value]]
) -> dict[str, str] | None:
    """Return the exits of each NIC and disk for the note, or None where one of them could not be had."""
    found = {str(row["model"]): row["exits"] for row in nics}
    found |= {"block" if row["model"] == "virtio" else str(row["model"]): row["exits"] for row in disks}
    kept = {name: f"{value:.0f}" for name, value in found.items() if isinstance(value, (int, float))}
    return kept if len(kept) == len(found) else None


def uncounted(accelerator: str, cause: str | None) -> str | None:
    """Return why exits cannot be counted, or None."""
    return counters.NOT_UNDER_TCG if accelerator == "tcg" else cause


def nic_row(family: Family, driver: str, rounds: Sequence[dict[str, float]]) -> dict[str, Value]:
    """Return a NIC's row: medians over the rounds; what could not be had stays empty."""

    def median(name: str) -> float | None:
        return statistics.median(one[name] for one in rounds) if all(name in one for one in rounds) else None

    return {
        "model": family.nic,
        "driver": driver,
        "to_guest": median("tcp_to_guest"),
        "from_guest": median("tcp_from_guest"),
        "rtt": median("rtt"),
        "exits": median("exits_per_mb"),
        "mmio": median("mmio_exits_per_mb"),
    }


def disk_row(family: Family, driver: str, disk: Disk) -> dict[str, Value]:
    """Return a disk's row: medians; exits stay empty where they cannot be counted."""
    return {
        "model": family.bus,
        "driver": driver,
        "read": statistics.median(disk.read),
        "write": statistics.median(disk.write),
        "request": statistics.median(disk.request),
        "exits": statistics.median(disk.exits) if disk.exits else None,
    }


def _disk(stage: Stage, guest: Domain, family: Family, counted: bool) -> Disk:
    """Write and read the disk; the first writing, in which the host's file grows, is not counted."""
    device = f"/dev/{family.disk}"
    write = Copy(f"if=/dev/zero of={device} oflag=direct", DISK_MIB, MIB)
    read = Copy(f"if={device} of=/dev/null iflag=direct", DISK_MIB, MIB)
    small = Copy(f"if={device} of=/dev/null iflag=direct", SMALL, SMALL_BYTES)
    said: list[str] = []
    _carry_out(guest, write, said)
    found = Disk()
    for _ in range(WORK.repeats):
        found.write.append(write.megabytes / _carry_out(guest, write, said))
        found.read.append(read.megabytes / _carry_out(guest, read, said))
        before = _exits(guest)
        found.request.append(_carry_out(guest, small, said) / SMALL * 1e6)
        after = _exits(guest)
        if counted and before is not None and after is not None:
            found.exits.append((after - before) / SMALL)
    stage.evidence(f"dd-{family.bus}.txt", "\n".join(said))
    return found


def _exits(guest: Domain) -> int | None:
    return counters.read(guest.machine.statistics()).sums.get("exits")


def _carry_out(guest: Domain, copy: Copy, kept: list[str]) -> float:
    """Run dd in the guest, which is left alone until it has ended, and return how many seconds it took."""
    script = f"{_NOW}; {{ now; {copy.command}; now; }} >/tmp/said 2>&1; echo >/tmp/done"
    guest.guest.shell(f"rm -f /tmp/done; ({script}) >/dev/null 2>&1 &")
    wait.until(
        lambda: guest.guest.run(["/bin/sh", "-c", "[ -e /tmp/done ]"], check=False).status == 0,
        waiting_for=f"{copy.command} in {guest.spec.name}",
        deadline=DISK_SECONDS,
        interval=ASK_EVERY,
        longest_interval=ASK_EVERY,
    )
    said = guest.guest.shell("cat /tmp/said")
    kept.append(f"{copy.command}\n{said}")
    return copy.seconds(said)


def _driver(guest: Domain, disk: str) -> str:
    """Return the driver of a disk's controller, as the guest has it."""
    # From the disk upwards, the first PCI function is the controller.
    script = (
        f"path=$(readlink -f /sys/block/{disk}/device); "
        'until [ -e "$path/class" ] && [ -e "$path/vendor" ] && [ -e "$path/irq" ]; do path=${path%/*}; '
        '[ -n "$path" ] || exit 1; done; readlink "$path/driver"'
    )
    return guest.guest.shell(script).strip().rpartition("/")[2]
