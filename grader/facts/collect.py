"""Look at a lab host by testinfra, here or over SSH: each program runs through the host's own seam."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import testinfra.host
from testinfra.backend.base import BaseBackend, CommandResult

from domains.errors import InfrastructureError, TdlabError
from domains.host import Host
from grader.facts.kept import Found, HostFacts, Value
from grader.lab.practical import Fact

_SECONDS = 20
# The kernel keeps this much of a process's name.
_COMM = 15
_MOST_PROCESSES = 20


class _Backend(BaseBackend):  # type: ignore[misc]
    """What testinfra runs goes through :meth:`domains.host.Host.run`, with its time-out."""

    NAME = "tdlab"

    def __init__(self, host: Host) -> None:
        super().__init__(host.name)
        self._lab_host = host
        # Asked for otherwise by starting a Python on the host.
        self._encoding = "utf-8"

    def run(self, command: str, *args: str, **_: Any) -> CommandResult:
        """Run a command of testinfra's in a shell of the host."""
        words = self.get_command(command, *args)
        done = self._lab_host.run(["sh", "-c", words], timeout=_SECONDS, check=False)
        if done.status == 255 and self._lab_host.ssh is not None:
            # ssh's own status: the host did not answer, and that says nothing about what was asked.
            raise InfrastructureError(done.stderr.strip() or f"{self._lab_host.name} does not answer")
        return self.result(done.status, self.encode(words), done.stdout, done.stderr)


def look(lab: str, facts: Iterable[Fact], host: Host, *, emulator: str | None = None) -> HostFacts:
    """Return what is found on a host about all that some facts are about; raises nothing for its state.

    A host that does not answer is a ``problem`` of the whole; a thing that cannot be looked at, its own.
    """
    wanted: dict[tuple[str, str], list[Fact]] = {}
    for fact in facts:
        wanted.setdefault(fact.about, []).append(fact)
    time = datetime.now(UTC).replace(microsecond=0)
    result = HostFacts(lab=lab, host=host.name, emulator=emulator, time=time)
    try:
        host.run(["true"], timeout=_SECONDS)
    except TdlabError as broken:
        return result.model_copy(update={"problem": broken.problem})
    backend = _Backend(host)
    on = testinfra.host.Host(backend)
    backend.set_host(on)
    found = tuple(_found(on, kind, name, about) for (kind, name), about in wanted.items())
    return result.model_copy(update={"found": found})


def _found(on: Any, kind: str, name: str, facts: list[Fact]) -> Found:
    try:
        seen = _LOOKS[kind](on, name)
        contains = {
            fact.contains: on.run("grep -Eqs -e %s -- %s", fact.contains, name).rc == 0
            for fact in facts
            if fact.contains is not None
        }
        arguments = {
            fact.argument: any(fact.argument in line for line in _command_lines(on, name))
            for fact in facts
            if fact.argument is not None
        }
    except (TdlabError, RuntimeError, ValueError, AssertionError, NotImplementedError) as broken:
        return Found(kind=kind, name=name, problem=str(broken).splitlines()[0][:300] or type(broken).__name__)
    return Found(kind=kind, name=name, seen=seen, contains=contains, arguments=arguments)


def _package(on: Any, name: str) -> dict[str, Value]:
    return {"exists": bool(on.package(name).is_installed)}


def _service(on: Any, name: str) -> dict[str, Value]:
    service = on.service(name)
    if not service.exists:
        return {"exists": False}
    return {"exists": True, "running": bool(service.is_running), "enabled": bool(service.is_enabled)}


def _module(on: Any, name: str) -> dict[str, Value]:
    # The kernel writes dashes in a module's name as underscores; one built in has no entry in lsmod.
    return {"exists": bool(on.file(f"/sys/module/{name.replace('-', '_')}").exists)}


def _file(on: Any, name: str) -> dict[str, Value]:
    file = on.file(name)
    if not file.exists:
        return {"exists": False}
    return {"exists": True, "mode": f"{file.mode:o}", "owner": file.user, "group": file.group}


def _process(on: Any, name: str) -> dict[str, Value]:
    return {"exists": bool(_command_lines(on, name))}


def _command_lines(on: Any, name: str) -> list[str]:
    return [one.args for one in on.process.filter(comm=name[:_COMM])[:_MOST_PROCESSES]]


def _sysctl(on: Any, name: str) -> dict[str, Value]:
    done = on.run("cat -- %s", f"/proc/sys/{re.sub(r'[.]', '/', name)}")
    return {"exists": True, "value": done.stdout.strip()[:200]} if done.rc == 0 else {"exists": False}


def _domain(on: Any, name: str) -> dict[str, Value]:
    if on.run("virsh -c qemu:///system version").rc != 0:
        raise InfrastructureError("libvirt does not answer on this host")
    done = on.run("virsh -c qemu:///system domstate %s", name)
    return {"exists": True, "state": done.stdout.strip()[:40]} if done.rc == 0 else {"exists": False}


_LOOKS: dict[str, Callable[[Any, str], dict[str, Value]]] = {
    "package": _package,
    "service": _service,
    "module": _module,
    "file": _file,
    "process": _process,
    "sysctl": _sysctl,
    "domain": _domain,
}
