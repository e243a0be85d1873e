"""``tdlab host``: lab hosts, also one that is emulated where there is no virtualisation hardware."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from grader.commands import host_devices
from grader.commands.timings import with_timings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domains.emulated.lifecycle import Up
    from domains.emulated.registry import Record

SCHEMA = "tdlab.host/1"
LIST_SCHEMA = "tdlab.hosts/1"
FLAVOURS = ("amd", "intel")

_json = click.option("--json", "as_json", is_flag=True, help=f"Print {SCHEMA} to stdout.")


@click.group("host")
def command() -> None:
    """Lab hosts: make, use and remove them."""


command.add_command(host_devices.command)


@command.command("up")
@click.option(
    "--emulated",
    is_flag=False,
    flag_value="amd",
    metavar="[amd|intel]",
    help="A machine of QEMU's with AMD's SVM (amd), or of Bochs's with Intel's VMX (intel).",
)
@click.argument("name", required=False)
@click.option("--memory", default="4 GiB", show_default=True, help="Its memory.")
@click.option("--vcpus", default=2, show_default=True, type=click.IntRange(1, 64), help="Its processors.")
@_json
@with_timings
def up(emulated: str | None, name: str | None, memory: str, vcpus: int, as_json: bool) -> None:
    """Have a lab host up; NAME is "emulated" if it is left out."""
    from domains.emulated import plan

    if emulated is None:
        raise click.UsageError(
            "say which kind of host: tdlab host up --emulated [NAME]. A real machine becomes a lab host by "
            "`tdlab host provision USER@ADDRESS`."
        )
    if emulated not in FLAVOURS:
        if name is not None:
            raise click.UsageError(f"--emulated is amd or intel, not {emulated!r}.")
        emulated, name = "amd", emulated
    if emulated == "intel":
        _intel(as_json)
        return
    asked = plan.HostPlan(
        name=plan.check_name(name or plan.DEFAULT_NAME), run="", subnet="", memory=_bytes(memory), vcpus=vcpus
    )
    from domains import hosts
    from domains.emulated import emulator, lifecycle

    with libvirt() as connection:
        done = lifecycle.up(connection, asked, emulator.choose(_say), _say, hosts.furnish)
    _show_up(done, as_json)


@command.command("down")
@click.argument("name", required=False)
@click.option("--forget", is_flag=True, help="Remove its saved state and its keys too.")
def down(name: str | None, forget: bool) -> None:
    """End a host. Its saved state stays, so that it is up again in seconds."""
    from domains.emulated import lifecycle, plan

    with libvirt() as connection:
        lifecycle.down(connection, name or plan.DEFAULT_NAME, forget=forget)


@command.command("reset")
@click.argument("name", required=False)
@_json
@with_timings
def reset(name: str | None, as_json: bool) -> None:
    """Put a host back to how it was when it had just been provisioned."""
    from domains.emulated import plan

    put_back(name or plan.DEFAULT_NAME, as_json=as_json)


def put_back(name: str, *, as_json: bool = False) -> None:
    """Put an emulated host back to its first state, and say so."""
    from domains import hosts
    from domains.emulated import emulator, lifecycle

    with libvirt() as connection:
        done = lifecycle.reset(connection, name, emulator.choose(_say), _say, hosts.furnish)
    _show_up(done, as_json)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help=f"Print {LIST_SCHEMA} to stdout.")
def list_(as_json: bool) -> None:
    """List the hosts that were made, and whether they are up."""
    from domains.emulated import registry

    with libvirt() as connection:
        rows = [
            _row(record, "up" if connection.machine(record.plan.domain_name) else "down")
            for record in registry.all_hosts()
        ]
    if as_json:
        click.echo(json.dumps({"schema": LIST_SCHEMA, "hosts": rows}, indent=1))
        return
    for row in rows:
        click.echo(f"{row['name']:<16} {row['state']:<5} {row['address']:<15} {row['emulator']}")
    if not rows:
        click.echo("no lab host was made yet: tdlab host up --emulated", err=True)


@command.command("ssh", context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def ssh(name: str, words: tuple[str, ...]) -> int:
    """Log in to a host, or run a command on it."""
    from domains import hosts, process

    return process.passthrough([*(hosts.find(name).ssh or ()), *words])


@command.command("console")
@click.argument("name", required=False)
def console(name: str | None) -> int:
    """Attach this terminal to a host's serial console; Ctrl-] leaves it."""
    from domains import process
    from domains.emulated import plan, registry
    from domains.hypervisor import LOCAL_URI

    record = registry.require(name or plan.DEFAULT_NAME)
    return process.passthrough(["virsh", "--connect", LOCAL_URI, "console", record.plan.domain_name])


