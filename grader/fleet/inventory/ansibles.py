"""An inventory of Ansible's own, which Ansible reads; what it passes over in silence is refused here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from domains.document import nearest
from domains.errors import InputError, Position, UsageError
from grader.fleet.inventory.model import Inventory, Machine
from grader.fleet.inventory.places import is_account, is_address, is_name, named, place, port

_OURS = ("tdlab_students", "tdlab_student", "tdlab_account")
_NOBODY = frozenset({"all", "ungrouped"})
# Of the inventory that the plan writes beside this one.
_RESERVED = "tdlab_room"
_MOST_MACHINES = 5000
_VAULT = "$ANSIBLE_VAULT;"
_SHOULD_BE = "write all: {hosts: {pc1: {tdlab_students: [a name]}}}, or a CSV: student,host"

_REASON = re.compile(
    r"^(?:\[WARNING\]: )?Failed to parse inventory(?: with '\w+' plugin)?: (.+)$", re.MULTILINE
)
_SKIPPED = re.compile(r"Skipping (?:unexpected )?(?:key \()?'?([^\s')]+)[')]")
_QUOTED = re.compile(r"(\[[^\]]+\])|got: (\S+)|'([^']+)'")
_RANGE = re.compile(r"\[(\d+):(\d+)(?::(\d+))?\]")
_NAMES = re.compile(r"^([^\s#;]\S*)[ \t].*?\btdlab_students?[ \t]*=", re.MULTILINE)
_LOGIN = re.compile(r"[^\s-]\S*")
_TEMPLATE = "{{"


def inventory(file: Path, text: str, vault: Path | None) -> Inventory:
    """Have Ansible read its own inventory; ``tdlab_students`` and ``tdlab_account`` are read from it.

    Raises :class:`InputError` with the place of what is wrong.
    """
    from domains import many_hosts, vaults

    is_yaml = file.suffix.lower() in {".yml", ".yaml", ".json"}
    if is_yaml and not text.startswith(_VAULT):
        _refuse_bad_yaml(file, text)
    _refuse_too_many(file, text)
    if vault is not None and not vault.is_file():
        raise UsageError(f"{vault} is no file", remedy="look at --vault-password-file")
    if vault is None and _VAULT in text:
        raise InputError(
            "it is encrypted",
            where=place(file, text, _VAULT),
            remedy="give --vault-password-file FILE, which holds the password or prints it",
        )
    listed, complaint = many_hosts.listed(file, vault=vault, only="yaml" if is_yaml else "yaml,ini")
    if listed is None:
        raise _error(file, text, complaint)
    if not is_yaml:
        _refuse_two_lines_with_students(file, text)
    opened, hidden = vaults.opened(listed, vault) if vault else (listed, ())
    machines = tuple(_machines(file, text, opened))
    if not machines and (skipped := _SKIPPED.search(complaint)):
        word = skipped[1]
        raise InputError(
            f"{word!r} is no group and nothing of one", where=place(file, text, word), remedy=_SHOULD_BE
        )
    return Inventory(file, machines, is_ansible=True, hidden=hidden, vault=vault)


def _machines(file: Path, text: str, listed: Mapping[str, Any]) -> Iterator[Machine]:
    variables: dict[str, dict[str, Any]] = listed.get("_meta", {}).get("hostvars", {})
    rooms: dict[str, list[str]] = {}
    for group, content in listed.items():
        for host in content.get("hosts", ()) if isinstance(content, dict) else ():
            rooms.setdefault(host, []).extend([group] if group not in _NOBODY else [])
    if _RESERVED in listed:
        raise InputError(
            f"{_RESERVED} is a group of tdlab's own",
            where=place(file, text, _RESERVED),
            remedy="give it another name",
        )
    for host in (*rooms, *(one for one in variables if one not in rooms)):
        own = variables.get(host, {})
        _refuse_bad_variables(file, text, host, own)
        students = tuple(_students(file, text, host, own))
        yield Machine(host, students, tuple(rooms.get(host, ())), str(own.get("tdlab_account", "")), own)


def _students(file: Path, text: str, host: str, variables: Mapping[str, Any]) -> Iterator[str]:
    """Yield the students of a machine: a name, or a list of them."""
    said = variables.get("tdlab_students", variables.get("tdlab_student", []))
    for name in said if isinstance(said, list) else [said]:
        if not isinstance(name, str) or not is_name(named(name)) or _TEMPLATE in name:
            raise InputError(
                f"{name!r} is no name of a student, at {host}",
                where=place(file, text, host),
                remedy="write tdlab_students: [a name, another name]",
            )
        yield named(name)


def _refuse_bad_variables(file: Path, text: str, host: str, variables: Mapping[str, Any]) -> None:
    """Refuse what Ansible would hand on to ssh and rsync as it stands, and slips in our own variables."""

    def refuse(problem: str, word: str, remedy: str | None = None) -> InputError:
        return InputError(f"{problem}, at {host}", where=place(file, text, word), remedy=remedy)

    for name in variables:
        if name.startswith("tdlab_") and name not in _OURS:
            guess = nearest(name, _OURS)
            raise refuse(f"there is no variable {name}", name, f"did you mean {guess}?" if guess else None)
    address = str(variables.get("ansible_host", host))
    if _TEMPLATE not in address and not is_address(address):
        raise refuse(f"{address!r} is no name or address of a machine", address)
    said = variables.get("ansible_port", 22)
    if _TEMPLATE not in str(said) and port(said) is None:
        raise refuse(f"{said!r} is no port", str(said), "a port is a number from 1 to 65535")
    login = str(variables.get("ansible_user", "root"))
    if not _LOGIN.fullmatch(login) and _TEMPLATE not in login:
        raise refuse(f"{login!r} is no user", login)
    account = variables.get("tdlab_account", "root")
    if not isinstance(account, str) or not is_account(account):
        raise refuse(f"{account!r} is no account", str(account), "an account is written out: no template")


def _refuse_bad_yaml(file: Path, text: str) -> None:
    """Say where YAML is broken: of what is valid, Ansible knows more (vaults, anchors) than we do."""
    try:
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as bad:
        mark = bad.problem_mark or bad.context_mark
        where = Position(file, mark.line + 1, mark.column + 1) if mark else Position(file, 1, 1)
        raise InputError(f"not valid YAML: {bad.problem or bad.context}", where=where) from bad
    except yaml.YAMLError as bad:
        raise InputError(f"not valid YAML: {bad}", where=Position(file, 1, 1)) from bad
    if root is not None and not isinstance(root, yaml.MappingNode):
        mark = root.start_mark
        raise InputError(
            "it is no inventory", where=Position(file, mark.line + 1, mark.column + 1), remedy=_SHOULD_BE
        )
    seen: set[int] = set()
    for node, before in _doubled_keys(root, seen):
        where = Position(file, node.start_mark.line + 1, node.start_mark.column + 1)
        first = before.start_mark.line + 1
        raise InputError(f"{node.value!r} is there twice; first on line {first}", where=where)


def _doubled_keys(
    node: yaml.Node | None, seen: set[int]
) -> Iterator[tuple[yaml.ScalarNode, yaml.ScalarNode]]:
    """Yield each key that a mapping has twice, and where it was first; Ansible takes the last in silence."""
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for one in node.value:
            yield from _doubled_keys(one, seen)
    if isinstance(node, yaml.MappingNode):
        keys: dict[str, yaml.ScalarNode] = {}
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in keys and key.value != "<<":
                    yield key, keys[key.value]
                keys[key.value] = key
            yield from _doubled_keys(value, seen)


def _refuse_too_many(file: Path, text: str) -> None:
    """Refuse a range of more machines than any room has: Ansible would take minutes to write them out."""
    for number, line in enumerate(text.splitlines(), 1):
        count = 1
        for one in _RANGE.finditer(line):
            first, last, step = int(one[1][:12]), int(one[2][:12]), int((one[3] or "1")[:12]) or 1
            count *= max(0, last - first) // step + 1
            if count > _MOST_MACHINES:
                where = Position(file, number, one.start() + 1)
                raise InputError(f"{count:,} machines in one line", where=where)


def _refuse_two_lines_with_students(file: Path, text: str) -> None:
    """Refuse two lines that give one machine its students: Ansible keeps the last of them in silence."""
    seen: dict[str, int] = {}
    for one in _NAMES.finditer(text):
        line = text.count("\n", 0, one.start()) + 1
        if first := seen.get(one[1]):
            raise InputError(
                f"{one[1]} has its students on two lines; first on line {first}",
                where=Position(file, line, 1),
                remedy="write them on one: tdlab_students=\"['a name', 'another name']\"",
            )
        seen[one[1]] = line


def _error(file: Path, text: str, complaint: str) -> InputError:
    """Return what Ansible complains of, at the word that it quotes: it names no line."""
    if "ecrypt" in complaint:
        return InputError(
            "it cannot be decrypted: the password is another one",
            where=place(file, text, _VAULT),
            remedy="look at --vault-password-file",
        )
    reasons = _REASON.findall(complaint)
    if not reasons:
        last = complaint.strip().splitlines()[-1:] or ["no reason given"]
        return InputError(f"Ansible cannot read it: {last[0]}", where=Position(file, 1, 1))
    if "unpack" in reasons[-1]:
        for number, line in enumerate(text.splitlines(), 1):
            if line.count("[") != line.count("]"):
                return InputError("a bracket is not closed", where=Position(file, number, 1))
    quoted = _QUOTED.search(reasons[-1])
    where = place(file, text, next(filter(None, quoted.groups()))) if quoted else Position(file, 1, 1)
    return InputError(f"Ansible cannot read it: {reasons[-1]}", where=where, remedy=_SHOULD_BE)
