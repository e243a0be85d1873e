"""One group of cells: its guests start side by side, are measured round by round, and end together."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from domains import lifecycle, ownership
from domains.devices import Pool
from domains.errors import TdlabError
from domains.lifecycle import Domain, Network
from domains.phases import phase
from grader.measure import cell as measuring
from grader.measure.matrix import Cell
from grader.running import lending, tracing
from grader.running.booting import Booting, Plugging
from grader.running.work import Bench


def measure(bench: Bench, cells: Sequence[Cell], boot: Booting) -> None:
    """Measure all rounds that the cells of a group still lack; what breaks costs its own cell only."""
    with contextlib.ExitStack() as everything:
        net = everything.enter_context(
            lifecycle.network(bench.hypervisor, bench.owner, mode=cells[0].spec.network.mode)
        )
        pool = everything.enter_context(lending.opened(bench.host, bench.owner, cells, bench.drivers))
        rounds = Rounds(bench, cells, boot, net, pool)
        everything.callback(rounds.end)
        if bench.one_guest:
            shared = everything.enter_context(contextlib.ExitStack())
            rounds.boot = Plugging(bench.hypervisor, boot, shared, len(cells)).booting()
        with phase("boot the guests"):
            rounds.boot_all()
        rounds.measure_all()
        with phase("count exits by reason"):
            rounds.trace_all()


@dataclass
class Rounds:
    """The guests of one group: those that are ready by cell, and what owns each of them to its end."""

    bench: Bench
    cells: Sequence[Cell]
    boot: Booting
    net: Network
    pool: Pool
    guests: dict[str, Domain] = field(default_factory=dict)
    lives: dict[str, contextlib.ExitStack] = field(default_factory=dict)

    def boot_all(self) -> None:
        """Boot the guests side by side: nothing is measured yet, and a boot is mostly work for one CPU."""
        with ThreadPoolExecutor(max_workers=1 if self.bench.one_guest else self.bench.boots) as workers:
            booting = [workers.submit(self._boot, number, cell) for number, cell in enumerate(self.cells)]
            try:
                for one in booting:
                    one.result()
            except BaseException:
                for waiting in booting:
                    waiting.cancel()
                # A boot that is under way ends when its guest does; nobody wants to wait for its deadline.
                for machine, _ in self.bench.hypervisor.machines():
                    if machine.name.startswith(self._prefix):
                        machine.destroy()
                raise

    def measure_all(self) -> None:
        """Measure round by round; the cell that begins changes each time, so that none is always first."""
        held = {(line["cell"], line["round"]) for line in self.bench.journal.lines("round")}
        for number in range(self.bench.matrix.workload.repeats):
            start = number % len(self.cells)
            for cell in [*self.cells[start:], *self.cells[:start]]:
                if cell.id in self.guests and (cell.id, number) not in held:
                    with phase("measure"):
                        self._measure(cell, number)

    def trace_all(self) -> None:
        """Count the exits of each guest by hardware reason, apart from the rounds: it costs time at each."""
        tracing.trace(
            self.bench.journal,
            self.bench.host,
            self.bench.owner,
            self.guests,
            self.boot.linked,
            refused=self.bench.no_reasons,
            believed=self.bench.no_counters is None,
            say=self.bench.say,
        )

    def end(self) -> None:
        """End all guests side by side: each takes libvirt a second or two, most of it waiting."""
        with phase("end the guests"), ThreadPoolExecutor(max_workers=8) as workers:
            list(workers.map(self._end, self.lives.values()))

    @property
    def _prefix(self) -> str:
        return f"{ownership.PREFIX}{self.bench.owner.run}-"

    def _boot(self, number: int, cell: Cell) -> None:
        bench = self.bench
        life = self.lives[cell.id] = contextlib.ExitStack()
        try:
            accelerator = "tcg" if cell.spec.accelerator == "tcg" else self.boot.place.accelerator
            here = dataclasses.replace(
                self.boot.place, name=f"{self._prefix}{cell.id}", accelerator=accelerator
            )
            spec, device = life.enter_context(lending.lent(self.pool, cell.spec, self.net, number))
            domain = life.enter_context(self.boot.start(spec, here, self.net, number))
            measuring.wait_for_network(bench.host, domain)
            facts = bench.ran(domain) | device
            measuring.refuse_other(bench.asked(cell), facts)
            self.boot.settle(domain)
        except TdlabError as broken:
            self._give_up(cell, broken)
            return
        self.guests[cell.id] = domain
        how = "ready" if domain.port is None else "plugged in"
        bench.say(f"{cell.id}: {how} in {domain.boot_to_ready:.1f} s, driver {facts['driver']} in the guest")
        booted = {"boot_to_ready": domain.boot_to_ready} if domain.port is None else {}
        bench.journal.add(
            "cell",
            cell=cell.id,
            status="measured",
            asked=bench.asked(cell),
            ran=facts | ({"port": domain.port} if domain.port else {}),
            xml=domain.xml,
            **booted,
        )

    def _measure(self, cell: Cell, number: int) -> None:
        bench, domain = self.bench, self.guests[cell.id]
        try:
            with self.boot.linked(domain):
                domain.machine.resume()
                found = measuring.measure(bench.host, domain, bench.matrix.workload, bench.no_counters)
                domain.machine.pause()
        except TdlabError as broken:
            del self.guests[cell.id]
            self._give_up(cell, broken)
            return
        bench.journal.add("round", cell=cell.id, round=number, **dataclasses.asdict(found))
        to_guest, from_guest = found.samples["tcp_to_guest"], found.samples["tcp_from_guest"]
        bench.say(
            f"[{number + 1}/{bench.matrix.workload.repeats}] {cell.id}: {to_guest:.0f} Mbit/s to the guest, "
            f"{from_guest:.0f} from it"
        )

    def _give_up(self, cell: Cell, broken: TdlabError) -> None:
        """One cell broke, which is ours: note why, end its guest, and go on with the others."""
        self.bench.say(f"{cell.id}: error, {broken.problem}")
        self.bench.journal.add(
            "cell",
            cell=cell.id,
            status="error",
            asked=self.bench.asked(cell),
            cause=broken.problem,
            remedy=broken.remedy or "run it again with --resume",
        )
        self._end(self.lives.pop(cell.id))

    def _end(self, life: contextlib.ExitStack) -> None:
        try:
            life.close()
        except TdlabError as broken:
            # The next start's sweep removes what could not be removed now; the samples are safe either way.
            self.bench.say(f"could not clean up: {broken.problem}")
