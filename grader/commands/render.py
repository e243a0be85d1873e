"""``tdlab render``: from a spec to domain XML, the whole family, and what differs between two specs."""

from __future__ import annotations

from pathlib import Path

import click

from domains import catalogue, document, spec, validate
from domains.errors import CapabilityMissing, UsageError
from domains.render import render
from domains.spec import DomainSpec
from grader.language import LANGUAGES, Lang


@click.command("render")
@click.argument("wanted", metavar="[SPEC]", required=False)
@click.option("--all", "everything", is_flag=True, help="Render the whole family of guests and networks.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="With --all: write NAME.xml there."
)
@click.option(
    "--diff", "pair", nargs=2, metavar="A B", help="Show what changes from spec A to spec B, and why."
)
@click.option("--native", is_flag=True, help="Print the QEMU command line that libvirt makes of it.")
@click.option("--list", "listed", is_flag=True, help="List the names of the family.")
@click.option("--lang", type=click.Choice(LANGUAGES), default="en", help="Language of the lessons of --diff.")
def command(
    wanted: str | None,
    everything: bool,
    out: Path | None,
    pair: tuple[str, str] | None,
    native: bool,
    listed: bool,
    lang: Lang,
) -> None:
    """Print the domain XML of SPEC: a YAML file, or a name of the family (see --list)."""
    if sum([wanted is not None, everything, pair is not None, listed]) != 1:
        raise click.UsageError("Give one of: SPEC, --all, --diff A B, --list.")
    if (out and not everything) or (native and wanted is None):
        raise click.UsageError("--out goes with --all, and --native with SPEC.")
    if wanted is not None:
        _one(_spec(wanted), native=native)
    elif everything:
        _all(out)
    elif pair:
        _diff(pair, lang)
    else:
        click.echo("\n".join(catalogue.specs()))


def _spec(word: str) -> DomainSpec:
    """Read a spec file, or take a name of the family."""
    known = catalogue.specs()
    if word in known:
        return known[word]
    if not Path(word).exists() and "/" not in word and not word.endswith((".yaml", ".yml")):
        guess = document.nearest(word, known)
        raise UsageError(
            f"{word} is neither a file nor a name of the family",
            remedy=f"did you mean {guess}?" if guess else "tdlab render --list prints the names",
        )
    return spec.load(Path(word))


def _one(asked: DomainSpec, *, native: bool) -> None:
    xml = render(asked)
    _check(xml, "domain")
    if not native:
        click.echo(xml, nl=False)
        return
    from domains import daemon, hypervisor

    _refuse_native(asked)
    if said := daemon.ensure_running():
        click.echo(said, err=True)
    with hypervisor.connected() as connection:
        click.echo(connection.to_native(xml), nl=False)


def _refuse_native(asked: DomainSpec) -> None:
    """Refuse what libvirt's conversion cannot do: it rebuilds every NIC, and forgets what it was."""
    remedy = "start the guest and read /var/log/libvirt/qemu/NAME.log"
    if asked.machine == "microvm":
        raise UsageError(
            "libvirt cannot print the command line of a microvm: it drops the NIC's place on MMIO",
            remedy=remedy,
        )
    if asked.nic.model == "vf" and asked.nic.address:
        # Seen with libvirt 11.3: it frees the interface, reads the freed memory, and libvirtd may crash.
        raise UsageError(
            "libvirt cannot safely print the command line of a VF given by address", remedy=remedy
        )


def _all(out: Path | None) -> None:
    if out:
        out.mkdir(parents=True, exist_ok=True)
    for one in catalogue.family():
        _check(one.xml, one.kind)
        if out:
            (out / f"{one.name}.xml").write_text(one.xml)
        else:
            click.echo(f"<!-- {one.name} -->\n{one.xml}")
    if out:
        click.echo(f"wrote {len(list(catalogue.family()))} files to {out}", err=True)


def _diff(pair: tuple[str, str], lang: Lang) -> None:
    from grader.spec import diff as spec_diff

    one, other = _spec(pair[0]), _spec(pair[1])
    if text := spec_diff.xml_diff(one, other, pair):
        click.echo(f"{text}\n")
    for lesson in spec_diff.lessons(one, other, lang):
        click.echo(lesson)


def _check(xml: str, kind: catalogue.Kind) -> None:
    try:
        validate.validate(xml, kind=kind)
    except CapabilityMissing as unchecked:
        # Rendering needs no libvirt; that nobody checked the result must be said all the same.
        click.echo(f"tdlab: not validated: {unchecked.problem}", err=True)
