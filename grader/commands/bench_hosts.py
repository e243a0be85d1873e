"""``tdlab bench --hosts``: the same matrix on all hosts of a group."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from grader.commands import deploy
from grader.language import LANGUAGES, Lang
from grader.language.bilingual import both

if TYPE_CHECKING:
    from grader.hosts.document import HostsReport
    from grader.hosts.plan import Plan
    from grader.measure.matrix import Matrix

REPORT = both("report: {page}", "rapport : {page}")
_SIDE_BY_SIDE = 8
Command = TypeVar("Command", bound=Callable[..., object])

_OPTIONS = (
    click.option("--hosts", metavar="GROUP", help="Measure all hosts of a group (a,b*,!c) of an inventory."),
    click.option(
        "-i", "--inventory", metavar="FILE", type=click.Path(path_type=Path),
        help="With --hosts: an Ansible inventory, or a CSV of students and machines.",
    ),
    deploy.VAULT_OPTION,
    click.option("--side-by-side", is_flag=True, help="With --hosts: all at the same time, not in turn."),
    click.option("--forks", type=click.IntRange(1, 100), help="With --side-by-side: at most so many (8)."),
    click.option("--against", metavar="HOST", help="With --hosts: compare with this one, not the middle."),
    click.option(
        "--lang", type=click.Choice(LANGUAGES), help="Language of the report (the workspace's, else English)."
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Hosts:
    """What was asked of many hosts."""

    group: str | None
    inventory: Path | None
    vault: Path | None
    side_by_side: bool
    forks: int | None
    against: str | None
    lang: Lang

    @classmethod
    def taken_from(cls, how: Mapping[str, Any]) -> Hosts:
        """Return what the options of :func:`with_hosts_options` were given."""
        given = {name: how[name] for name in ("inventory", "vault", "side_by_side", "forks", "against")}
        return cls(group=how["hosts"], lang=how["lang"] or "en", **given)

    @property
    def at_once(self) -> int:
        """Return how many are measured at the same time."""
        return (self.forks or _SIDE_BY_SIDE) if self.side_by_side else 1


def with_hosts_options(command: Command) -> Command:
    """Give a command the options of measuring many hosts."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def is_wanted(asked: Hosts, resume: Path | None) -> bool:
    """Return whether many hosts are to be measured, or their runs to be gone on with."""
    from grader.hosts import plan

    if asked.forks and not asked.side_by_side:
        raise click.UsageError("--forks goes with --side-by-side: in turn, one host is measured at a time.")
    if asked.group or asked.inventory or asked.side_by_side or asked.against:
        return True
    return resume is not None and plan.is_there(resume)


def measured(asked: Hosts, matrix: Matrix, how: Mapping[str, Any], *, is_typed: bool, dry_run: bool) -> int:
    """Plan and measure as ``bench`` was asked to; ``is_typed`` says that MATRIX or a part of it was named."""
    what = (how["image"], how["allow_reload"], how["one_guest"])
    wanted = plan(asked, matrix, *what, is_typed or any(what), how["resume"])
    return run(asked, wanted, how["resume"], how["out"], as_json=how["as_json"], dry_run=dry_run)


def plan(
    asked: Hosts,
    matrix: Matrix,
    image: Path | None,
    allow_reload: bool,
    one_guest: bool,
    is_typed: bool,
    resume: Path | None,
) -> Plan | None:
    """Return the plan of a group, or None where runs go on as they were asked for.

    ``is_typed`` says that what to measure was said on the command line. Raises :class:`click.UsageError`
    where something is missing.
    """
    from domains.errors import InputError, UsageError
    from grader.fleet import inventory
    from grader.fleet.plan import known_hosts
    from grader.hosts import plan as plans

    if resume and not (asked.group or asked.inventory):
        if is_typed:
            raise click.UsageError("Runs go on as they were asked for: with --resume, leave the rest out.")
        return None
    if not (asked.group and asked.inventory):
        raise click.UsageError("--hosts GROUP and -i INVENTORY go together.")
    try:
        machines = inventory.read(asked.inventory, asked.vault).limited(asked.group)
    except InputError:
        raise
    except UsageError as why:
        raise UsageError(why.problem.replace("--limit", "--hosts", 1), remedy=why.remedy) from why
    return plans.make(
        machines,
        matrix,
        group=asked.group,
        known_hosts=known_hosts(),
        image=image,
        allow_reload=allow_reload,
        one_guest=one_guest,
    )


def run(
    asked: Hosts, wanted: Plan | None, resume: Path | None, out: Path | None, *, as_json: bool, dry_run: bool
) -> int:
    """Measure all hosts, or what the runs in ``resume`` left; print and write what they showed."""
    from domains.errors import EXIT_DONE, EXIT_INTERRUPTED
    from grader.hosts import document, page, runs_of, telling
    from grader.hosts import plan as plans
    from grader.running.execution import default_folder

    folder = resume or out or default_folder("hosts")
    made = wanted or plans.read(folder)
    if asked.against and asked.against not in {one.name for one in made.hosts}:
        raise click.UsageError(f"--against {asked.against}: there is no such host among those to measure.")
    if dry_run:
        for host in made.hosts:
            click.echo(f"{host.name} ({host.way.name}): {' '.join(cell.id for cell in made.cells)}")
        return EXIT_DONE
    made = runs_of.settled(folder, wanted, resume=resume is not None)
    with runs_of.alone(folder):
        report = runs_of.measured(made, folder, at_once=asked.at_once, against=asked.against, say=_say)
        page.write(folder, report, lang=asked.lang)
    if as_json:
        click.echo(report.to_json(), nl=False)
    else:
        telling.print_report(report, str(folder), asked.lang)
    click.echo(REPORT.say(asked.lang, page=folder / document.PAGE), err=True)
    if any(one.state == "interrupted" for one in report.hosts):
        return EXIT_INTERRUPTED
    return exit_code(report)


def exit_code(report: HostsReport) -> int:
    """Return 0 when all hosts were measured, 4 when some were, 3 when none was."""
    from domains.errors import EXIT_DONE, EXIT_INFRASTRUCTURE, EXIT_PARTLY_DONE

    if all(one.state == "measured" for one in report.hosts):
        return EXIT_DONE
    return EXIT_PARTLY_DONE if any(one.measured for one in report.hosts) else EXIT_INFRASTRUCTURE


def _say(host: str, line: str) -> None:
    from grader.language.inert import one_line

    click.echo(f"{one_line(host)}: {one_line(line)}", err=True)
