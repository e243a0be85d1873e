"""Round-trip times by ping: the command to run, and a pure parser of its lines."""

from __future__ import annotations

import re
from collections.abc import Sequence

from domains.errors import InfrastructureError

_TIME = re.compile(r"\btime=([\d.]+) ms")


def command(address: str, *, count: int) -> list[str]:
    """Return the words that send ``count`` echo requests, 2 ms apart: the least an ordinary user may ask."""
    return ["ping", "-n", "-i", "0.002", "-c", str(count), "-W", "1", address]


def parse(text: str) -> list[float]:
    """Return every round-trip time in microseconds; raises :class:`InfrastructureError` if none came back."""
    times = [float(milliseconds) * 1000 for milliseconds in _TIME.findall(text)]
    if not times:
        last = (text.strip().splitlines() or ["nothing"])[-1]
        raise InfrastructureError(f"no ping came back from the guest: {last}")
    return times


def percentile(times: Sequence[float], share: float) -> float:
    """Return the value below which ``share`` (0 to 1) of the times lie, by nearest rank."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
