"""Run a matrix: start the guests, measure them in turn, and keep every sample.

The rounds are interleaved: each round goes through all cells before the next one starts, so that a host which
slows down slows all cells alike. Guests that are not being measured are paused.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from domains import capabilities, devices, lifecycle, ownership
from domains.cloud import guest as cloud_guest
from domains.cloud.image import CloudImage
from domains.devices import modules
from domains.errors import TdlabError, UsageError
from domains.guest_image.contents import NIC_DRIVERS
from domains.host import Host
from domains.hypervisor import Hypervisor
from domains.images import GuestImage
from domains.lifecycle import Domain, Network
from domains.render import Owner
from domains.spec import DomainSpec
from grader.measure import cell as measuring
from grader.measure import environment
from grader.measure.matrix import Cell, Matrix
from grader.running import booting, groups, lending, tracing
from grader.running.booting import Booting
from grader.running.journal import Journal
from grader.running.timings import Timings

Say = Callable[[str], None]


# Beyond this the host's disk and its libvirt are what is waited for.
_MOST_BOOTS = 4


@dataclass(frozen=True)
class Bench:
    """Everything a run needs to know; one object, so that the steps below can be read one by one."""

    host: Host
    hypervisor: Hypervisor
    journal: Journal
    matrix: Matrix
    owner: Owner
    say: Say
    timings: Timings
    # An ordinary cloud image to measure with, instead of the tiny guest.
    cloud: CloudImage | None = None
    # Whether KVM's module may be loaded anew, for cells that ask for other page tables.
    may_reload: bool = False
    # How many guests may boot at the same time.
    processors: int = 1
    # Why KVM's counters are not to be believed on this host, or None.
    no_counters: str | None = None
    # Why exits cannot be counted by hardware reason, or None.
    no_reasons: str | None = None

    def asked(self, cell: Cell) -> dict[str, Any]:
        """Return what a cell asks for, and of which image when it is not the tiny guest's."""
        image = {"image": self.cloud.label} if self.cloud else {}
        return measuring.asked(cell.spec) | lending.asked(cell.spec) | image

    def ran(self, domain: Domain) -> dict[str, Any]:
        """Return what runs, read back; see :meth:`asked`."""
        facts = measuring.ran(self.host, domain)
        if self.cloud:
            facts["image"] = f"{self.cloud.file.name} {cloud_guest.image_digest(domain.machine.xml())}"
            facts["channel"] = domain.guest.channel
        return facts

    @property
    def drivers(self) -> tuple[str, ...] | None:
        """The NIC drivers that the guests have; None for a cloud image, which has a whole kernel's."""
        return None if self.cloud else NIC_DRIVERS


