"""What ``bench`` and ``demo`` share: from a matrix and a folder to a run and its report."""

from __future__ import annotations

import contextlib
import datetime
import functools
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from domains.phases import phase
from grader.language.bilingual import Bilingual, both
from grader.measure.matrix import Matrix
from grader.measure.run import Run, Stamp
from grader.running import interruption
from grader.running import journal as journals

if TYPE_CHECKING:
    from domains.cloud.image import CloudImage
    from domains.host import Host
    from domains.hypervisor import Hypervisor
    from domains.render import Owner
    from grader.running.journal import Journal


@dataclass(frozen=True)
class Request:
    """What was asked on the command line."""

    matrix: Matrix
    folder: Path
    resume: bool
    command: str
    image: Path | None = None  # an ordinary cloud image, instead of the tiny guest
    host: str = "localhost"
    allow_reload: bool = False
    one_guest: bool = False
    stamp: Stamp | None = None  # of the workspace in which it is measured
    at: Host | None = None  # the host, where its name does not say how it is reached


def say(message: str) -> None:
    """Print one line of progress to stderr, in the student's language: stdout is for results."""
    from grader.language import causes, refusals

    click.echo(causes.said(message, refusals.spoken()), err=True)


def not_alone(host: Host) -> Bilingual:
    """Return what is noted where the connection ended that held a host while it was measured."""
    return both(
        f"the connection that held {host.name} broke: another run may have measured beside this one",
        f"la connexion qui réservait {host.name} s'est rompue : une autre mesure a pu tourner à côté",
    )


def execute(request: Request) -> Run:
    """Measure what was asked and return the run; what a killed run left on the host is removed first."""
    # scipy takes a second to import and is needed at the end only: a thread loads it while guests boot.
    threading.Thread(target=_load_scipy, daemon=True).start()
    with phase("load libvirt"):
        from domains import daemon, hosts, lease, ownership
        from domains.cloud import image as cloud_image
        from grader.running import summary

    with phase("look at the cloud image"):
        cloud = cloud_image.inspect(request.image) if request.image else None
    owner = ownership.this_process(ownership.new_run_id())
    host = request.at or hosts.find(request.host)
    with contextlib.ExitStack() as held:
        taken = held.enter_context(lease.on(host))
        plan = _plan(request, owner, cloud)
        journal = held.enter_context(journals.opened(request.folder, plan, resume=request.resume))
        journals.remember(request.folder, request.command)
        if request.resume and journal.plan["id"] == owner.run:
            say(f"{request.folder} holds no run that could go on: this is a new one")
        with phase("start libvirt"):
            if host.ssh is None and (said := daemon.ensure_running()):
                say(said)
        measure = functools.partial(_measure, request, host, journal, owner, cloud)
        try:
            with taken.relied_on():
                hosts.through_its_ends(host, measure, say)
        finally:
            # Of what is measured until a broken connection is noticed, too, somebody has to know.
            if taken.broke:
                note = not_alone(host).en
                say(note)
                journal.add("note", text=note)
        with phase("summarise"):
            return summary.summarise(journal, request.matrix)


def _measure(request: Request, host: Host, journal: Journal, owner: Owner, cloud: CloudImage | None) -> None:
    """Measure what the journal does not hold yet; called again, it goes on from there."""
    from domains import hosts, hypervisor, images
    from grader.running import bench
    from grader.running.work import MOST_BOOTS, Bench

    with hypervisor.connected(host.uri) as connection:
        with phase("remove leftovers"):
            _remove_leftovers(host, connection)
        work = Bench(
            host,
            connection,
            journal,
            request.matrix,
            owner,
            say,
            cloud,
            may_reload=request.allow_reload or hosts.is_emulated(host),
            one_guest=request.one_guest,
            boots=MOST_BOOTS if hosts.bears_guests_at_once(host) else 1,
        )
        with interruption.patient():
            bench.run(work, lambda: images.build(say))


def _plan(request: Request, owner: Owner, cloud: CloudImage | None) -> dict[str, Any]:
    """Return what the run's ``plan.json`` holds."""
    from grader.version import version

    return {
        "schema": "tdlab.plan/1",
        "id": owner.run,
        "asked": _asked(request.matrix) | _elsewhere(request) | ({"image": cloud.digest} if cloud else {}),
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "tdlab": version(),
    } | ({"stamp": request.stamp.model_dump()} if request.stamp else {})


def _remove_leftovers(host: Host, connection: Hypervisor) -> None:
    """Undo what killed runs left on a host, and say what that was."""
    from domains import devices, ownership, store

    for leftover in ownership.sweep(connection, store.pool(connection)):
        say(f"removed {leftover.kind} {leftover.name}, left by a run that was killed")
    for leftover in devices.put_back(host):
        say(f"put back: {leftover.name}, changed by a run that was killed")


def _load_scipy() -> None:
    import scipy.stats  # noqa: F401


def _asked(matrix: Matrix) -> dict[str, Any]:
    """Return what makes two runs the same run: the cells and the workload."""
    return {
        "workload": matrix.workload.model_dump(),
        "cells": {cell.id: cell.spec.model_dump(mode="json") for cell in matrix.cells},
    }


def _elsewhere(request: Request) -> dict[str, Any]:
    elsewhere: dict[str, Any] = {} if request.host == "localhost" else {"host": request.host}
    return elsewhere | ({"one_guest": True} if request.one_guest else {})


def default_folder(command: str, *, now: datetime.datetime | None = None) -> Path:
    """Return the folder that a run gets when none was named: dated, in the current directory."""
    stamp = (now or datetime.datetime.now()).strftime("%Y%m%d-%H%M%S")
    return Path(f"tdlab-{command}-{stamp}")


def exit_code(run: Run, *, broken: bool = False) -> int:
    """Return 0 when every cell that this host can run was measured, else 4 (partly) or 3 (nothing).

    ``broken`` says that something beside the measuring went wrong, and that it is ours.
    """
    from domains.errors import EXIT_DONE, EXIT_INFRASTRUCTURE, EXIT_PARTLY_DONE

    states = [cell.status for cell in run.cells]
    if "error" not in states and not broken:
        return EXIT_DONE
    return EXIT_PARTLY_DONE if "measured" in states else EXIT_INFRASTRUCTURE
