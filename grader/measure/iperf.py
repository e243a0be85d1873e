"""TCP throughput by iperf3: the command to run, and a pure parser of its JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from domains.errors import InfrastructureError

Direction = Literal["to_guest", "from_guest"]

# An iperf3 server serves one client at a time, and closes its port for a moment after each.
_NOT_READY = ("Connection refused", "Connection reset", "server is busy")
DIRECTIONS: tuple[Direction, ...] = ("to_guest", "from_guest")


@dataclass(frozen=True)
class Throughput:
    """One transfer: Mbit/s at the receiver after the warm-up, the warm-up's own rate, and all bytes moved.

    ``megabytes`` (10^6 bytes) counts the warm-up too, because the counters of the guest do.
    """

    mbit_per_s: float
    warmup_mbit_per_s: float | None
    megabytes: float


def client(address: str, direction: Direction, *, seconds: int, warmup: int) -> list[str]:
    """Return the words that start an iperf3 client against a server in the guest."""
    words = ["iperf3", "-J", "-c", address, "-t", str(seconds), "-O", str(warmup), "-i", "1"]
    # Without a limit a client whose guest has gone waits for the kernel's own time-out, minutes later.
    words += ["--connect-timeout", "3000"]
    return [*words, "-R"] if direction == "from_guest" else words


def parse(text: str) -> Throughput:
    """Read the JSON that iperf3 printed; raises :class:`InfrastructureError` when it holds no transfer."""
    try:
        report = json.loads(text)
    except ValueError as bad:
        raise InfrastructureError(f"iperf3 printed no JSON: {text[:80]!r}") from bad
    if not isinstance(report, dict):
        raise InfrastructureError(f"iperf3 printed no report: {text[:80]!r}")
    if said := report.get("error"):
        raise InfrastructureError(f"iperf3: {said}")
    try:
        total = report["end"]["sum_received"]
        rows = [interval["sum"] for interval in report["intervals"]]
        moved = sum(row["bytes"] for row in rows) / 1e6
        return Throughput(total["bits_per_second"] / 1e6, _rate(rows), moved)
    except (KeyError, TypeError) as bad:
        raise InfrastructureError(f"iperf3's JSON has no {bad}") from bad


def nothing_began(text: str) -> bool:
    """Return whether the server was not ready, so that nothing was measured and one may ask again."""
    try:
        report = json.loads(text)
    except ValueError:
        return False
    if not isinstance(report, dict):
        return False
    said = str(report.get("error", ""))
    return not report.get("intervals") and any(word in said for word in _NOT_READY)


def _rate(rows: list[dict[str, Any]]) -> float | None:
    omitted = [row for row in rows if row.get("omitted")]
    seconds = sum(row["seconds"] for row in omitted)
    return sum(row["bytes"] for row in omitted) * 8 / 1e6 / seconds if seconds > 0 else None
