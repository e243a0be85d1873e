"""Make a host a lab host with the project's own Ansible role: the only importer of ansible_runner.

The module itself needs only the standard library, so that set-up can ask for :func:`role_digest` before
anything is installed; ansible_runner is imported when a playbook is run.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from domains import scratch
from domains.errors import InfrastructureError, TdlabError

PLAYBOOKS = Path(__file__).resolve().parent.parent / "playbooks"
LOCALHOST = "localhost"
# What the role leaves on a host when all of it has been done, in /var/lib/tdlab.
STAMP = Path("/var/lib/tdlab/lab_host.json")


@dataclass(frozen=True)
class TaskRun:
    """One task that ran on the host: its name, the seconds it took, and whether it changed anything."""

    name: str
    seconds: float
    changed: bool


@dataclass(frozen=True)
class TaskFailure:
    """One task that failed, and the cause as its module told it."""

    task: str
    cause: str


@dataclass(frozen=True)
class ProvisionReport:
    """What a playbook did to one host: Ansible's counts, each task, each failure, seconds in all."""

    host: str
    ok: int
    changed: int
    failed: int
    unreachable: int
    seconds: float
    tasks: tuple[TaskRun, ...]
    failures: tuple[TaskFailure, ...]
    says: tuple[str, ...]
    output: str

    @property
    def succeeded(self) -> bool:
        """Return whether the host was reached and every task went through."""
        return self.ok > 0 and not (self.failed or self.unreachable or self.failures)


def role_digest(role: str = "lab_host") -> str:
    """Return the SHA-256 of a role's files and names, which its stamp on a host is compared with."""
    folder = PLAYBOOKS / "roles" / role
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def provision(
    host: str = LOCALHOST,
    *,
    connection: Mapping[str, object] | None = None,
    extra_vars: Mapping[str, object] | None = None,
    playbook: str = "lab_host.yml",
    check: bool = False,
    timeout: float = 1800,
) -> ProvisionReport:
    """Run a playbook of ``playbooks/`` on one host and report what it did.

    ``connection`` holds Ansible's variables that say how the host is reached (``ansible_host``,
    ``ansible_user``, ``ansible_ssh_private_key_file``, …); without it the host is this machine. ``check``
    only predicts. Raises :class:`InfrastructureError` when Ansible itself could not run; a task that failed
    is in the report, and :func:`require` turns it into an error.
    """
    hosts = {"all": {"hosts": {host: dict(connection if connection is not None else _this_machine())}}}
    variables = {"lab_host_digest": role_digest(), **(extra_vars or {})}
    events: list[dict[str, Any]] = []
    began = time.monotonic()
    with secluded() as private:
        asked = {"inventory": hosts, "extravars": variables, "event_handler": events.append}
        _, output = run_playbook(private, playbook, check=check, timeout=timeout, **asked)
    return summarise(host, events, output, time.monotonic() - began)


def run_playbook(
    private: Path, playbook: str, *, check: bool, timeout: float, **asked: Any
) -> tuple[str, str]:
    """Run a playbook of ``playbooks/`` in a secluded folder; return ansible_runner's status and the output.

    ``asked`` goes to ansible_runner. Raises :class:`InfrastructureError` when Ansible itself could not run.
    """
    import ansible_runner

    try:
        runner = ansible_runner.run(
            private_data_dir=str(private),
            project_dir=str(PLAYBOOKS),
            playbook=playbook,
            cmdline="--check --diff" if check else None,
            settings={"job_timeout": int(timeout), "suppress_env_files": True},
            envvars={"ANSIBLE_ROLES_PATH": str(PLAYBOOKS / "roles")},
            quiet=True,
            **asked,
        )
        with runner.stdout as stdout:
            return str(runner.status), stdout.read()
    except ansible_runner.exceptions.AnsibleRunnerException as broken:
        raise InfrastructureError(f"Ansible could not run {playbook}: {broken}") from broken


@contextlib.contextmanager
def secluded() -> Iterator[Path]:
    """Have a folder of Ansible's own, and its environment around it, for the length of a ``with`` block."""
    with scratch.folder("ansible") as private, _only_our_settings(private):
        yield private


def require(report: ProvisionReport) -> ProvisionReport:
    """Return the report of a host that is now a lab host; raise :class:`InfrastructureError` otherwise."""
    if report.succeeded:
        return report
    causes = [f"{failure.task}: {failure.cause}" for failure in report.failures]
    raise InfrastructureError(
        f"{report.host} could not be made a lab host: {'; '.join(causes) or 'Ansible ran no task'}",
        remedy=f"Ansible said:\n{_tail(report.output)}",
    )


