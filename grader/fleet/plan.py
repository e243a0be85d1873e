"""Who gets what: made before anything is done, shown by ``--dry-run``, and read by the playbooks."""

from __future__ import annotations

import getpass
import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from domains import files, paths, provision
from domains.document import nearest
from domains.errors import UsageError
from domains.images import GuestImage
from grader.fleet import objects
from grader.fleet.inventory import Inventory, Machine
from grader.fleet.objects import Sent
from grader.lab.lab import Lab
from grader.language import Lang
from grader.workspace import workspace

_ROOM = "tdlab_room"
# Of no service; rsync's own, 873, may be in use.
RELAY_PORT = 8730
# Unpacked, and once more while it is packed; and what a student's work may take.
_SPARE_KIB = 32 * 1024


@dataclass(frozen=True)
class Seat:
    """A student at a machine: ``slug`` names them in files, ``folder`` is the workspace in their home."""

    student: str
    slug: str
    account: str
    folder: str
    nonce: str
    sent: Sent

    def as_variable(self) -> dict[str, Any]:
        """Return what the roles read."""
        return {
            "slug": self.slug,
            "account": self.account,
            "folder": self.folder,
            "collected": collected(self.student),
            "file": self.sent.file,
            "wants": self.sent.wants[0],
        }


@dataclass(frozen=True)
class Assigned:
    """A machine and all that it is to have, which ``record`` says; ``wants`` are look.sh's lines then."""

    machine: Machine
    login: str
    seats: tuple[Seat, ...]
    objects: tuple[Sent, ...]
    wants: tuple[str, ...]
    record: str

    @property
    def bytes(self) -> int:
        """What travels to a machine that has nothing yet."""
        return sum(one.bytes for one in (*self.objects, *(seat.sent for seat in self.seats)))

    @property
    def needs_kib(self) -> int:
        """The room that a machine needs that has nothing yet."""
        every = (*self.objects, *(seat.sent for seat in self.seats))
        return sum(one.bytes + one.unpacked for one in every) // 1024 + _SPARE_KIB


@dataclass(frozen=True)
class Wish:
    """What is asked for, beside the lab and the machines."""

    image: GuestImage | None = None
    lab_host: bool = True
    # A Python of the machines that has what tdlab needs; without it tdlab sets itself up on its first run.
    python: str = ""
    lang: Lang = "fr"
    transfer_seconds: int = 300


