"""Run a matrix: start the guests, measure them in turn, and keep every sample.

The rounds are interleaved: each round goes through all cells before the next one starts, so that a host which
slows down slows all cells alike. Guests that are not being measured are paused.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence

from domains import capabilities, devices
from domains.cloud import guest as cloud_guest
from domains.devices import modules
from domains.errors import UsageError
from domains.images import GuestImage
from domains.phases import phase
from grader.measure import environment
from grader.measure.matrix import Cell
from grader.running import booting, groups, lending, rounds, tracing
from grader.running.booting import Booting
from grader.running.work import Bench


def run(bench: Bench, image: Callable[[], GuestImage]) -> None:
    """Measure what the journal does not hold yet; each cell ends measured, skipped or in error.

    ``image`` gives the guest image; it is called only when a guest has to start.
    """
    missing = _missing(bench)
    if not missing:
        return
    with phase("look at the host"):
        seen = environment.collect(bench.host, bench.hypervisor)
        able = capabilities.probe(bench.host, bench.hypervisor, say=bench.say)
        chosen = capabilities.choose(able["kvm"])
    bench = dataclasses.replace(
        bench,
        boots=min(bench.boots, seen.get("cpus", 1)),
        no_counters=able["counters"].cause,
        no_reasons=able["tracepoints"].cause,
    )
    _refuse_other_accelerator(bench, chosen.name)
    bench.journal.add(
        "environment", owner=bench.owner.run, environment=seen, accelerator=chosen.name, why=chosen.why
    )
    cells = list(_able(bench, missing, able))
    if not cells:
        return
    if chosen.name == "tcg":
        bench.say(f"guests run under TCG, software emulation: {chosen.why}")
    with contextlib.ExitStack() as held:
        with phase("store the guest image"):
            scratch = bench.journal.folder / ".cloud"
            boot = held.enter_context(
                booting.ready(bench.hypervisor, bench.owner, image(), bench.cloud, scratch)
            )
        place = dataclasses.replace(boot.place, accelerator=chosen.name)
        for wanted, same in groups.by_page_tables(cells, able.facts.two_tables):
            with _page_tables(bench, wanted):
                for group in groups.side_by_side(same, groups.available_memory(bench.host)):
                    rounds.measure(bench, group, Booting(place, boot.start))


@contextlib.contextmanager
def _page_tables(bench: Bench, wanted: bool | None) -> Iterator[None]:
    """Have KVM run its guests on EPT/RVI or on shadow page tables, as cells ask; put back afterwards."""
    if wanted is None or not bench.may_reload:
        yield
        return
    with contextlib.ExitStack() as held:
        with phase("load KVM's module anew"):
            held.enter_context(modules.with_two_tables(bench.host, wanted, owner=bench.owner))
        yield


def _refuse_other_accelerator(bench: Bench, now: str) -> None:
    """Refuse to go on under another accelerator: rounds of both would end in one median."""
    if not bench.journal.lines("round"):
        return
    before = {line["accelerator"] for line in bench.journal.lines("environment")} - {now}
    if before:
        raise UsageError(
            f"this run was begun under {' and '.join(sorted(before))}, and guests run under {now} now",
            remedy="see the row kvm of `tdlab doctor`, or leave --resume out to start anew",
        )


def _missing(bench: Bench) -> list[Cell]:
    """Return the cells that lack rounds, or exits by reason; skipped and failed ones are tried again."""
    done: dict[str, int] = {}
    for line in bench.journal.lines("round"):
        done[line["cell"]] = done.get(line["cell"], 0) + 1
    wanted, untraced = bench.matrix.workload.repeats, tracing.due(bench.journal)
    return [cell for cell in bench.matrix.cells if done.get(cell.id, 0) < wanted or cell.id in untraced]


def _able(bench: Bench, cells: Sequence[Cell], able: capabilities.Capabilities) -> Iterator[Cell]:
    """Yield what this host can run; note the rest as skipped, with cause and remedy."""
    look = functools.cache(lambda: devices.look(bench.host))
    for cell in cells:
        refused = capabilities.refusal(cell.spec, able, may_reload=bench.may_reload)
        if refused is None and devices.is_lent(cell.spec.nic):
            refused = lending.refusal(look(), cell.spec, bench.drivers)
        if refused is None and bench.cloud:
            refused = cloud_guest.refusal(cell.spec)
        if refused is None and cell.spec.network.mode == "bridge":
            cause = "on a bridge of the host's own the guest's address is not ours to choose"
            refused = capabilities.Refused(cause, "measure with network: {mode: isolated}")
        if refused is None:
            yield cell
            continue
        bench.say(f"{cell.id}: skipped, {refused.cause}")
        bench.journal.add(
            "cell",
            cell=cell.id,
            status="skipped",
            asked=bench.asked(cell),
            cause=refused.cause,
            remedy=refused.remedy,
        )