def summarise(host: str, events: list[dict[str, Any]], output: str, seconds: float) -> ProvisionReport:
    """Reduce Ansible's events to a report (pure)."""
    tasks: list[TaskRun] = []
    failures: list[TaskFailure] = []
    says: list[str] = []
    counts: dict[str, int] = {}
    for event in events:
        data = event.get("event_data", {})
        kind = event.get("event", "")
        if kind == "playbook_on_stats":
            counts = {
                name: sum(data.get(name, {}).values()) for name in ("ok", "changed", "failures", "dark")
            }
        elif kind in {"runner_on_ok", "runner_on_failed", "runner_on_unreachable"}:
            name = str(data.get("task", "?"))
            result = data.get("res", {})
            tasks.append(TaskRun(name, float(data.get("duration", 0.0)), bool(result.get("changed"))))
            if kind != "runner_on_ok" and not data.get("ignore_errors"):
                failures.append(TaskFailure(name, _cause(result)))
            elif data.get("task_action") == "ansible.builtin.debug" and isinstance(result.get("msg"), str):
                says.append(result["msg"])
    return ProvisionReport(
        host,
        ok=counts.get("ok", 0),
        changed=counts.get("changed", 0),
        failed=counts.get("failures", 0),
        unreachable=counts.get("dark", 0),
        seconds=seconds,
        tasks=tuple(tasks),
        failures=tuple(failures),
        says=tuple(says),
        output=output,
    )


def _this_machine() -> dict[str, object]:
    return {
        "ansible_connection": "local",
        # The distribution's Python, which has its apt bindings; the virtual environment's has not.
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_become": os.geteuid() != 0,
    }


def _cause(result: Mapping[str, Any]) -> str:
    """Return the telling part of a failed module's result: its message, then what the program said."""
    parts = [str(result.get(key) or "").strip() for key in ("msg", "stderr")]
    first, last = parts[0], parts[1].splitlines()[-1:] if parts[1] else []
    return "; ".join([first or "no message", *(line for line in last if line not in first)])


@contextlib.contextmanager
def _only_our_settings(private: Path) -> Iterator[None]:
    """Keep the user's Ansible settings, locale and Python path out, for the length of a ``with`` block.

    ansible_runner adds to this process's environment and cannot take away from it, so this is done here.
    """
    before = dict(os.environ)
    (private / "ansible.cfg").touch()
    for name in list(os.environ):
        if name.startswith(("ANSIBLE_", "LC_")) or name in {"PYTHONPATH", "PYTHONHOME", "LANGUAGE"}:
            del os.environ[name]
    os.environ |= {
        "ANSIBLE_CONFIG": str(private / "ansible.cfg"),
        "ANSIBLE_HOME": str(private / "home"),
        "ANSIBLE_LOCAL_TEMP": str(private / "home/local"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_NOCOWS": "1",
        "ANSIBLE_PIPELINING": "1",
        # Ansible refuses to start in a locale that is not UTF-8, such as C.
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin",
    }
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _tail(output: str, lines: int = 30) -> str:
    return "\n".join(output.strip().splitlines()[-lines:])


def main(arguments: list[str] | None = None) -> int:
    """``python -m domains.provision localhost``: run the role lab_host on this machine, for set-up."""
    parser = argparse.ArgumentParser(prog="domains.provision", description="Make this machine a lab host.")
    parser.add_argument("host", choices=[LOCALHOST])
    parser.add_argument("--check", action="store_true", help="only predict what would change")
    parser.add_argument("--extra-vars", type=json.loads, default={}, metavar="JSON", help="role variables")
    parser.add_argument("--json", action="store_true", help="print the whole report")
    chosen = parser.parse_args(arguments)
    try:
        report = require(provision(chosen.host, extra_vars=chosen.extra_vars, check=chosen.check))
    except TdlabError as error:
        print(f"tdlab: {error}", file=sys.stderr)
        return error.exit_code
    for sentence in report.says:
        print(sentence, file=sys.stderr)
    if chosen.json:
        print(json.dumps({"schema": "tdlab.provision/1", **asdict(report)}, indent=2))
    else:
        print(f"{report.host}: ok={report.ok} changed={report.changed} in {report.seconds:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