def run(bench: Bench, image: Callable[[], GuestImage]) -> None:
    """Measure what the journal does not hold yet; each cell ends measured, skipped or in error.

    ``image`` gives the guest image; it is called only when a guest has to start.
    """
    missing = _missing(bench)
    if not missing:
        return
    with bench.timings.phase("look at the host"):
        seen = environment.collect(bench.host, bench.hypervisor)
        able = capabilities.probe(bench.host, bench.hypervisor, say=bench.say)
        chosen = capabilities.choose(able["kvm"])
    bench = dataclasses.replace(
        bench,
        processors=min(_MOST_BOOTS, seen.get("cpus", 1)),
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
        with bench.timings.phase("store the guest image"):
            scratch = bench.journal.folder / ".cloud"
            boot = held.enter_context(
                booting.ready(bench.hypervisor, bench.owner, image(), bench.cloud, scratch)
            )
        place = dataclasses.replace(boot.place, accelerator=chosen.name)
        for wanted, same in groups.by_page_tables(cells, able.facts.two_tables):
            with _page_tables(bench, wanted):
                for group in groups.side_by_side(same, groups.available_memory(bench.host)):
                    _measure_group(bench, group, Booting(place, boot.start))


@contextlib.contextmanager
def _page_tables(bench: Bench, wanted: bool | None) -> Iterator[None]:
    """Have KVM run its guests on EPT/RVI or on shadow page tables, as cells ask; put back afterwards."""
    if wanted is None or not bench.may_reload:
        yield
        return
    with contextlib.ExitStack() as held:
        with bench.timings.phase("load KVM's module anew"):
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


def _measure_group(bench: Bench, cells: Sequence[Cell], boot: Booting) -> None:
    mode = cells[0].spec.network.mode
    with contextlib.ExitStack() as everything:
        net = everything.enter_context(lifecycle.network(bench.hypervisor, bench.owner, mode=mode))
        pool = everything.enter_context(lending.opened(bench.host, bench.owner, cells, bench.drivers))
        guests: dict[str, Domain] = {}
        lives: dict[str, contextlib.ExitStack] = {}
        everything.callback(_end_together, bench, lives)
        with bench.timings.phase("boot the guests"):
            _boot_all(
                bench,
                [
                    functools.partial(
                        _boot,
                        bench,
                        cell,
                        boot,
                        net,
                        number,
                        lending.lent(pool, cell.spec, net, number),
                        guests,
                        lives,
                    )
                    for number, cell in enumerate(cells)
                ],
            )
        _rounds(bench, cells, guests, lives)


def _boot_all(bench: Bench, boots: Sequence[Callable[[], None]]) -> None:
    """Boot guests side by side: nothing is measured yet, and a boot is mostly one processor's work."""
    with ThreadPoolExecutor(max_workers=bench.processors) as workers:
        running = [workers.submit(boot) for boot in boots]
        try:
            for one in running:
                one.result()
        except BaseException:
            for waiting in running:
                waiting.cancel()
            # A boot that is under way ends when its guest does; nobody wants to wait for its deadline.
            for machine, _ in bench.hypervisor.machines():
                if machine.name.startswith(f"{ownership.PREFIX}{bench.owner.run}-"):
                    machine.destroy()
            raise


def _boot(
    bench: Bench,
    cell: Cell,
    boot: Booting,
    net: Network,
    number: int,
    lent: AbstractContextManager[tuple[DomainSpec, dict[str, Any]]],
    guests: dict[str, Domain],
    lives: dict[str, contextlib.ExitStack],
) -> None:
    name = f"{ownership.PREFIX}{bench.owner.run}-{cell.id}"
    life = contextlib.ExitStack()
    lives[cell.id] = life
    try:
        accelerator = "tcg" if cell.spec.accelerator == "tcg" else boot.place.accelerator
        here = dataclasses.replace(boot.place, name=name, accelerator=accelerator)
        spec, device = life.enter_context(lent)
        domain = life.enter_context(boot.start(spec, here, net, number))
        measuring.wait_for_network(bench.host, domain)
        facts = bench.ran(domain) | device
        measuring.refuse_other(bench.asked(cell), facts)
        domain.machine.pause()
    except TdlabError as broken:
        _give_up(bench, cell, broken, lives)
        return
    guests[cell.id] = domain
    bench.say(f"{cell.id}: ready in {domain.boot_to_ready:.1f} s, driver {facts['driver']} in the guest")
    bench.journal.add(
        "cell",
        cell=cell.id,
        status="measured",
        asked=bench.asked(cell),
        ran=facts,
        boot_to_ready=domain.boot_to_ready,
        xml=domain.xml,
    )


def _rounds(
    bench: Bench, cells: Sequence[Cell], guests: dict[str, Domain], lives: dict[str, contextlib.ExitStack]
) -> None:
    """Measure round by round; the cell that begins changes each time, so that none is always first."""
    held = {(line["cell"], line["round"]) for line in bench.journal.lines("round")}
    for number in range(bench.matrix.workload.repeats):
        start = number % len(cells)
        for cell in [*cells[start:], *cells[:start]]:
            if cell.id not in guests or (cell.id, number) in held:
                continue
            with bench.timings.phase("measure"):
                _one_round(bench, cell, number, guests, lives)
    with bench.timings.phase("count exits by reason"):
        tracing.trace(
            bench.journal,
            bench.host,
            bench.owner,
            guests,
            refused=bench.no_reasons,
            believed=bench.no_counters is None,
            say=bench.say,
        )


def _one_round(
    bench: Bench, cell: Cell, number: int, guests: dict[str, Domain], lives: dict[str, contextlib.ExitStack]
) -> None:
    domain = guests[cell.id]
    try:
        domain.machine.resume()
        found = measuring.measure(bench.host, domain, bench.matrix.workload, bench.no_counters)
        domain.machine.pause()
    except TdlabError as broken:
        del guests[cell.id]
        _give_up(bench, cell, broken, lives)
        return
    bench.journal.add("round", cell=cell.id, round=number, **dataclasses.asdict(found))
    to_guest, from_guest = found.samples["tcp_to_guest"], found.samples["tcp_from_guest"]
    total = bench.matrix.workload.repeats
    bench.say(
        f"[{number + 1}/{total}] {cell.id}: {to_guest:.0f} Mbit/s to the guest, {from_guest:.0f} from it"
    )


def _give_up(bench: Bench, cell: Cell, broken: TdlabError, lives: dict[str, contextlib.ExitStack]) -> None:
    """One cell broke, which is ours: note why, end its guest, and go on with the others."""
    bench.say(f"{cell.id}: error, {broken.problem}")
    bench.journal.add(
        "cell",
        cell=cell.id,
        status="error",
        asked=bench.asked(cell),
        cause=broken.problem,
        remedy=broken.remedy or "run it again with --resume",
    )
    _end(bench, lives.pop(cell.id))


def _end_together(bench: Bench, lives: dict[str, contextlib.ExitStack]) -> None:
    """End all guests side by side: each takes libvirt a second or two, most of it waiting."""
    with bench.timings.phase("end the guests"), ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(lambda life: _end(bench, life), lives.values()))


def _end(bench: Bench, life: contextlib.ExitStack) -> None:
    try:
        life.close()
    except TdlabError as broken:
        # The next start's sweep removes what could not be removed now; the samples are safe either way.
        bench.say(f"could not clean up: {broken.problem}")
