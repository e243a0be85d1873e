"""The command line: thin, and the only owner of exit codes.

Each command lives in a module of its own under :mod:`grader.commands` and is imported when it is called, so
that ``tdlab --help`` stays quick.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import NoReturn

import click

from domains.errors import EXIT_INFRASTRUCTURE, EXIT_INTERRUPTED, TdlabError

# One line each, here rather than in the modules: --help must not import them. By who uses them most.
GROUPS = {
    "Everybody": {
        "doctor": "Say what this host can do, row by row, with cause and remedy.",
        "demo": "Measure every NIC model, grade the sample answers, and write one report.",
        "host": "Make, use and remove lab hosts, emulated ones too.",
        "clean": "Remove what killed runs left behind.",
        "test": "Run tdlab's own tests.",
    },
    "Students": {
        "start": "Make your workspace of a lab.",
        "sheet": "Show the sheet of a lab, with your own letters in a workspace.",
        "predict": "Commit a prediction before measuring.",
        "measure": "Run an experiment of a lab, and keep its evidence.",
        "bench": "Measure the cells of a matrix.",
        "status": "Say how far you are in your workspace.",
        "check": "Look at your answers before you hand them in.",
        "hint": "Give a hint for a question, after its price.",
        "submit": "Hand your workspace in, signed, and get a receipt.",
        "finish": "Look once more, hand in, and close your workspace.",
        "reset": "Put your lab host, or files of your workspace, back to the beginning.",
    },
    "Teachers": {
        "deploy": "Put a lab on every machine of a room.",
        "room": "Look at the machines of a room, and how far each student is.",
        "collect": "Bring back what a room handed in.",
        "remove": "Remove what was deployed, and nothing else.",
        "grade": "Grade submissions of a lab.",
        "review": "Decide, on a local page, what only a teacher can decide.",
        "regrade": "Grade a class again from what is kept, and say who moved.",
        "report": "Look at a class: marks, questions, wrong ideas, signals.",
        "feedback": "Write a page for each student of a class.",
        "export": "Give marks to Moodle, Gradescope, nbgrader and others.",
    },
    "Authors of labs": {
        "new": "Make a new lab that already holds.",
        "verify": "Prove that a lab does what its author says.",
        "schema": "Print the JSON Schema of a file, for your editor.",
        "try-answer": "Try a short text on a lab's rubric.",
    },
    "Engineers": {
        "render": "Print the domain XML of a spec.",
        "benchmark": "Run a benchmark of tdlab itself.",
    },
}
COMMANDS = {name: line for group in GROUPS.values() for name, line in group.items()}


class LazyCommands(click.Group):
    """Knows every command by name and imports one when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"grader.commands.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        longest = max(map(len, COMMANDS))
        for title, commands in GROUPS.items():
            with formatter.section(title):
                # The same width in each: click makes a column of its own for every section.
                formatter.write_dl([(name.ljust(longest), line) for name, line in commands.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            from domains.document import nearest

            guess = nearest(name, COMMANDS)
            raise click.UsageError(
                f"No such command {name!r}." + (f" Did you mean {guess!r}?" if guess else "")
            )
        return super().resolve_command(ctx, args)


def _print_version(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted:
        from grader.version import version

        click.echo(f"tdlab {version()}")
        ctx.exit()


@click.group(
    cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Show it."
)
@click.option("--debug", is_flag=True, help="Show a traceback with an error.")
def tdlab(debug: bool) -> None:
    """An automated lab and grading harness around QEMU and libvirt."""
    if debug:
        os.environ["TDLAB_DEBUG"] = "1"


def main() -> NoReturn:
    """Run a command and leave with its exit code; every error is one message."""
    try:
        status = tdlab.main(standalone_mode=False, prog_name="tdlab")
        sys.exit(status if isinstance(status, int) else 0)
    except TdlabError as error:
        _fail(str(error), error.exit_code)
    except (click.exceptions.Abort, KeyboardInterrupt):
        _fail("interrupted; what was measured is kept, and --resume goes on from there", EXIT_INTERRUPTED)
    except click.ClickException as error:
        _show(error)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader of our output went away (tdlab … | head): nothing to say, and nobody to say it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        _fail(f"{error.filename or 'the output'}: {error.strerror or error}", EXIT_INFRASTRUCTURE)
    except Exception as error:  # noqa: BLE001 - the last resort: a fault of ours, said as such
        _fail(f"a fault of tdlab itself: {type(error).__name__}: {error}", EXIT_INFRASTRUCTURE, ours=True)


def _show(error: click.ClickException) -> None:
    """Say what is wrong with a command line in the language of whoever typed it."""
    from grader.language import refusals

    if refusals.spoken() == "en" or isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return
    if isinstance(error, click.UsageError) and (ctx := error.ctx) is not None:
        usage = " ".join([ctx.command_path, *ctx.command.collect_usage_pieces(ctx)])
        click.echo(refusals.USAGE.say("fr", usage=usage, command=ctx.command_path), err=True)
    click.echo(refusals.WRONG.say("fr", why=refusals.said(error.format_message(), "fr")), err=True)


def _fail(message: str, code: int, *, ours: bool = False) -> NoReturn:
    from grader.language.inert import inert

    if os.environ.get("TDLAB_DEBUG"):
        import traceback

        traceback.print_exc()
    elif ours:
        message += "\n  run it again with `tdlab --debug …` and report what it shows"
    from grader.language import causes, refusals

    # It may quote a student's file name, or what a program said.
    click.echo(f"tdlab: {inert(causes.said(message, refusals.spoken()))}", err=True)
    sys.exit(code)
