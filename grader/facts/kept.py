"""``evidence/host.json``: what was asked of a lab host, and what was found (``tdlab.host-facts/1``)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from grader.lab.practical import Fact
from grader.measure.moment import Moment
from grader.measure.run import Record

Value = bool | int | str


class Found(Record):
    """One thing that was looked at; ``seen`` always holds ``exists``, unless ``problem`` says why not.

    ``contains`` and ``arguments`` hold what was looked for inside a file or among processes, and whether it
    was there.
    """

    kind: str
    name: str
    seen: dict[str, Value] = Field(default_factory=dict)
    contains: dict[str, bool] = Field(default_factory=dict)
    arguments: dict[str, bool] = Field(default_factory=dict)
    problem: str | None = None


class HostFacts(Record):
    """All that was found; ``problem`` says why the host could not be looked at at all."""

    schema_: Literal["tdlab.host-facts/1"] = Field(default="tdlab.host-facts/1", alias="schema")
    lab: str
    host: str
    emulator: str | None = None
    time: Moment
    problem: str | None = None
    found: tuple[Found, ...] = ()

    def about(self, fact: Fact) -> Found | None:
        """Return what was found about a fact's thing, or None when nobody looked."""
        return next((one for one in self.found if (one.kind, one.name) == fact.about), None)


def holds(fact: Fact, found: Found) -> bool | None:
    """Say whether a fact holds by what was found; None when it was not looked for."""
    exists = found.seen.get("exists")
    if not isinstance(exists, bool):
        return None
    if fact.absent or not exists:
        return exists is not fact.absent
    wanted: dict[str, Value | None] = {
        "running": fact.running,
        "enabled": fact.enabled,
        "mode": None if fact.mode is None else fact.mode.lstrip("0").zfill(3),
        "owner": fact.owner,
        "group": fact.group,
        "value": fact.value,
        "state": fact.state,
    }
    seen: list[bool | None] = [
        _same(found.seen.get(key), value) for key, value in wanted.items() if value is not None
    ]
    if fact.contains is not None:
        seen.append(found.contains.get(fact.contains))
    if fact.argument is not None:
        seen.append(found.arguments.get(fact.argument))
    if False in seen:
        return False
    return None if None in seen else True


def _same(seen: Value | None, wanted: Value) -> bool | None:
    if seen is None:
        return None
    return seen is wanted if isinstance(wanted, bool) else str(seen) == str(wanted)
