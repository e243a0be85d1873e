"""Which cells are measured side by side: guests that fit into memory, share a network and the page tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from domains.errors import InfrastructureError
from domains.host import Host
from grader.measure.matrix import Cell
from grader.running import lending

# What a guest costs the host beside its memory, and what is to stay free for everything else.
_GUEST_OVERHEAD = 96 * 2**20
_KEEP_FREE = 512 * 2**20
# Guests have the addresses .10 to .209 of their network.
_MOST_GUESTS = 200


def by_page_tables(cells: Sequence[Cell], now: bool | None) -> Iterator[tuple[bool | None, list[Cell]]]:
    """Yield the cells by what KVM's module is to be loaded with: EPT/RVI on (True), off, or None: as it is.

    What the host has ``now`` comes first, together with the cells that do not care.
    """
    sorted_: dict[bool | None, list[Cell]] = {now: []}
    for cell in cells:
        wanted = now if cell.spec.cpu.ept is None else cell.spec.cpu.ept == "on"
        sorted_.setdefault(wanted, []).append(cell)
    yield from ((wanted, same) for wanted, same in sorted_.items() if same)


def side_by_side(cells: Sequence[Cell], available: int) -> Iterator[list[Cell]]:
    """Yield the cells in groups that fit into ``available`` bytes and share a kind of network."""
    by_network: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        alone = cell.id if lending.is_alone(cell.spec) else ""
        by_network.setdefault((cell.spec.network.mode, alone), []).append(cell)
    room = available - _KEEP_FREE
    for same in by_network.values():
        group: list[Cell] = []
        used = 0
        for cell in same:
            needs = cell.spec.memory + _GUEST_OVERHEAD
            if group and (used + needs > room or len(group) == _MOST_GUESTS):
                yield group
                group, used = [], 0
            group.append(cell)
            used += needs
        yield group


def available_memory(host: Host) -> int:
    """Return how many bytes the host has for guests."""
    for line in (host.read("/proc/meminfo") or "").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    raise InfrastructureError(f"{host.name} does not say how much memory is available")
