"""Who gets what: made before anything is done, shown by ``--dry-run``, and read by the playbooks."""

from __future__ import annotations

import getpass
import json
import shutil
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from domains import files, hosts, paths, provision
from domains.document import nearest
from domains.errors import UsageError
from domains.images import GuestImage
from grader.fleet import objects, students
from grader.fleet.inventory import Inventory, Machine
from grader.fleet.objects import Sent
from grader.fleet.students import Place
from grader.lab.lab import Lab
from grader.language import Lang
from grader.workspace import workspace

_ROOM = "tdlab_room"
# Of no service; rsync's own, 873, may be in use.
RELAY_PORT = 8730
# How long a machine's own apt is waited for: one that has just been switched on updates itself.
_APT_SECONDS = 120
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
            "collected": students.collected(self.student),
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
    # Whether there is no image yet, and one is to be built first: for a plan that is only shown.
    builds_image: bool = False
    lab_host: bool = True
    # A Python of the machines that has what tdlab needs; without it, and without wheels, tdlab sets itself up
    # on its first run.
    python: str = ""
    # Folders of the packages that travel, each by the version of the Python that they are for; None where
    # they are to be fetched first.
    wheels: Mapping[str, Path | None] = field(default_factory=dict)
    lang: Lang = "fr"
    transfer_seconds: int = 300

    @property
    def sets_itself_up(self) -> bool:
        """Whether tdlab makes itself an environment on each machine, for which it needs a compiler there."""
        return not (self.python or self.wheels)


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

    @property
    def sent(self) -> frozenset[str]:
        """The names of all files that travel."""
        every = {sent.file for one in self.assigned for sent in one.objects}
        return frozenset(every | {seat.sent.file for one in self.assigned for seat in one.seats}) | {
            one.record for one in self.assigned
        }

    def as_inventory(self, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the inventory that says who gets what, for Ansible; ``more`` are variables of all hosts."""
        machines = {one.machine.name: self._variables(one) for one in self.assigned}
        common = {
            "tdlab_lab": self.lab.slug,
            "tdlab_stage": str(self.store),
            "lab_host_digest": provision.role_digest(),
            "lab_host_lock_seconds": _APT_SECONDS,
            "tdlab_relay_port": RELAY_PORT,
            "fleet_files_seconds": self.wish.transfer_seconds,
            "fleet_look_pythons": list(self.wish.wheels),
            "lab_host_controller": self.wish.sets_itself_up,
            **(more or {}),
        }
        return {"all": {"children": {_ROOM: {"hosts": machines, "vars": common}}}}

    def _variables(self, one: Assigned) -> dict[str, Any]:
        reached = one.machine.own if self.inventory.is_ansible else one.machine.variables
        return {
            **reached,
            "lab_host_users": _ordinary(one.seats),
            "tdlab_login": one.login,
            "tdlab_objects": [sent.as_variable() for sent in one.objects],
            "tdlab_seats": [seat.as_variable() for seat in one.seats],
            "fleet_look_wants": list(one.wants),
            "fleet_look_needs_kib": one.needs_kib,
            "tdlab_record": one.record,
        }

    def write(self, folder: Path | None = None, more: Mapping[str, Any] | None = None) -> list[Path]:
        """Write the inventory for Ansible; return it with the one it stands on.

        In a folder of its own, what is to travel is put beside it: there it stays.
        """
        file = (folder or self.home) / "inventory.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        if folder:
            for name in self.sent:
                objects.place(self.store / name, folder / name)
            more = {"tdlab_stage": str(folder.resolve()), **(more or {})}
        files.write_whole(file, json.dumps(self.as_inventory(more), ensure_ascii=False, indent=1) + "\n")
        # Ours first: what the teacher's own inventory says of a machine wins.
        return [file, *([self.inventory.file] if self.inventory.is_ansible else [])]


def make(lab: Lab, inventory: Inventory, wish: Wish, aside: Path | None = None) -> Plan:
    """Make the plan, and all that is to travel; a student's workspace is made once and then kept.

    With a folder ``aside`` all is made in there instead, for a plan that is only shown.
    """
    inventory = replace(inventory, machines=_with_own(inventory.machines))
    kept = Plan(lab, inventory, wish, home_of(lab.slug), paths.cache() / "fleet", ())
    home, store = (aside, objects.lent(kept.store, aside)) if aside else (kept.home, kept.store)
    shared = [objects.tool(store, _command(wish)), objects.lab(store, lab.folder, lab.slug)]
    shared += [objects.packages(store, version, place) for version, place in wish.wheels.items()]
    if wish.image or wish.builds_image:
        shared.append(objects.image(store, wish.image))
    places = students.placed(home, lab.slug, inventory.machines)
    # Most of the time is the disk's: each workspace is written so that a power cut leaves it whole.
    with ThreadPoolExecutor(max_workers=16) as workers:
        made = workers.map(
            lambda one: _assigned(one, lab, wish, home, store, tuple(shared), places), inventory.machines
        )
        assigned = tuple(made)
    return replace(kept, assigned=assigned)


def _with_own(machines: tuple[Machine, ...]) -> tuple[Machine, ...]:
    """Give the hosts that tdlab made what it knows of the way to them; what an inventory says of one wins."""
    ways = hosts.ansible_connections()
    return tuple(
        replace(one, variables={**ways[one.name], **one.variables}, own=ways[one.name])
        if one.name in ways and one.variables.get("ansible_host", one.name) == one.name
        else one
        for one in machines
    )


def home_of(lab: str) -> Path:
    """Return where what is known of a deployed lab is kept on this machine."""
    return paths.state() / "fleet" / lab


def deployed() -> list[str]:
    """Return the labs that were deployed from this machine."""
    return sorted(one.parent.name for one in (paths.state() / "fleet").glob("*/inventory.json"))


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
    places: Mapping[str, Place],
) -> Assigned:
    login = str(machine.variables.get("ansible_user") or getpass.getuser())
    account = machine.account or login
    seats = tuple(
        _seat(lab, student, places[student], account, wish.lang, home, store) for student in machine.students
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
        *(_lab_host(wish, seats) if wish.lab_host else []),
        *(line for one in shared for line in one.wants),
        "command /opt/tdlab/tool/command",
        *(one.sent.wants[0] for one in seats),
        *(f"has-key {one.slug}" for one in seats),
        "record {} {}".format(*noted),
    ]
    return Assigned(machine, login, seats, shared, tuple(wants), noted[0])


def _seat(lab: Lab, student: str, at: Place, account: str, lang: Lang, home: Path, store: Path) -> Seat:
    slug, folder = at.slug, at.folder
    place = home / "seats" / slug
    made, _ = workspace.start(lab, student, lang, place)
    # Where the lab is on this machine means nothing on the student's.
    shutil.rmtree(place / ".lab", ignore_errors=True)
    (place / ".lab").unlink(missing_ok=True)
    nonce = made.identity.nonce
    sent = objects.seat(store, slug, place, folder, f"seat {slug} {lab.slug} {nonce}")
    return Seat(student, slug, account, folder, nonce, sent)


def _lab_host(wish: Wish, seats: Iterable[Seat]) -> list[str]:
    """Return the lines of look.sh where the role lab_host has done its work."""
    set_up = ["lab-host-sets-up"] if wish.sets_itself_up else []
    return [
        f"lab-host {provision.role_digest()}",
        *set_up,
        *(f"lab-host-user {one}" for one in _ordinary(seats)),
    ]


def _ordinary(seats: Iterable[Seat]) -> list[str]:
    """Return the accounts that have to be let in to libvirt and KVM."""
    return sorted({one.account for one in seats} - {"root"})


def _command(wish: Wish) -> str:
    """Return the script that starts tdlab on a machine."""
    name = "by-their-python" if wish.python else "by-wheels" if wish.wheels else "by-itself"
    script = (Path(__file__).parent / "commands" / f"{name}.sh").read_text()
    return script.replace("{python}", wish.python)
