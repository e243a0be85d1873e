"""One cell: what really runs in it, and one round of its workload."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from domains import wait
from domains.errors import InfrastructureError
from domains.host import Host
from domains.lifecycle import Domain
from domains.spec import DomainSpec
from grader.measure import counters, iperf, ping
from grader.measure.matrix import Workload

_SLACK_SECONDS = 20
# What is read back in the words in which it was asked for: libvirt's names of machines are others.
_COMPARED = frozenset(
    {"accelerator", "nic_model", "vhost", "ept", "memory_mib", "vcpus", "device", "host_driver"}
)


@dataclass
class Round:
    """The samples of one round by metric, the warm-ups' apart, and why a metric could not be had."""

    samples: dict[str, float] = field(default_factory=dict)
    warmups: dict[str, float] = field(default_factory=dict)
    not_measurable: dict[str, str] = field(default_factory=dict)


def asked(spec: DomainSpec) -> dict[str, Any]:
    """Return what the spec asks for, under the keys of :func:`ran`; what it leaves open is "any"."""
    return {
        "accelerator": "any" if spec.accelerator == "auto" else spec.accelerator,
        "machine": spec.machine,
        "nic_model": spec.nic.model,
        "vhost": (spec.nic.vhost or "off") if spec.nic.model == "virtio" else None,
        "ept": spec.cpu.ept or "any",
        "memory_mib": spec.memory // 2**20,
        "vcpus": spec.vcpus,
    }


def ran(host: Host, domain: Domain) -> dict[str, Any]:
    """Read back what runs: from libvirt's live XML, from the host's modules, and from inside the guest."""
    live = etree.fromstring(domain.machine.xml().encode())
    accelerator = "kvm" if live.get("type") == "kvm" else "tcg"
    # Several NICs may be plugged into one guest: each is known by its port there.
    plugged = f"/address[@bus='{domain.port}']/.." if domain.port else ""
    nic = live.find(f"devices/interface{plugged}")
    driver, model = (None, None) if nic is None else (nic.find("driver"), nic.find("model"))
    vhost = None
    if domain.spec.nic.model == "virtio":
        vhost = "on" if driver is not None and driver.get("name") == "vhost" else "off"
    machine = live.findtext("os/type") and live.find("os/type").get("machine", "")  # type: ignore[union-attr]
    return {
        "accelerator": accelerator,
        "machine": machine,
        "nic_model": domain.spec.nic.model if model is None else model.get("type"),
        "vhost": vhost,
        "ept": _ept(host) if accelerator == "kvm" else None,
        "memory_mib": int(live.findtext("memory", "0")) // 1024,
        "vcpus": int(live.findtext("vcpu", "0")),
        "driver": domain.guest.driver(domain.interface),
        "guest_kernel": domain.guest.shell("uname -r").strip(),
    }


def refuse_other(asked: dict[str, Any], ran: dict[str, Any]) -> None:
    """Raise :class:`InfrastructureError` when something else runs than what was asked for."""
    for key, wanted in asked.items():
        if wanted in {None, "any"} or key not in _COMPARED:
            continue
        if ran.get(key) != wanted:
            raise InfrastructureError(
                f"{key}: {wanted} was asked for, and {ran.get(key)} runs",
                remedy="it would have been measured as what it is not; run it again with --resume",
            )


def _ept(host: Host) -> str | None:
    for parameter in ("kvm_intel/parameters/ept", "kvm_amd/parameters/npt"):
        if (value := host.read(f"/sys/module/{parameter}")) is not None:
            return "on" if value.strip() in {"Y", "1"} else "off"
    return None


def wait_for_network(host: Host, domain: Domain) -> None:
    """Return when the guest answers on the network: some NICs take a second to report their link."""
    done = host.run(
        ["ping", "-n", "-q", "-c", "1", "-i", "0.2", "-w", "10", domain.address], timeout=15, check=False
    )
    if done.status != 0:
        # What keeps ping itself from working is no silence of the guest's.
        why = next((f": {line}" for line in done.stderr.splitlines() if line.startswith("ping: ")), "")
        raise InfrastructureError(f"{domain.machine.name} did not answer on its network within 10 s{why}")


def measure(host: Host, domain: Domain, work: Workload, no_counters: str | None = None) -> Round:
    """Put a guest through one round of the workload and return its samples.

    ``no_counters`` says why KVM's counters are not to be believed here; what rests on them is then named
    as not measurable.
    """
    found = Round()
    before = counters.read(domain.machine.statistics())
    megabytes = 0.0
    for direction in iperf.DIRECTIONS:
        moved = transfer(host, domain, direction, seconds=work.seconds, warmup=work.warmup)
        megabytes += moved.megabytes
        found.samples[f"tcp_{direction}"] = moved.mbit_per_s
        if moved.warmup_mbit_per_s is not None:
            found.warmups[f"tcp_{direction}"] = moved.warmup_mbit_per_s
    after = counters.read(domain.machine.statistics())
    had, found.not_measurable = counters.per_megabyte(before, after, megabytes)
    if no_counters:
        counters.disbelieve(had, found.not_measurable, no_counters)
    found.samples.update(had)
    _round_trips(host, domain, work, found)
    return found


def transfer(
    host: Host, domain: Domain, direction: iperf.Direction, *, seconds: int, warmup: int
) -> iperf.Throughput:
    """Move data one way for ``seconds`` after ``warmup`` seconds (0: none)."""
    command = iperf.client(domain.address, direction, seconds=seconds, warmup=warmup)

    def listened() -> str | None:
        done = host.run(command, timeout=seconds + warmup + _SLACK_SECONDS, check=False)
        return None if iperf.nothing_began(done.stdout) else done.stdout

    return iperf.parse(wait.until(listened, waiting_for=f"iperf3 in {domain.machine.name}", deadline=10))


def _round_trips(host: Host, domain: Domain, work: Workload, found: Round) -> None:
    seconds = work.pings * 0.002 + _SLACK_SECONDS
    done = host.run(ping.command(domain.address, count=work.pings), timeout=seconds, check=False)
    times = ping.parse(done.stdout)
    found.samples["rtt"] = statistics.median(times)
    found.samples["rtt_p99"] = ping.percentile(times, 0.99)
