"""``tdlab measure``: run an experiment of a lab."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from domains.phases import phase
from grader.commands.timings import with_timings
from grader.language import LANGUAGES, Lang
from grader.language.bilingual import both

if TYPE_CHECKING:
    from grader.experiments.description import Experiment
    from grader.experiments.result import Result
    from grader.lab.lab import Lab
    from grader.lab.questions import PredictionQuestion
    from grader.workspace.workspace import Workspace

_KEPT = both("result and evidence: {folder}\npage: {page}", "résultat et preuves : {folder}\npage : {page}")
_CHAPTERS = {
    "processor": both("processor", "processeur"),
    "memory": both("memory", "mémoire"),
    "devices": both("devices", "cartes"),
}


@click.command("measure")
@click.argument("names", nargs=-1, metavar="[LAB] [NAME]")
@click.option(
    "--host", "host_name", default="localhost", help="Measure on this lab host, not on this machine."
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the result and its evidence.")
@click.option("--allow-module-reload", is_flag=True, help="The host's KVM module may be loaded anew for it.")
@click.option("--second-host", is_flag=True, help="A second emulated host may be started to compare with.")
@click.option(
    "--repeats",
    type=click.IntRange(1, 50),
    default=1,
    show_default=True,
    help="Measure so often and keep all samples in one result: where the interval is too wide to tell.",
)
@click.option(
    "--without-predicting",
    is_flag=True,
    help="In a workspace: measure although predictions are open, which can then no longer earn points.",
)
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language of what is explained.")
@click.option("--json", "as_json", is_flag=True, help="Print the result (tdlab.experiment/1) to stdout.")
@with_timings
def command(
    names: tuple[str, ...], without_predicting: bool, lang: Lang | None, as_json: bool, **how: Any
) -> int:
    """Run the experiment NAME of a LAB and keep its evidence; without a NAME, list the experiments.

    Inside a workspace LAB may be left out, predictions come first, and the result lands in the evidence. What
    the host cannot do is skipped, with cause and remedy.
    """
    from grader.experiments import description
    from grader.workspace import measuring

    lab, name, mine = _asked(names)
    own: Lang = lang or (mine.identity.lang if mine else "en")
    if name is None:
        _list(list(description.find_all(lab.folder)), own, as_json)
        return 0
    experiment = description.find(lab.folder, name)
    told = _told(mine, experiment) if mine else []
    stamp = measuring.begin(mine, told, without_predicting=without_predicting) if mine else None
    with phase("load"):
        from grader import report
        from grader.experiments import place, runner
        from grader.experiments.stage import Setting
        from grader.running.execution import default_folder, say

        host, emulator = place.resolve(how["host_name"])
    kept = how["out"] or (mine.folder / "runs" if mine else Path()) / default_folder(f"measure-{name}")
    with phase("measure"):
        allowed = how["allow_module_reload"] or emulator is not None
        setting = Setting(host, kept, say, emulator, allowed, how["second_host"], stamp, how["repeats"])
        result = runner.run(experiment, setting)
    with phase("write the page"):
        page = report.write_experiment(result, kept, lang=own)
    if mine:
        click.echo(_keep(mine, result, told), err=True)
    _show(result, page, own, as_json)
    return _exit_code(result)


def _keep(place: Workspace, result: Result, told: list[PredictionQuestion]) -> str:
    """Keep a result in the workspace's evidence; return what is said of it."""
    from grader.workspace import measuring

    kept_as, is_measured = f"experiments/{result.experiment}.json", result.status == "measured"
    return measuring.keep(place, kept_as, result.to_json(), told, is_measured=is_measured)


def _asked(names: tuple[str, ...]) -> tuple[Lab, str | None, Workspace | None]:
    """Return the lab, the experiment's name, and the workspace of that lab if this is inside one."""
    from grader.lab import lab as labs
    from grader.workspace import workspace as workspaces

    place = workspaces.around(Path())
    if len(names) > 2 or not (names or place):
        raise click.UsageError("name a lab and one of its experiments: tdlab measure LAB NAME")
    alone = names[0] if len(names) == 1 else None
    if place and (not names or (alone and not labs.find(alone).is_dir())):
        return place.lab, alone, place
    lab = labs.load(labs.find(names[0]))
    mine = place if place and place.written.folder == lab.folder else None
    return lab, (names[1] if len(names) == 2 else None), mine


def _told(place: Workspace, experiment: Experiment) -> list[PredictionQuestion]:
    """Return the predictions that an experiment answers."""
    from grader.submission import predictions

    return [*predictions.told_by_experiment(place.lab, experiment.id, experiment.description.questions)]


def _show(result: Result, page: Path, lang: Lang, as_json: bool) -> None:
    if as_json:
        click.echo(result.to_json(), nl=False)
    else:
        from grader.report.experiment import print_result

        print_result(result, lang)
    click.echo(_KEPT.say(lang, folder=page.parent, page=page), err=True)


def _list(experiments: list[Experiment], lang: Lang, as_json: bool) -> None:
    if as_json:
        import json

        rows = [one.description.model_dump(mode="json") for one in experiments]
        listed = {"schema": "tdlab.experiments/1", "experiments": rows}
        click.echo(json.dumps(listed, ensure_ascii=False, indent=1))
        return
    if not experiments:
        none = both(
            "no experiments here; `tdlab bench` measures", "pas d'expérience ici ; `tdlab bench` mesure"
        )
        click.echo(none.say(lang), err=True)
    for one in experiments:
        click.echo(
            f"{one.id:18} {_CHAPTERS[one.description.chapter].say(lang):10} {one.description.title.say(lang)}"
        )


def _exit_code(result: Result) -> int:
    """Return 0 when it was measured, 4 when this host cannot do it, 3 when something of ours broke."""
    from domains.errors import EXIT_DONE, EXIT_INFRASTRUCTURE, EXIT_PARTLY_DONE

    return {"measured": EXIT_DONE, "skipped": EXIT_PARTLY_DONE, "error": EXIT_INFRASTRUCTURE}[result.status]
