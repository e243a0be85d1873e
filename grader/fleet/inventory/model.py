"""The machines of a room, who sits at each, and how each is reached."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from domains.document import nearest
from domains.errors import UsageError

# Two machines may have one address behind two of these.
_WAYS = ("ansible_connection", "ansible_ssh_common_args", "ansible_ssh_extra_args")
_TEMPLATE = "{{"
# As Ansible calls the group that every host is in.
_ALL = "all"


@dataclass(frozen=True)
class Machine:
    """One machine: who works on it, under which account, and Ansible's variables (``own``: from tdlab)."""

    name: str
    students: tuple[str, ...]
    rooms: tuple[str, ...] = ()
    account: str = ""
    variables: Mapping[str, Any] = field(default_factory=dict)
    own: Mapping[str, Any] = field(default_factory=dict)

    @property
    def reached(self) -> tuple[str, ...]:
        """How it is reached: two machines of which this is equal are one."""
        address = str(self.variables.get("ansible_host", self.name))
        ways = [str(self.variables.get(name, "")) for name in _WAYS]
        # What a template gives is known to Ansible alone.
        own = self.name if _TEMPLATE in "".join([address, *ways]) else ""
        return (address.casefold(), str(self.variables.get("ansible_port", 22)), *ways, own)


@dataclass(frozen=True)
class Inventory:
    """The machines of a file, in its order; ``is_ansible`` where Ansible is to read the file too.

    ``hidden`` is what was encrypted in it, ``vault`` the file with the password of that.
    """

    file: Path
    machines: tuple[Machine, ...]
    is_ansible: bool
    hidden: tuple[str, ...] = ()
    vault: Path | None = None

    def limited(self, limit: str | None) -> Inventory:
        """Return the machines that a limit names: all, hosts, rooms, students, with ``*``, and ``!`` for not.

        Words are parted by commas; one that has a space is a name that has it, or several words. Raises
        :class:`UsageError` for a word that names nothing.
        """
        if limit is None:
            return self
        words = [word for part in limit.split(",") for word in self._words(part.strip())]
        if not words:
            raise UsageError("--limit names nothing", remedy="name hosts, rooms or students, or leave it out")
        wanted = {one.name for word in words if not word.startswith("!") for one in self._named(word)}
        if all(word.startswith("!") for word in words):
            wanted = {one.name for one in self.machines}
        wanted -= {one.name for word in words if word.startswith("!") for one in self._named(word[1:])}
        kept = tuple(one for one in self.machines if one.name in wanted)
        if not kept:
            raise UsageError(f"--limit {limit} leaves no machine of {self.file}")
        return replace(self, machines=kept)

    def _words(self, part: str) -> list[str]:
        if part and self._found(part.removeprefix("!")):
            return [part]
        return [word for word in re.split(r"\s+", part) if word]

    def _named(self, word: str) -> list[Machine]:
        found = self._found(word)
        if not found:
            known = {name for one in self.machines for name in (one.name, *one.rooms, *one.students)}
            guess = nearest(word, sorted(known))
            raise UsageError(
                f"--limit: {self.file} has no machine, room or student {word!r}",
                remedy=f"did you mean {guess}?" if guess else None,
            )
        return found

    def _found(self, word: str) -> list[Machine]:
        return [
            one
            for one in self.machines
            if word == _ALL
            or any(fnmatch.fnmatchcase(name, word) for name in (one.name, *one.rooms, *one.students))
        ]
