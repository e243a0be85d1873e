"""``tdlab check``: look at a workspace before it is handed in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.language import LANGUAGES, Lang
from grader.language.bilingual import both

if TYPE_CHECKING:
    from grader.lab.questions import CodeQuestion
    from grader.results.result import CheckResult
    from grader.submission.submission import Submission
    from grader.workspace.feedback import Feedback, Judge
    from grader.workspace.workspace import Workspace


_BOOTING = both(
    "{host}: booting your domains takes some seconds each",
    "{host} : démarrer vos domaines prend quelques secondes pour chacun",
)


@click.command("check")
@click.argument("workspace", type=click.Path(path_type=Path), default=Path())
@click.argument("questions", nargs=-1)
@click.option(
    "--host", "host_name", metavar="NAME", help="Look at this lab host first (localhost: this machine)."
)
@click.option(
    "--boot",
    is_flag=True,
    help="Boot your domains on the lab host of --host (localhost if none) and look at them from inside.",
)
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language, instead of the workspace's.")
@click.option("--json", "as_json", is_flag=True, help="Print it (tdlab.check/1) to stdout.")
def command(
    workspace: Path,
    questions: tuple[str, ...],
    host_name: str | None,
    boot: bool,
    lang: Lang | None,
    as_json: bool,
) -> int:
    """Look at the answers in WORKSPACE (this folder): all of them, or those to QUESTIONS.

    Exit code 1 says that something can still be made better.
    """
    from domains.errors import EXIT_CHECKS_FAILED, EXIT_DONE
    from grader.workspace import feedback
    from grader.workspace import workspace as workspaces

    workspace, questions = _meant(workspace, questions)
    place = workspaces.find(workspace)
    own: Lang = lang or place.identity.lang
    if host_name is not None and not boot:
        _look_at(place, host_name)
    _remember(place)
    given = place.submission()
    judge = _judge(place, given, own, (host_name or "localhost") if boot else None)
    found = _asked(feedback.look(given, place.lab.slug, own, judge), questions)
    if as_json:
        click.echo(_document(place, found))
    else:
        from grader.workspace.terminal import print_feedback

        print_feedback(found, own)
    good = {"noted", "right", "waiting", "not-here"}
    return EXIT_DONE if all(one.state in good for one in found) else EXIT_CHECKS_FAILED


def _meant(workspace: Path, questions: tuple[str, ...]) -> tuple[Path, tuple[str, ...]]:
    """Return the workspace and the questions meant: who names a question alone means this folder."""
    from domains.errors import UsageError

    if workspace.exists():
        return workspace, questions
    if len(workspace.parts) > 1:
        raise UsageError(f"{workspace} does not exist", remedy="check the name and the folder you are in")
    return Path(), (str(workspace), *questions)


def _document(place: Workspace, found: list[Feedback]) -> str:
    """Return what was seen as JSON (tdlab.check/1)."""
    import json

    rows = [
        {
            "id": one.question.id,
            "state": one.state,
            "asked": one.asked,
            "seen": one.seen,
            "next": one.next,
            "hints": list(one.hints),
        }
        for one in found
    ]
    head = {"schema": "tdlab.check/1", "lab": place.lab.slug, "student": place.identity.student}
    return json.dumps(head | {"questions": rows}, ensure_ascii=False, indent=1)


def _judge(place: Workspace, given: Submission, lang: Lang, host: str | None) -> Judge:
    """Return what runs the lab's own tests of a question, on a lab host where one is named."""

    def judge(question: CodeQuestion) -> CheckResult:
        from grader.grading import judging

        return judging.one_judged(place.written, question, given, lang, host)

    if host is not None:
        from domains import hosts

        # A name that stands for no host is said before anything is judged.
        hosts.find(host)
        click.echo(_BOOTING.say(lang, host=host), err=True)
    return judge


def _remember(place: Workspace) -> None:
    """Note when answers were looked at, and which; a finished workspace is left as it was handed in."""
    import hashlib

    from grader.submission import history
    from grader.submission.answers import ANSWERS_FILE
    from grader.submission.history import Event
    from grader.workspace import workspace as workspaces

    file = place.folder / ANSWERS_FILE
    if file.is_file() and not workspaces.is_closed(place):
        sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
        history.add(place.folder, Event(what="checked", time=history.now(), sha256=sha256))


def _look_at(place: Workspace, name: str) -> None:
    """Look at a lab host for all that the lab asks of one, and keep what is found in the evidence."""
    from domains import hosts
    from domains.errors import InfrastructureError, UsageError
    from grader.facts import collect
    from grader.lab.questions import HostQuestion
    from grader.workspace import measuring

    asked = [one for one in place.lab if isinstance(one, HostQuestion)]
    if not asked:
        raise UsageError(f"{place.lab.slug} asks nothing of a host", remedy="leave --host out")
    host = hosts.find(name)
    facts = [fact for one in asked for fact in (*one.needs, *one.facts)]
    found = collect.look(place.lab.slug, facts, host, emulator=hosts.emulator(host))
    text = found.model_dump_json(by_alias=True, indent=1) + "\n"
    is_measured = found.problem is None
    click.echo(measuring.keep(place, "host.json", text, [], is_measured=is_measured), err=True)
    if found.problem:
        raise InfrastructureError(f"{name} could not be looked at: {found.problem}")


def _asked(found: list[Feedback], questions: tuple[str, ...]) -> list[Feedback]:
    from domains import document
    from domains.errors import UsageError

    known = {one.question.id: one for one in found}
    for name in questions:
        if name not in known:
            guess = document.nearest(name, known)
            remedy = f"did you mean {guess!r}?" if guess else f"questions: {', '.join(known)}"
            raise UsageError(f"the lab has no question {name!r}", remedy=remedy)
    return [known[name] for name in questions] or found
