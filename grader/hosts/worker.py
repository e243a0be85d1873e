"""``python -m grader.hosts.worker FOLDER HOST``: measure one host of a plan, in a process of its own.

A host that hangs in libvirt or SSH can so be given up without harm to the others. What is said goes to
stderr; how it ended is one line of JSON on stdout (:class:`Ended`).
"""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import Literal

from domains import process
from domains.errors import EXIT_INTERRUPTED, TdlabError
from grader.hosts.plan import Named
from grader.measure.run import Record


class Ended(Record):
    """How measuring a host ended; the stable ``word`` says in what way it failed, where that is known."""

    state: Literal["measured", "failed"]
    word: str = ""
    cause: str | None = None
    remedy: str | None = None


def measured(folder: Path, name: str) -> Ended:
    """Measure what a host of the plan in ``folder`` still lacks, and write its report."""
    from domains import reach
    from grader import report
    from grader.hosts import plan as plans
    from grader.running.execution import Request, execute

    plan = plans.read(folder)
    one = plan.host(name)
    try:
        at = reach.host(one.way, Path(plan.known_hosts))
        image = Path(plan.image) if plan.image else None
        request = Request(
            plan.matrix(),
            folder / one.folder,
            (folder / one.folder / "plan.json").exists(),
            "bench-host",
            image,
            at.name,
            plan.allow_reload,
            plan.one_guest,
            at=at,
        )
        report.write(execute(request), folder / one.folder)
    except TdlabError as broken:
        return _failed(one, broken)
    return Ended(state="measured")


def _failed(one: Named, broken: TdlabError) -> Ended:
    """Return how a host failed: by what SSH says where it could not be reached, as when deploying to it."""
    from domains import lease
    from domains.hypervisor import ConnectError
    from grader.fleet import causes

    remedy, word = broken.remedy, ""
    if isinstance(broken, lease.HeldError):
        word = "held"
    elif isinstance(broken, ConnectError):
        word = "no-libvirt"
        remedy = f"make it a lab host: tdlab deploy, or tdlab host provision {one.way.name}"
    elif isinstance(broken, lease.BrokenError):
        word = causes.DROPPED.id
    elif isinstance(broken, lease.HungError):
        word = causes.HUNG.id
    elif isinstance(broken, lease.UnreachedError):
        word = causes.classify("", {"msg": broken.problem}).kind.id
    return Ended(state="failed", word=word, cause=broken.problem, remedy=remedy)


def _own_folder(folder: Path, name: str) -> Path:
    """Return the folder of a host's run: others break beside it."""
    from grader.hosts import plan

    own = folder / plan.read(folder).host(name).folder
    own.mkdir(exist_ok=True)
    return own


def main(folder: str, name: str, parent: str) -> None:
    """Measure, and say how it ended; ends with the process that started it."""
    process.end_with(int(parent))
    try:
        ended = measured(Path(folder), name)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except Exception as fault:  # noqa: BLE001 - it is said as what it is, and the other hosts go on
        file = _own_folder(Path(folder), name) / "traceback.txt"
        file.write_text(traceback.format_exc(), encoding="utf-8")
        cause = f"a fault of tdlab itself: {type(fault).__name__}: {fault}"
        ended = Ended(state="failed", cause=cause, remedy=f"report it with {file}")
    print(ended.model_dump_json(), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