@command.command("provision")
@click.argument("name", required=False)
@click.option("--check", is_flag=True, help="Only predict what would change.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole report to stdout.")
def provision(name: str | None, check: bool, as_json: bool) -> None:
    """Make a host a lab host with the role lab_host; NAME is one of `tdlab host list`, or USER@ADDRESS."""
    from dataclasses import asdict

    from domains import hosts
    from domains import provision as provisioning
    from domains.emulated import plan

    name = name or plan.DEFAULT_NAME
    report = provisioning.require(
        provisioning.provision(name, connection=hosts.ansible_connection(name), check=check)
    )
    for sentence in report.says:
        _say(sentence)
    if as_json:
        click.echo(json.dumps({"schema": "tdlab.provision/1", **asdict(report)}, indent=2))
    else:
        click.echo(f"{report.host}: ok={report.ok} changed={report.changed} in {report.seconds:.1f} s")


def _show_up(done: Up, as_json: bool) -> None:
    row = _row(done.record, "up")
    if as_json:
        phases = {name: round(seconds, 3) for name, seconds in done.phases.items()}
        click.echo(json.dumps({"schema": SCHEMA, **row, "how": done.how, "seconds": phases}, indent=1))
    else:
        name, total = done.record.name, sum(done.phases.values())
        click.echo(f"{name} is up ({done.how}) in {total:.1f} s: tdlab bench --host {name}")


def _row(record: Record, state: str) -> dict[str, Any]:
    from domains.emulated import registry

    return {
        "name": record.name,
        "uri": registry.as_host(record).uri,
        "address": record.plan.address,
        "state": state,
        "emulator": record.emulator,
        "emulator_why": record.emulator_said,
        "memory_mib": record.plan.memory // 2**20,
        "vcpus": record.plan.vcpus,
    }


def _intel(as_json: bool) -> None:
    """Boot the Intel appliance, have it run all that it can, and end it: it has no time for more."""
    from domains import bochs, paths

    folder = paths.state() / "hosts" / ".intel"
    folder.mkdir(parents=True, exist_ok=True)
    found = bochs.run(folder=folder, say=_say)
    if as_json:
        click.echo(json.dumps(found.document(), indent=1))
        return
    click.echo(f"{found.emulator}: ready in {found.seconds_to_ready:.0f} s, all in {found.seconds:.0f} s")
    for one in found.findings:
        said = {"on": ", EPT on", "off": ", EPT off", None: ""}[one.ept]
        click.echo(f"{one.experiment}{said}: {_short(one.found)}")
    click.echo("explained and drawn: tdlab measure r202 intel", err=True)


def _short(found: Mapping[str, Any]) -> str:
    """Return the telling part of what an experiment of the appliance printed."""
    if "vmx_flags" in found:
        return f"vmx; {' '.join(found['vmx_flags'])}"
    if "total" in found:
        return f"{found['total']} exits, {found['median_microseconds_per_exit']:.0f} µs each (emulated clock)"
    if "loops" in found:
        loops = found["loops"].items()
        return "; ".join(f"{name} {one['exits_per_change']:.3f} exits each" for name, one in loops)
    return ", ".join(f"{name} {value}" for name, value in found.items() if name != "schema")


def libvirt() -> Any:
    """Return a connection to this machine's libvirt, started if need be, swept of what was left."""
    import contextlib

    @contextlib.contextmanager
    def connection() -> Any:
        from domains import daemon, hypervisor, ownership, store

        if said := daemon.ensure_running():
            _say(said)
        with hypervisor.connected() as connected:
            for leftover in ownership.sweep(connected, store.pool(connected)):
                _say(f"removed {leftover.kind} {leftover.name}, left by a command that was killed")
            yield connected

    return connection()


def _bytes(text: str) -> int:
    from domains import quantities

    return quantities.size(text)


def _say(text: str) -> None:
    click.echo(text, err=True)
