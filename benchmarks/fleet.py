"""How fast a room is deployed to: beside plain ansible-playbook, a second time, and 200 machines at once.

The machines are network namespaces with a real sshd each. Plain and ours take turns on them, and they
are cleaned in between; both run one playbook on one inventory with the same forks.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import _report
from benchmarks._room import room
from benchmarks._room.room import Room
from domains import many_hosts, process, provision
from domains.paths import PLAYBOOKS
from grader.fleet import board, causes, inventory, plan, running, showing, telling
from grader.lab import lab as labs

_HOSTS, _ROUNDS, _MANY = 16, 2, 200
_SECONDS = 1200
_CLEAN = "rm -rf /opt/tdlab /usr/local/bin/tdlab /home/student/first-vm-workspace /home/student/.local"


def main(words: list[str]) -> None:
    """Deploy to ``--hosts N`` machines (16), ``--rounds N`` times each way (2)."""
    hosts = _number(words, "--hosts", _HOSTS)
    rounds = _number(words, "--rounds", _ROUNDS)
    with tempfile.TemporaryDirectory(prefix="tdlab-benchmark-") as scratch:
        os.environ["XDG_STATE_HOME"] = str(Path(scratch, "state"))
        figures: dict[str, Any] = _many(Path(scratch))
        with room.opened(hosts, megabytes=256) as made:
            figures |= _few(made, Path(scratch), rounds)
    _report.publish("fleet", {}, {"hosts": hosts, "rounds": rounds, **figures})


def _few(made: Room, scratch: Path, rounds: int) -> dict[str, Any]:
    """Time first and second deploys, ours and plain, in turns."""
    file = scratch / "room.yml"
    hosts = {one.name: {"ansible_host": one.address, "tdlab_students": [one.name]} for one in made.machines}
    common = {
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(made.key),
        "tdlab_account": "student",
    }
    file.write_text(json.dumps({"all": {"hosts": hosts, "vars": common}}))
    lab = labs.load(labs.find("first-vm"))
    wish = plan.Wish(lab_host=False, python=sys.executable)
    planned = plan.make(lab, inventory.read(file), wish)
    planned.write()
    forks = len(made.machines)
    took: dict[str, list[float]] = {"plain": [], "ours": [], "plain_again": [], "ours_again": []}
    worked: dict[str, list[float]] = {name: [] for name in took}
    for number in range(rounds):
        order = (("plain", _plain), ("ours", _ours))
        for name, deploy in order if number % 2 == 0 else order[::-1]:
            for one in made.machines:
                one.shell(_CLEAN)
            for which in (name, f"{name}_again"):
                before = _cpu()
                took[which].append(deploy(planned, forks, scratch))
                worked[which].append(_cpu() - before)
                told = f"{which:12} {took[which][-1]:7.1f} s, {worked[which][-1]:.1f} s of CPU here"
                print(told, file=sys.stderr, flush=True)
    medians = {name: median(seconds) for name, seconds in took.items()}
    cpu = {name: median(seconds) for name, seconds in worked.items()}
    figures = {
        "first_cpu_s": round(cpu["ours"], 1),
        "plain_cpu_s": round(cpu["plain"], 1),
        "first_over_plain_cpu": round(cpu["ours"] / cpu["plain"], 3),
        "again_over_first_cpu": round(cpu["ours_again"] / cpu["ours"], 3),
        "first_s": round(medians["ours"], 1),
        "plain_s": round(medians["plain"], 1),
        "first_over_plain": round(medians["ours"] / medians["plain"], 3),
        "again_s": round(medians["ours_again"], 1),
        "again_over_first": round(medians["ours_again"] / medians["ours"], 3),
    }
    print(
        f"ours / plain {figures['first_over_plain']}, again / first {figures['again_over_first']}",
        file=sys.stderr,
    )
    return figures


def _cpu() -> float:
    """Return the seconds of CPU of this process and of all it waited for: a busy machine bends them less."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(one.ru_utime + one.ru_stime for one in map(resource.getrusage, kinds))


def _ours(planned: plan.Plan, forks: int, _scratch: Path) -> float:
    began = time.monotonic()
    seen, _log = running.run(planned, "deploy.yml", forks=forks)
    assert all(row.cause is None for row in seen.rows.values()), [row.cause for row in seen.rows.values()]
    return time.monotonic() - began


def _plain(planned: plan.Plan, forks: int, scratch: Path) -> float:
    """Run ansible-playbook itself, with the same settings of ssh and of Ansible."""
    control = scratch / "cp"
    control.mkdir(exist_ok=True)
    words: list[str | Path] = [Path(sys.executable).parent / "ansible-playbook", "--forks", str(forks)]
    for one in planned.write():
        words += ["-i", one.resolve()]
    began = time.monotonic()
    with provision.secluded():
        env = {"LC_ALL": "C.UTF-8", "ANSIBLE_ROLES_PATH": str(PLAYBOOKS / "roles")}
        env |= many_hosts.settings(control, plan.known_hosts())
        process.run([*words, PLAYBOOKS / "deploy.yml"], timeout=_SECONDS, env=env)
    seconds = time.monotonic() - began
    many_hosts.close(control)
    return seconds


def _many(scratch: Path) -> dict[str, Any]:
    """Plan for 200 machines that do not exist, and report on them from events that were never Ansible's."""
    file = scratch / "many.csv"
    rows = "".join(
        f"Student {number},10.1.{number // 250}.{number % 250 + 1},root\n" for number in range(_MANY)
    )
    file.write_text("student,host,user\n" + rows)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.monotonic()
    lab = labs.load(labs.find("first-vm"))
    planned = plan.make(lab, inventory.read(file), plan.Wish(lab_host=False))
    planned.write()
    assert len(list(telling.plan_lines(planned, 20, "en"))) == _MANY + 2
    seen = board.Board(board.fresh((one.machine.name, ()) for one in planned.assigned))
    with Path(os.devnull).open("w") as nowhere:
        stderr, sys.stderr = sys.stderr, nowhere
        try:
            with showing.shown(planned, "en", as_json=False) as tell:
                for event in _events(planned):
                    tell(seen, seen.take(event))
        finally:
            sys.stderr = stderr
    said = list(telling.summary(seen, planned, 1.0, file, "en"))
    seconds = time.monotonic() - began
    assert sum(causes.OFF.says.en in line for line in said) == _MANY // 4
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{_MANY} machines planned and reported on in {seconds:.1f} s, {peak // 1024} MB", file=sys.stderr)
    return {
        "many_hosts": _MANY,
        "many_s": round(seconds, 2),
        "many_peak_mb": peak // 1024,
        "base_mb": before // 1024,
    }


def _events(planned: plan.Plan) -> Any:
    """Yield what Ansible would: 20 tasks a machine, and every fourth machine is off."""
    for task in range(20):
        for number, one in enumerate(planned.assigned):
            data = {
                "host": one.machine.name,
                "task": f"task {task}",
                "role": "fleet_files",
                "res": {"changed": True},
            }
            off = {"msg": "ssh: connect to host x port 22: No route to host"}
            if number % 4 == 0:
                if task == 0:
                    yield {"event": "runner_on_unreachable", "event_data": {**data, "res": off}}
                continue
            yield {"event": "runner_on_start", "event_data": data}
            yield {"event": "runner_on_ok", "event_data": data}
    names = [one.machine.name for number, one in enumerate(planned.assigned) if number % 4]
    yield {"event": "playbook_on_stats", "event_data": {"ok": dict.fromkeys(names, 20)}}


def _number(words: list[str], name: str, default: int) -> int:
    return int(words[words.index(name) + 1]) if name in words else default
