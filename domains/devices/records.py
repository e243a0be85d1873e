"""What was before a change, written on the host itself before the change is made.

A record lies under /run/tdlab/devices on the host, and goes with its boot, as all that it tells of does. It
names its owner, a process of the machine that tdlab runs on: when that process is gone, the next command
there puts back what it changed. A record is also the lock of its device: nobody else changes it meanwhile.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from domains import ownership
from domains.devices.steps import NOTHING, Step
from domains.errors import InfrastructureError
from domains.host import Host
from domains.render import Owner

FOLDER = "/run/tdlab/devices"
Kind = Literal["tracing", "address", "link", "binding", "vfs", "module"]
# In this order: a NIC cannot get VFs back while another driver holds it.
ORDER: tuple[Kind, ...] = ("tracing", "address", "link", "binding", "vfs", "module")
_LIST = f'cd {FOLDER} 2>/dev/null || exit 0; for one in *; do [ -f "$one" ] && cat "$one"; done; exit 0'
_WORDS: dict[Kind, str] = {
    "tracing": "tracing of",
    "address": "address on",
    "link": "link of",
    "binding": "driver of",
    "vfs": "VFs of",
    "module": "parameters of",
}


@dataclass(frozen=True)
class Record:
    """One change: of which device or interface, by whom, and what was before.

    ``before`` by kind: *vfs* ``count``, ``autoprobe``, ``drivers`` (by VF), ``down`` (the interfaces that
    were); *binding* ``driver``, ``override``, ``interfaces`` (name → ``up``, ``addresses``); *link* ``up``;
    *address* ``interface``, ``address``, ``peer`` (what was added); *module* ``parameters``; *tracing*
    nothing: its instance bears the guest's name, and was not there before.
    """

    kind: Kind
    device: str
    owner: Owner
    before: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The record's file: one for each kind of change of each device."""
        return f"{self.kind}-{self.device}"

    def __str__(self) -> str:
        return f"{_WORDS[self.kind]} {self.device.partition('=')[0]}"

    def to_json(self) -> str:
        """Return the record as one line."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    def undo(self) -> tuple[Step, ...]:
        """Return the steps that put back what was before and then drop the record; safe to do twice."""
        steps = {
            "vfs": _undo_vfs,
            "binding": _undo_binding,
            "link": _undo_link,
            "address": _undo_address,
            "module": _undo_module,
            "tracing": _undo_tracing,
        }
        return (*steps[self.kind](self), ("drop", self.name))


def read(host: Host) -> tuple[Record, ...]:
    """Return the records on a host, those to be undone first first.

    Raises :class:`InfrastructureError` when the host cannot be asked, or a record is not one.
    """
    done = host.run(["sh", "-c", _LIST], timeout=30, check=False)
    if done.status != 0:
        raise InfrastructureError(
            f"the records of changed devices on {host.name} could not be read: {done.stderr.strip()}",
            remedy="check that a shell command can be run on the host",
        )
    found = [_parse(line) for line in done.stdout.splitlines() if line.strip()]
    return tuple(sorted(found, key=lambda record: ORDER.index(record.kind)))


def is_orphan(record: Record) -> bool:
    """Return whether the process that made a change is gone for certain; another machine's never is."""
    return not ownership.is_alive(record.owner)


def _parse(line: str) -> Record:
    try:
        fields = json.loads(line)
        record = Record(fields["kind"], fields["device"], Owner(**fields["owner"]), fields["before"])
        ORDER.index(record.kind)
    except (ValueError, KeyError, TypeError) as bad:
        raise InfrastructureError(
            f"a record under {FOLDER} is not one of tdlab's: {line[:80]}", remedy="look at it, then remove it"
        ) from bad
    return record


def _undo_vfs(record: Record) -> tuple[Step, ...]:
    folder, before = f"/sys/bus/pci/devices/{record.device}", record.before
    steps: list[Step] = [
        ("gone", folder, record.name),
        ("idle", record.device),
        ("write", f"{folder}/sriov_numvfs", "0"),
    ]
    if before["autoprobe"] is not None:
        steps.append(("write", f"{folder}/sriov_drivers_autoprobe", str(int(before["autoprobe"]))))
    if before["count"]:
        steps.append(("write", f"{folder}/sriov_numvfs", str(before["count"])))
        steps += [("bind", vf, driver or NOTHING, NOTHING) for vf, driver in before["drivers"].items()]
    steps += [("link", name, "down") for name in before["down"]]
    return tuple(steps)


def _undo_binding(record: Record) -> tuple[Step, ...]:
    device, before = record.device, record.before
    driver = before["driver"] or NOTHING
    steps: list[Step] = [
        ("gone", f"/sys/bus/pci/devices/{device}", record.name),
        ("idle", device),
        ("bind", device, driver, before["override"] or NOTHING),
        ("bound", device, driver),
    ]
    for name, was in before["interfaces"].items():
        steps.append(("named", device, name))
        if was["up"]:
            steps.append(("link", name, "up"))
        steps += [("address", name, address, NOTHING) for address in was["addresses"]]
    return tuple(steps)


def _undo_link(record: Record) -> tuple[Step, ...]:
    state = "up" if record.before["up"] else "down"
    return (("gone", f"/sys/class/net/{record.device}", record.name), ("link", record.device, state))


def _undo_module(record: Record) -> tuple[Step, ...]:
    words = [f"{name}={value}" for name, value in sorted(record.before["parameters"].items())]
    return (("module", record.device, " ".join(words)),)


def _undo_tracing(record: Record) -> tuple[Step, ...]:
    return (("untrace", record.device),)


def _undo_address(record: Record) -> tuple[Step, ...]:
    interface, before = record.before["interface"], record.before
    return (
        ("gone", f"/sys/class/net/{interface}", record.name),
        ("unaddress", interface, before["address"], before["peer"] or NOTHING),
    )
