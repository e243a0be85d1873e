"""Parsers of what tools print, and what samples come to."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from domains.errors import InfrastructureError
from domains.host import Host
from domains.lifecycle import Domain
from grader.measure import cell, counters, environment, iperf, ping, summary


def transfer(*, omitted: float = 1e9, counted: float = 2e9, rate: float = 16e9) -> str:
    """Return what iperf3 3.12 prints for one second of warm-up and one that counts (the keys we read)."""
    rows = [
        {"sum": {"bytes": omitted, "seconds": 1.0, "omitted": True}},
        {"sum": {"bytes": counted, "seconds": 1.0, "omitted": False}},
    ]
    return json.dumps({"intervals": rows, "end": {"sum_received": {"bits_per_second": rate}}})


class TestIperf:
    def test_rate_is_the_receivers_and_without_the_warm_up(self) -> None:
        found = iperf.parse(transfer(omitted=500e6, counted=250e6, rate=1999e6))
        assert found.mbit_per_s == pytest.approx(1999)
        assert found.warmup_mbit_per_s == pytest.approx(4000)

    def test_bytes_count_the_warm_up_as_the_counters_do(self) -> None:
        assert iperf.parse(transfer(omitted=500e6, counted=250e6)).megabytes == pytest.approx(750)

    @pytest.mark.parametrize("text", ["", "iperf3: command not found", "[1]", "null", "{}", '{"end": {}}'])
    def test_what_is_no_transfer_is_our_error(self, text: str) -> None:
        with pytest.raises(InfrastructureError):
            iperf.parse(text)

    def test_an_error_of_iperf_is_quoted(self) -> None:
        with pytest.raises(InfrastructureError, match="unable to connect to server: No route to host"):
            iperf.parse('{"error": "unable to connect to server: No route to host"}')

    @pytest.mark.parametrize("said", ["Connection refused", "the server is busy running a test"])
    def test_a_server_that_is_not_ready_may_be_asked_again(self, said: str) -> None:
        assert iperf.nothing_began(json.dumps({"intervals": [], "error": said}))

    def test_a_transfer_that_broke_half_way_is_not_asked_again(self) -> None:
        broken = json.dumps({"intervals": [{}], "error": "Connection reset by peer"})
        assert not iperf.nothing_began(broken)

    def test_the_direction_is_the_guests(self) -> None:
        assert "-R" not in iperf.client("10.0.0.2", "to_guest", seconds=1, warmup=1)
        assert "-R" in iperf.client("10.0.0.2", "from_guest", seconds=1, warmup=1)


class TestPing:
    def test_every_time_is_kept_in_microseconds(self) -> None:
        text = "64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=0.455 ms\n64 bytes …: seq=2 time=7 ms\n"
        assert ping.parse(text) == pytest.approx([455, 7000])

    def test_silence_is_our_error(self) -> None:
        with pytest.raises(InfrastructureError, match="100% packet loss"):
            ping.parse("2 packets transmitted, 0 received, 100% packet loss, time 20ms\n")

    @pytest.mark.parametrize(("share", "value"), [(0.0, 1), (0.5, 51), (0.99, 100), (1.0, 100)])
    def test_percentile_is_a_value_that_was_seen(self, share: float, value: float) -> None:
        assert ping.percentile([float(one) for one in range(1, 101)], share) == value


def statistics(**changes: Any) -> dict[str, Any]:
    """Return libvirt's keys for a guest under KVM with two vCPUs."""
    rows: dict[str, Any] = {"cpu.time": 10**9, "net.0.rx.pkts": 100, "net.0.tx.pkts": 50}
    for vcpu in (0, 1):
        for key in ("exits", "mmio_exits", "io_exits", "halt_exits", "irq_injections", "pf_taken"):
            rows[f"vcpu.{vcpu}.{key}.sum"] = 10
    return rows | changes