@dataclass(frozen=True)
class Plan:
    """The whole of it; ``home`` is where it is kept, ``store`` where the objects are."""

    lab: Lab
    inventory: Inventory
    wish: Wish
    home: Path
    store: Path
    assigned: tuple[Assigned, ...]

    def only(self, name: str) -> Plan:
        """Return the plan of one machine; raises :class:`UsageError` when it is none of the room's."""
        kept = tuple(one for one in self.assigned if one.machine.name == name)
        if not kept:
            guess = nearest(name, [one.machine.name for one in self.assigned])
            raise UsageError(
                f"{name} is no machine of this room", remedy=f"did you mean {guess}?" if guess else None
            )
        return replace(self, assigned=kept)

    def as_inventory(self, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the inventory that says who gets what, for Ansible; ``more`` are variables of all hosts."""
        hosts = {one.machine.name: self._variables(one) for one in self.assigned}
        common = {
            "tdlab_lab": self.lab.slug,
            "tdlab_stage": str(self.store),
            "lab_host_digest": provision.role_digest(),
            "tdlab_relay_port": RELAY_PORT,
            "fleet_files_seconds": self.wish.transfer_seconds,
            **(more or {}),
        }
        return {"all": {"children": {_ROOM: {"hosts": hosts, "vars": common}}}}

    def _variables(self, one: Assigned) -> dict[str, Any]:
        reached = {} if self.inventory.is_ansible else dict(one.machine.variables)
        return {
            **reached,
            "tdlab_login": one.login,
            "tdlab_objects": [sent.as_variable() for sent in one.objects],
            "tdlab_seats": [seat.as_variable() for seat in one.seats],
            "fleet_look_wants": list(one.wants),
            "fleet_look_needs_kib": one.needs_kib,
            "tdlab_record": one.record,
        }

    def write(self, folder: Path | None = None, more: Mapping[str, Any] | None = None) -> list[Path]:
        """Write the inventory for Ansible; return it with the one it stands on."""
        file = (folder or self.home) / "inventory.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        files.write_whole(file, json.dumps(self.as_inventory(more), ensure_ascii=False, indent=1) + "\n")
        # Ours first: what the teacher's own inventory says of a machine wins.
        return [file, *([self.inventory.file] if self.inventory.is_ansible else [])]


def make(lab: Lab, inventory: Inventory, wish: Wish) -> Plan:
    """Make the plan, and all that is to travel; a student's workspace is made once and then kept."""
    home = home_of(lab.slug)
    store = paths.cache() / "fleet"
    shared = [objects.tool(store, _command(wish.python)), objects.lab(store, lab.folder, lab.slug)]
    if wish.image:
        shared.append(objects.image(store, wish.image))
    names = _slugs(student for one in inventory.machines for student in one.students)
    # Most of the time is the disk's: each workspace is written so that a power cut leaves it whole.
    with ThreadPoolExecutor(max_workers=16) as workers:
        made = workers.map(
            lambda one: _assigned(one, lab, wish, home, store, tuple(shared), names), inventory.machines
        )
        assigned = tuple(made)
    return Plan(lab, inventory, wish, home, store, assigned)


def home_of(lab: str) -> Path:
    """Return where what is known of a deployed lab is kept on this machine."""
    return paths.state() / "fleet" / lab


def collected(student: str) -> str:
    """Return the folder of a class in which a student's archives go: the name, as a file may be called."""
    safe = "".join("-" if one in '/\\:*?"<>|' or not one.isprintable() else one for one in student)
    # What begins with a dot is passed over when a class is read.
    return safe.strip().lstrip(".")[:100] or "student"


def known_hosts() -> Path:
    """Return the file of host keys that were seen first by deploying."""
    file = paths.state() / "fleet/known_hosts"
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def _assigned(
    machine: Machine,
    lab: Lab,
    wish: Wish,
    home: Path,
    store: Path,
    shared: tuple[Sent, ...],
    names: dict[str, str],
) -> Assigned:
    login = str(machine.variables.get("ansible_user") or getpass.getuser())
    account = machine.account or login
    seats = tuple(
        _seat(lab, student, names[student], account, len(machine.students) > 1, wish.lang, home, store)
        for student in machine.students
    )
    record = json.dumps(
        {
            "schema": "tdlab.deployed/1",
            "lab": lab.slug,
            "trees": [one.wants[0].split()[1] for one in shared],
            "links": [link for one in shared for link in one.links],
            "command": "/usr/local/bin/tdlab",
            "seats": [{"account": one.account, "folder": one.folder, "slug": one.slug} for one in seats],
        },
        indent=1,
    )
    noted = objects.note(store, lab.slug, record)
    wants = [
        *([f"lab-host {provision.role_digest()}"] if wish.lab_host else []),
        *(line for one in shared for line in one.wants),
        "command /opt/tdlab/tool/command",
        *(one.sent.wants[0] for one in seats),
        *(f"has-key {one.slug}" for one in seats),
        "record {} {}".format(*noted),
    ]
    return Assigned(machine, login, seats, shared, tuple(wants), noted[0])


def _seat(
    lab: Lab, student: str, slug: str, account: str, shares: bool, lang: Lang, home: Path, store: Path
) -> Seat:
    place = home / "seats" / slug
    made, _ = workspace.start(lab, student, lang, place)
    # Where the lab is on this machine means nothing on the student's.
    shutil.rmtree(place / ".lab", ignore_errors=True)
    (place / ".lab").unlink(missing_ok=True)
    folder = f"{lab.slug}-workspace" + (f"-{slug}" if shares else "")
    nonce = made.identity.nonce
    sent = objects.seat(store, slug, place, folder, f"seat {slug} {lab.slug} {nonce}")
    return Seat(student, slug, account, folder, nonce, sent)


def _slugs(students: Iterable[str]) -> dict[str, str]:
    """Return for each student a name for files, which no other has."""
    found: dict[str, str] = {}
    for student in students:
        kept = "".join(one if one.isascii() and one.isalnum() else "-" for one in student.casefold())
        plain = "-".join(word for word in kept.split("-") if word)[:40] or "student"
        if plain in {slug for name, slug in found.items() if name != student}:
            plain += "-" + hashlib.sha256(student.encode()).hexdigest()[:8]
        found[student] = plain
    return found


def _command(python: str) -> str:
    if python:
        return f'#!/bin/sh\nPYTHONPATH=/opt/tdlab/tool exec {python} -P -m grader "$@"\n'
    return '#!/bin/sh\nexec /opt/tdlab/tool/tdlab "$@"\n'
