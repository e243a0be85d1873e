"""``tdlab bench``: measure the cells of a matrix."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from domains.phases import phase
from grader.commands import bench_hosts
from grader.commands.timings import with_timings
from grader.language import Lang
from grader.running.execution import Request, default_folder, execute, exit_code

if TYPE_CHECKING:
    from grader.lab.questions import PredictionQuestion
    from grader.measure.matrix import Matrix
    from grader.measure.run import Run
    from grader.workspace.workspace import Workspace


@click.command("bench")
@click.argument("matrix", required=False, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the run and its report.")
@click.option("--resume", type=click.Path(path_type=Path), help="Go on with the run in this folder.")
@click.option(
    "--image",
    type=click.Path(path_type=Path),
    help="Measure with this cloud image (qcow2 or raw, with cloud-init), not with the tiny guest.",
)
@click.option(
    "--host", default="localhost", metavar="NAME", help="One of `tdlab host list`, or USER@ADDRESS."
)
@click.option(
    "--allow-module-reload",
    "allow_reload",
    is_flag=True,
    help="Load KVM's module anew for cells with EPT/RVI off, and put it back; no guest may run.",
)
@click.option(
    "--one-guest",
    is_flag=True,
    help="Boot one guest and plug each NIC into it, not a guest for each: sooner where booting is slow.",
)
@click.option(
    "--without-predicting",
    is_flag=True,
    help="In a workspace: measure although predictions are open, which can then no longer earn points.",
)
@click.option("--cell", "only", multiple=True, help="Measure only this cell; may be repeated.")
@click.option("--repeats", type=click.IntRange(min=1), help="Rounds, instead of the matrix's own number.")
@click.option("--seconds", type=click.IntRange(min=1), help="Seconds each way, instead of the matrix's own.")
@click.option("--json", "as_json", is_flag=True, help="Print the run (tdlab.run/1) to stdout.")
@click.option("--dry-run", is_flag=True, help="Print the cells that would be measured.")
@bench_hosts.with_hosts_options
@with_timings
def command(
    matrix: Path | None,
    only: tuple[str, ...],
    repeats: int | None,
    seconds: int | None,
    dry_run: bool,
    **how: Any,
) -> int:
    """Measure the cells of MATRIX (a matrix.yaml) on a host and write a report.

    Without a MATRIX, the cells are those of the workspace's lab, and elsewhere those of the lab R202. In a
    workspace predictions come first, and the report lands in its evidence.

    With --hosts GROUP -i INVENTORY, all hosts of a group are measured and compared.
    """
    from grader.measure import matrix as matrices
    from grader.workspace import workspace as workspaces

    _refuse_contradictions(how)
    place = workspaces.around(Path())
    asked = matrices.load(matrix or _matrix(place)).limited(only, repeats=repeats, seconds=seconds)
    many = bench_hosts.Hosts.taken_from(how)
    if bench_hosts.is_wanted(many, how["resume"]):
        if place or how["host"] != "localhost":
            raise click.UsageError("--hosts goes with no workspace and no --host.")
        is_typed = any((matrix, only, repeats, seconds))
        return bench_hosts.measured(many, asked, how, is_typed=is_typed, dry_run=dry_run)
    if dry_run:
        for cell in asked.cells:
            click.echo(cell.id)
        return 0
    return _measured(place, asked, how)


def _refuse_contradictions(how: Mapping[str, Any]) -> None:
    if how["resume"] and how["out"] and how["resume"] != how["out"]:
        raise click.UsageError("--resume names the run's folder, and --out names another: leave one out.")
    if how["one_guest"] and how["image"]:
        raise click.UsageError(
            "--one-guest plugs NICs into the tiny guest, and --image has another: leave one out."
        )


def _measured(place: Workspace | None, asked: Matrix, how: Mapping[str, Any]) -> int:
    """Measure on one host, write the report, keep it in the workspace, and print what was found."""
    from grader import report
    from grader.report import terminal

    request, told = _request(place, asked, how)
    run = execute(request)
    own: Lang = how["lang"] or (place.identity.lang if place else "en")
    with phase("write the report"):
        report.write(run, request.folder, lang=own)
    if place:
        _keep(place, run, told)
    if how["as_json"]:
        click.echo(run.to_json(), nl=False)
    else:
        with phase("print"):
            terminal.print_run(run, lang=own)
    click.echo(bench_hosts.REPORT.say(own, page=request.folder / "report.html"), err=True)
    return exit_code(run)


def _request(
    place: Workspace | None, asked: Matrix, how: Mapping[str, Any]
) -> tuple[Request, list[PredictionQuestion]]:
    """Return what is to be measured, stamped in a workspace, and the predictions that it answers."""
    from grader.workspace import measuring

    told = _told(place, asked) if place else []
    stamp = measuring.begin(place, told, without_predicting=how["without_predicting"]) if place else None
    request = Request(
        asked,
        how["resume"] or _folder(place, how["out"]),
        how["resume"] is not None,
        "bench",
        how["image"],
        how["host"],
        how["allow_reload"],
        how["one_guest"],
        stamp,
    )
    return request, told


def _keep(place: Workspace, run: Run, told: list[PredictionQuestion]) -> None:
    """Put a report into the evidence of a workspace."""
    from grader.workspace import measuring

    is_measured = any(cell.status == "measured" for cell in run.cells)
    kept = measuring.keep(place, "report.json", run.to_json(), told, is_measured=is_measured)
    click.echo(kept, err=True)


def _matrix(place: Workspace | None) -> Path:
    """Return the matrix of the lab that is worked on."""
    from domains import paths

    return (place.written.folder if place else paths.LABS / "r202") / "matrix.yaml"


def _told(place: Workspace, asked: Matrix) -> list[PredictionQuestion]:
    """Return the predictions that a run answers."""
    from grader.submission import predictions

    return [*predictions.told_by_run(place.lab, asked.cells)]


def _folder(place: Workspace | None, out: Path | None) -> Path:
    """Return the folder of a run; a workspace's evidence is for what is handed in, not for its rounds."""
    if place is None:
        return out or default_folder("bench")
    from grader.workspace import measuring

    is_evidence = out is not None and out.resolve() == (place.folder / "evidence").resolve()
    return measuring.folder_of_run(place, "bench") if out is None or is_evidence else out