class TestCounters:
    def test_exits_are_summed_over_the_vcpus(self) -> None:
        assert counters.read(statistics()).sums["exits"] == 20

    def test_differences_per_megabyte_and_packet(self) -> None:
        later = {
            "vcpu.0.exits.sum": 110,
            "vcpu.1.mmio_exits.sum": 60,
            "net.0.rx.pkts": 150,
            "cpu.time": 3 * 10**9,
        }
        found, missing = counters.per_megabyte(
            counters.read(statistics()), counters.read(statistics(**later)), megabytes=50
        )
        assert missing == {}
        assert found["exits_per_mb"] == pytest.approx(2)
        assert found["mmio_exits_per_mb"] == pytest.approx(1)
        assert found["pio_exits_per_mb"] == 0
        assert found["exits_per_packet"] == pytest.approx(2)
        assert found["host_cpu_per_gb"] == pytest.approx(40)

    def test_a_missing_key_is_not_measurable_and_never_zero(self) -> None:
        bare = {"cpu.time": 5}
        found, missing = counters.per_megabyte(counters.read(bare), counters.read(bare), megabytes=1)
        assert not any("exits" in metric for metric in found)
        assert "QEMU reports no mmio_exits" in missing["mmio_exits_per_mb"]
        assert "do not pass the host" in missing["exits_per_packet"]

    def test_nothing_moved_gives_no_ratio(self) -> None:
        found, missing = counters.per_megabyte(
            counters.read(statistics()), counters.read(statistics()), megabytes=0
        )
        assert "exits_per_mb" not in found
        assert "exits_per_mb" in missing

    def test_counters_that_failed_their_test_are_named_and_the_rest_is_kept(self) -> None:
        later = counters.read(statistics(**{"cpu.time": 3 * 10**9, "net.0.rx.pkts": 150}))
        found, missing = counters.per_megabyte(counters.read(statistics()), later, megabytes=50)
        counters.disbelieve(found, missing, "not measurable here: miscounted")
        assert set(found) == {"host_cpu_per_gb"}
        assert set(missing.values()) == {"not measurable here: miscounted"}
        assert len(missing) == 7

    def test_no_packets_give_a_cause_and_no_ratio(self) -> None:
        found, missing = counters.per_megabyte(
            counters.read(statistics()), counters.read(statistics()), megabytes=1
        )
        assert "exits_per_packet" not in found
        assert "no packets" in missing["exits_per_packet"]


class TestSummary:
    def test_interval_holds_the_median_and_is_the_same_each_time(self) -> None:
        samples = [10.0, 12.0, 11.0, 30.0, 9.0]
        low, high = summary.interval(samples) or (0, 0)
        assert low <= 11.0 <= high
        assert (low, high) == summary.interval(samples)

    def test_two_samples_have_no_interval(self) -> None:
        assert summary.interval([1.0, 2.0]) is None

    def test_equal_samples_have_a_point(self) -> None:
        assert summary.interval([3.0, 3.0, 3.0]) == (3.0, 3.0)

    def test_all_samples_are_kept_in_order_with_their_unit(self) -> None:
        found = summary.measurement("tcp_to_guest", [3.0, 1.0, 2.0], [9.0])
        assert (found.samples, found.median, found.unit) == ((3.0, 1.0, 2.0), 2.0, "Mbit/s")
        assert found.warmups == (9.0,)


class TestEnvironment:
    def test_groups_and_numbers(self) -> None:
        text = "cpu\tAMD EPYC\ncpus\t2\nmitigation.l1tf\tNot affected\nmodule.kvm_amd.npt\t1\nno tab here\n"
        found = environment.parse(text)
        assert found["cpu"] == "AMD EPYC"
        assert found["cpus"] == 2
        assert found["mitigation"] == {"l1tf": "Not affected"}
        assert found["module"] == {"kvm_amd.npt": "1"}

    def test_of_the_command_line_only_what_changes_how_guests_run(self) -> None:
        found = environment.parse(
            "kernel_arguments\troot=/dev/secret mitigations=off intel_iommu=on token=x\n"
        )
        assert found["kernel_arguments"] == "mitigations=off intel_iommu=on"


class TestVariation:
    def test_is_the_standard_deviation_in_per_cent_of_the_mean(self) -> None:
        assert summary.variation([90, 100, 110]) == pytest.approx(10)
        assert summary.measurement("exits_per_mb", [90, 100, 110]).cv == pytest.approx(10)

    @pytest.mark.parametrize("samples", [[], [1.0, 2.0], [0.0, 0.0, 0.0], [-1.0, 0.0, 1.0]])
    def test_too_few_samples_or_a_mean_of_nothing_have_none(self, samples: list[float]) -> None:
        assert summary.variation(samples) is None

    def test_samples_that_are_all_alike_do_not_vary(self) -> None:
        assert summary.variation([5, 5, 5]) == 0


def test_a_ping_that_may_not_run_is_no_silence_of_the_guests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "ping"
    program.write_text("#!/bin/sh\necho 'ping: socket: Operation not permitted' >&2\nexit 2\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    guest = cast("Domain", SimpleNamespace(address="192.0.2.1", machine=SimpleNamespace(name="tdlab-x")))
    with pytest.raises(InfrastructureError, match="ping: socket: Operation not permitted"):
        cell.wait_for_network(Host(), guest)
