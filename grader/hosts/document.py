"""What many hosts showed (schema ``tdlab.hosts/1``): each host's run, environment and place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from grader.fleet import causes
from grader.hosts import candidates, comparing
from grader.hosts.candidates import Candidate
from grader.hosts.comparing import Comparison
from grader.hosts.plan import Named, Plan
from grader.hosts.turns import Turn
from grader.language.inert import one_line
from grader.measure.run import Record

FILE, PAGE = "hosts.json", "hosts.html"
SCHEMA = "tdlab.hosts/1"
_LONGEST = 500
# What stops a machine when it is deployed to stops it here, too.
_KINDS = {one.id: one for one in vars(causes).values() if isinstance(one, causes.Kind)}

State = Literal["measured", "partly", "failed", "interrupted"]


class HostResult(Record):
    """One host: what became of it, and how it stands beside the reference.

    ``cause_id`` is one of the stable words of ``docs/room.md``, or "held" or "unable". ``folder`` holds
    its run (``report.json``, ``tdlab.run/1``) and ``log.txt``. ``candidates`` are what may be behind it.
    """

    name: str
    address: str
    state: State
    folder: str
    cause_id: str | None = None
    cause: str | None = None
    remedy: str | None = None
    seconds: float = 0.0
    run: str | None = None
    environment: dict[str, Any] = Field(default_factory=dict)
    measured: tuple[str, ...] = ()
    comparison: Comparison | None = None
    candidates: tuple[Candidate, ...] = ()


class HostsReport(Record):
    """All hosts of a group; ``reference`` is the one that the others stand beside, None where none is.

    ``against`` is the one that was asked for: another stands in its place where it was not measured.
    """

    schema_: Literal["tdlab.hosts/1"] = Field(default="tdlab.hosts/1", alias="schema")
    group: str
    title: dict[str, str]
    tdlab: str
    side_by_side: int
    workload: dict[str, Any]
    cells: tuple[str, ...]
    reference: str | None
    against: str | None = None
    differing: tuple[str, ...] = ()
    hosts: tuple[HostResult, ...]

    def to_json(self) -> str:
        """Return the report as JSON text."""
        return self.model_dump_json(by_alias=True, indent=2) + "\n"


def report(plan: Plan, turns: Sequence[Turn], *, at_once: int, against: str | None = None) -> HostsReport:
    """Return what the turns showed; ``against`` names the host to compare with, if it was measured."""
    from grader.version import version

    runs = {one.named.name: one.run for one in turns if one.run and _measured(one)}
    chosen = comparing.reference(runs, against if against in runs else None)
    beside = comparing.compare(runs, chosen) if chosen else {}
    environments = {name: run.environment for name, run in runs.items()}
    verdicts = {name: one.verdict for name, one in beside.items() if one.verdict != "apart"}
    return HostsReport(
        group=plan.group,
        title=plan.title,
        tdlab=version(),
        side_by_side=at_once,
        workload=plan.workload.model_dump(),
        cells=tuple(cell.id for cell in plan.cells),
        reference=chosen,
        against=against,
        differing=candidates.differing(environments) if len(environments) > 1 else (),
        hosts=tuple(_host(one, chosen, beside, environments, verdicts, plan.known_hosts) for one in turns),
    )


def _host(
    turn: Turn,
    chosen: str | None,
    beside: Mapping[str, Comparison],
    environments: Mapping[str, Mapping[str, Any]],
    verdicts: Mapping[str, str],
    known_hosts: str,
) -> HostResult:
    name = turn.named.name
    found: tuple[Candidate, ...] = ()
    if chosen and verdicts.get(name) in {"slower", "faster", "mixed"}:
        found = candidates.candidates(name, chosen, environments, verdicts)
    kind, remedy = _cause(turn, known_hosts)
    return HostResult(
        name=name,
        address=turn.named.way.name,
        state=_state(turn),
        folder=turn.named.folder,
        cause_id=kind,
        cause=one_line(turn.cause, limit=_LONGEST) if turn.cause else None,
        remedy=one_line(remedy, limit=_LONGEST) if remedy else None,
        seconds=round(turn.seconds, 1),
        run=turn.run.id if turn.run else None,
        environment=dict(turn.run.environment) if turn.run else {},
        measured=_measured(turn),
        comparison=beside.get(name),
        candidates=found,
    )


def _measured(turn: Turn) -> tuple[str, ...]:
    return tuple(cell.id for cell in turn.run.cells if cell.status == "measured") if turn.run else ()


def _state(turn: Turn) -> State:
    if turn.interrupted:
        return "interrupted"
    if turn.cause is None:
        return "measured"
    return "partly" if _measured(turn) else "failed"


def _cause(turn: Turn, known_hosts: str) -> tuple[str | None, str | None]:
    """Return the word for what stopped a host, and what mends it: for what SSH says, more than it says."""
    if turn.cause is None:
        return None, None
    if turn.interrupted:
        return causes.INTERRUPTED.id, turn.remedy
    kind = _KINDS.get(turn.word)
    # Deploying is repeated, and a run is gone on with.
    if kind in {None, causes.OTHER, causes.DROPPED} or turn.late:
        return turn.word or causes.OTHER.id, turn.remedy
    return kind.id, _mend(kind, turn.named, known_hosts)


def _mend(kind: causes.Kind, named: Named, known_hosts: str) -> str:
    """Return the command that mends a machine, by what deploying would say of it."""
    at = named.way
    known = at.address if at.port == 22 else f"[{at.address}]:{at.port}"
    login = at.name.partition("@")[0]
    return kind.mend.say(
        "en", address=at.address, login=login, port=at.port, known=known, known_hosts=known_hosts
    )
