"""``tdlab verify``: prove that a lab does what its author says."""

from __future__ import annotations

import sys

import click

from domains.errors import EXIT_CHECKS_FAILED, EXIT_DONE
from grader.commands.timings import with_timings


@click.command("verify")
@click.argument("lab")
@click.option(
    "--seeds", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many students to try."
)
@click.option(
    "--lab-host",
    metavar="NAME",
    help="Boot the domains of the first student's samples on this lab host (localhost: this machine).",
)
@with_timings
@click.option("--json", "as_json", is_flag=True, help="Print the proof (tdlab.verify/1) to stdout.")
def command(lab: str, seeds: int, lab_host: str | None, as_json: bool) -> int:
    """Prove LAB (a folder, or a shipped lab's name) over many students' variants.

    The solution must score full, an untouched workspace nothing; each wrong-* sample must lose exactly what
    it names, and every mutant of the solution must be noticed by some check. Exit code 1: one of them is not.
    What only a lab host can answer is proved with --lab-host, and named without it.
    """
    from grader.lab import lab as labs
    from grader.proof import verify
    from grader.proof.terminal import print_proof

    if lab_host is not None:
        from domains import hosts

        # A name that stands for no host is said before anything is proved.
        hosts.find(lab_host)
    progress = _progress if sys.stderr.isatty() else None
    proof = verify.prove(labs.find(lab), seeds=seeds, progress=progress, host=lab_host)
    if as_json:
        click.echo(proof.model_dump_json(by_alias=True, indent=2))
    else:
        print_proof(proof)
    return EXIT_DONE if proof.holds else EXIT_CHECKS_FAILED


def _progress(done: int, every: int) -> None:
    click.echo(f"\rstudent {done} of {every}" + "\n" * (done == every), nl=False, err=True)
