"""``tdlab deploy``: a lab on every machine of a room."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

from domains.phases import phase
from domains.setup.environments import PYTHONS
from grader.commands.timings import with_timings
from grader.language import LANGUAGES, Lang

if TYPE_CHECKING:
    from grader.fleet.inventory import Inventory
    from grader.fleet.plan import Plan, Wish
    from grader.lab.lab import Lab

VAULT_OPTION = click.option(
    "--vault-password-file",
    "vault",
    metavar="FILE",
    envvar="ANSIBLE_VAULT_PASSWORD_FILE",
    # Looked for where it is needed: the variable is there for all commands, on whatever machine.
    type=click.Path(path_type=Path),
    help="Opens what ansible-vault has encrypted in the inventory.",
)
_ROOM_OPTIONS = (
    click.option(
        "-i", "--inventory", "file", required=True, metavar="FILE", type=click.Path(path_type=Path),
        help="Who sits where: a CSV (student,host[,user,port,room,account]), or an Ansible inventory.",
    ),
    VAULT_OPTION,
    click.option("--limit", metavar="WHO", help="Only these hosts, rooms or students (a,b*,!c)."),
    click.option("--forks", type=click.IntRange(1, 200), default=20, help="How many at once (20)."),
    click.option("--json", "as_json", is_flag=True, help="Print events, a line each, then tdlab.room/1."),
    click.option("--lang", type=click.Choice(LANGUAGES), default="en", help="The language of messages."),
)  # fmt: skip


Words = ParamSpec("Words")
Ending = TypeVar("Ending")


def with_room_options(command: Callable[Words, Ending]) -> Callable[Words, Ending]:
    """Give a command the options of all that work on a room."""
    command = with_timings(command)
    for option in reversed(_ROOM_OPTIONS):
        command = option(command)
    return command


@click.command("deploy")
@click.argument("lab")
@click.option(
    "--dry-run",
    is_flag=True,
    help="Only say who gets what, how much, and about how long it takes; do nothing.",
)
@click.option(
    "--check", is_flag=True, help="Look at the machines and say which would change; change nothing."
)
@click.option("--update", is_flag=True, help="Only newer files, only where the lab is; workspaces stay.")
@click.option("--reset", is_flag=True, help="Put workspaces aside, under their date, and lay out fresh ones.")
@click.option(
    "--stage", type=click.Path(path_type=Path), metavar="FOLDER", help="Only write the inventory there."
)
@click.option("--lab-host/--no-lab-host", default=True, help="Make each machine a lab host (QEMU, libvirt).")
@click.option("--image/--no-image", default=True, help="Send the guest image, so that all have the same.")
@click.option("--python", metavar="PATH", default="", help="A Python of theirs that has what tdlab needs.")
@click.option(
    "--wheels",
    multiple=True,
    metavar="VERSION",
    type=click.Choice(PYTHONS),
    help="Send tdlab's packages too, for machines without internet that have this Python (3.13).",
)
@click.option("--sheet-lang", type=click.Choice(LANGUAGES), default="fr", help="The students' language.")
@click.option(
    "--transfer-seconds", type=click.IntRange(5), default=300, help="How long sending to one may take."
)
@click.option("--relay", metavar="HOST", help="Send to this machine, and have the others take it from there.")
@with_room_options
def command(
    lab: str,
    file: Path,
    vault: Path | None,
    limit: str | None,
    forks: int,
    as_json: bool,
    lang: Lang,
    dry_run: bool,
    check: bool,
    stage: Path | None,
    relay: str | None,
    **how: Any,
) -> int:
    """Put LAB on the machines of an inventory: lab host, tool, lab, guest image, each student's workspace.

    Run it again at any time: it does only what is left.
    """
    from grader.fleet import inventory, plan
    from grader.lab import lab as labs

    if how["python"] and how["wheels"]:
        raise click.UsageError(
            "--python names a Python that has the packages, --wheels sends them: only one."
        )
    found = labs.load(labs.find(lab))
    machines = inventory.read(file, vault).limited(limit)
    dry = dry_run and not stage
    with phase("plan"):
        made = _sketched(found, machines, how) if dry else plan.make(found, machines, _wish(how))
    if dry_run or stage:
        _show(made, forks, lang, stage, as_json=as_json)
        return 0
    playbook = "reset.yml" if how["reset"] else "update.yml" if how["update"] else "deploy.yml"
    if relay and not check:
        from grader.fleet import running

        with running.relayed(made, relay) as more:
            return run(made, playbook, forks, lang, as_json=as_json, more=more)
    return run(made, playbook, forks, lang, as_json=as_json, check=check)


def _wish(how: Mapping[str, Any], *, dry: bool = False) -> Wish:
    """Return what is to travel; builds the guest image and fetches packages where they are asked for.

    A dry one takes what is there, and says what is not.
    """
    from domains import images
    from domains.setup import wheels
    from grader.fleet.plan import Wish

    with phase("guest image"):
        image = (images.ready() if dry else images.build(_say)) if how["image"] else None
    with phase("packages"):
        versions = sorted(set(how["wheels"]))
        packages = {one: wheels.ready(one) if dry else wheels.folder(one, _say) for one in versions}
    return Wish(
        image,
        how["image"] and image is None,
        how["lab_host"],
        how["python"],
        packages,
        how["sheet_lang"],
        how["transfer_seconds"],
    )


def _sketched(found: Lab, machines: Inventory, how: Mapping[str, Any]) -> Plan:
    """Return a plan to be shown; nothing is left of what was packed to know its size."""
    from domains import scratch
    from grader.fleet import plan

    with scratch.folder("plan") as aside:
        return plan.make(found, machines, _wish(how, dry=True), aside)


def _show(made: Plan, forks: int, lang: Lang, stage: Path | None, *, as_json: bool) -> None:
    """Print a plan, and write it where it is staged."""
    from grader.fleet import telling

    if as_json:
        click.echo(json.dumps(telling.plan_document(made, forks), ensure_ascii=False, indent=1))
    else:
        _print(telling.plan_lines(made, forks, lang))
    if stage:
        written = " ".join(f"-i {one}" for one in made.write(stage))
        click.echo(f"ansible-playbook {written} --forks {forks} playbooks/deploy.yml", err=True)


def _print(lines: Iterable[str]) -> None:
    """Print lines as the terminal is wide; a line that is a command (set in by four) stays one."""
    import shutil
    import sys

    from grader.language.lines import wrapped

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 10_000
    for line in lines:
        indent = line[: len(line) - len(line.lstrip())]
        fits = len(line) <= width or len(indent) == 4
        click.echo(
            line if fits else "\n".join(wrapped(line.lstrip(), width, first=indent, then=indent + "  "))
        )


def _say(text: str) -> None:
    click.echo(text, err=True)


def planned(lab: str, file: Path, vault: Path | None, limit: str | None) -> Plan:
    """Return the plan of a room for what sends nothing; raises what reading lab and inventory does."""
    from grader.fleet import inventory, plan
    from grader.lab import lab as labs

    return plan.make(
        labs.load(labs.find(lab)), inventory.read(file, vault).limited(limit), plan.Wish(lab_host=False)
    )


def run(
    made: Plan,
    playbook: str,
    forks: int,
    lang: Lang,
    *,
    as_json: bool,
    check: bool = False,
    more: Mapping[str, Any] | None = None,
) -> int:
    """Run a playbook on a plan with a live table, events or nothing, then the summary; return the status."""
    import time

    from domains.errors import EXIT_DONE, EXIT_INFRASTRUCTURE, EXIT_INTERRUPTED, EXIT_PARTLY_DONE
    from grader.fleet import causes, running, showing, telling

    began = time.monotonic()
    with showing.shown(made, lang, as_json=as_json) as on_change:
        board, log = running.run(made, playbook, forks=forks, on_change=on_change, check=check, more=more)
    seconds = time.monotonic() - began
    if as_json:
        click.echo(json.dumps(telling.document(board, made, seconds, log), ensure_ascii=False))
    else:
        _print(telling.summary(board, made, seconds, log, lang))
    if any(row.cause and row.cause.kind is causes.INTERRUPTED for row in board.rows.values()):
        return EXIT_INTERRUPTED
    failed = sum(row.state == "failed" for row in board.rows.values())
    if not failed:
        return EXIT_DONE
    return EXIT_INFRASTRUCTURE if failed == len(board.rows) else EXIT_PARTLY_DONE
