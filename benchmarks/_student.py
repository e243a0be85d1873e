"""A student's way through a lab, typed at a terminal: answers in vi, numbers from what was just measured."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import _terminal
from benchmarks._terminal import Terminal
from domains import document
from domains.errors import EXIT_INFRASTRUCTURE
from grader.grading.grading import grade
from grader.lab.lab import Lab
from grader.lab.questions import (
    ChoiceQuestion,
    ChoicesQuestion,
    CodeQuestion,
    DomainQuestion,
    ExperimentQuestion,
    HostQuestion,
    NumberQuestion,
    OrderQuestion,
    PredictionQuestion,
    Question,
    TextQuestion,
    TranscriptQuestion,
)
from grader.results.result import SubmissionGrade
from grader.submission import evidence
from grader.submission.evidence import Bundle, Seen
from grader.submission.samples import samples
from grader.submission.translation import translate
from grader.workspace import workspace
from grader.workspace.workspace import Workspace

STUDENT = "Zoé L’Étudiante"
_TYPED = ChoiceQuestion | ChoicesQuestion | TextQuestion
_MEASURE_SECONDS = 3600.0


@dataclass(frozen=True)
class Plan:
    """What is to be typed: answers by question, files by name, and the questions that must lose points."""

    answers: dict[str, Any]
    files: dict[str, str]
    loses: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Way:
    """How a lab is gone through; ``host`` is where it is measured (None: here), ``bench`` options of it."""

    lab: Lab
    host: str | None = None
    bench: tuple[str, ...] = ()
    experiments: bool = True


def planned(lab: Lab, scratch: Path, *, right: bool) -> Plan:
    """Return the solution in the student's variant or, wrong, with all that wrong samples say otherwise."""
    solution, *wrong = samples(lab)
    plan = _of(lab, translate(lab, solution, STUDENT, scratch / "solution"))
    if right:
        return plan
    for sample in wrong:
        other = _of(lab, translate(lab, sample, STUDENT, scratch / sample.folder.name))
        for name in sample.loses:
            question = lab.question(name)
            if isinstance(question, _TYPED) or (isinstance(question, CodeQuestion) and not question.file):
                plan.answers[name] = other.answers.get(name)
            elif file := _written(question):
                plan.files[file] = other.files[file]
            else:
                continue
            plan.loses.add(name)
    return plan


def _written(question: Question | None) -> str | None:
    """Return the file that a student writes to answer a question, if it is one."""
    return question.file if isinstance(question, DomainQuestion | CodeQuestion) else None


def _of(lab: Lab, folder: Path) -> Plan:
    named = {one.file if isinstance(one, TranscriptQuestion) else _written(one) for one in lab}
    files = {
        name: (folder / name).read_text(encoding="utf-8")
        for name in sorted(name for name in named if name)
        if (folder / name).is_file()
    }
    return Plan(dict(document.read(folder / "answers.yaml").data["answers"]), files)


def walk(terminal: Terminal, way: Way, plan: Plan, folder: Path, *, right: bool) -> Path:
    """Type the whole lab; return the archive that was handed in."""
    slug = way.lab.slug
    _must(terminal, f"tdlab start {slug} --student '{STUDENT}' --lang fr")
    _must(terminal, f"cd {slug}-workspace")
    _must(terminal, "tdlab sheet | head -n 5")
    place = workspace.find(folder / f"{slug}-workspace")
    unpredicted = _predict(terminal, place, plan, right=right)
    _measure(terminal, way, place, without=bool(unpredicted))
    plan.loses.update(unpredicted)
    for name, text in plan.files.items():
        _write(terminal, name, text)
    _answer(terminal, place, plan, right=right)
    boot = f" --boot --host {way.host}" if way.host else ""
    terminal.run(f"clear; tdlab check{boot}", deadline=_MEASURE_SECONDS)
    assert place.submission().answers.problem is None, terminal.screen()
    plan.loses.update(_hint(terminal, place, plan, right=right))
    _must(terminal, "tdlab submit")
    terminal.run("clear; tdlab status")
    terminal.run("clear")
    terminal.type("tdlab finish")
    terminal.press("Enter")
    # "[O/n]" where nothing is open, "[o/N]" where something is.
    terminal.shows("/n]", ignore_case=True)
    assert terminal.run("o") == 0
    terminal.shows("reçu")
    assert workspace.is_closed(place)
    return max((place.folder / "submissions").glob("*.zip"), key=lambda file: file.stat().st_mtime_ns)


def _predict(terminal: Terminal, place: Workspace, plan: Plan, *, right: bool) -> set[str]:
    """Commit the predictions; who is wrong measures first, and loses them."""
    asked = [one for one in place.lab if isinstance(one, PredictionQuestion)]
    if not right:
        return {one.id for one in asked}
    for question in asked:
        value = plan.answers[question.id]
        said = " ".join(map(str, value)) if isinstance(value, list) else str(value)
        _must(terminal, f"tdlab predict {question.id} {said}")
    return set()


def _measure(terminal: Terminal, way: Way, place: Workspace, *, without: bool) -> None:
    """Bench, then each experiment that is asked for, then the look at the host."""
    where = f" --host {way.host}" if way.host else ""
    bench = " ".join(["tdlab bench", *way.bench]) + where
    if without:
        assert terminal.run(f"clear; {bench}") == 2, "an open prediction must lock the measure"
        terminal.shows("--without-predicting")
        bench += " --without-predicting"
    assert terminal.run(bench, deadline=_MEASURE_SECONDS) in {0, 4}, terminal.screen()
    for name in dict.fromkeys(one.experiment for one in place.lab if isinstance(one, ExperimentQuestion)):
        if way.experiments:
            command = f"tdlab measure {name}{where}"
            # What is not the student's fault is tried once more, as the message says.
            if terminal.run(command, deadline=_MEASURE_SECONDS) == EXIT_INFRASTRUCTURE:
                terminal.run(command, deadline=_MEASURE_SECONDS)
    if any(isinstance(one, HostQuestion) for one in place.lab):
        terminal.run(f"tdlab check --host {way.host or 'localhost'}", deadline=_MEASURE_SECONDS)


def _write(terminal: Terminal, name: str, text: str) -> None:
    """Type a file into the shell, line by line."""
    _must(terminal, f"mkdir -p {Path(name).parent}")
    terminal.type(f"cat > {name} <<'END'")
    terminal.press("Enter")
    for line in text.splitlines():
        terminal.type(line)
        terminal.press("Enter")
    assert terminal.run("END") == 0


def _answer(terminal: Terminal, place: Workspace, plan: Plan, *, right: bool) -> None:
    """Write the answers in vi, each behind its key."""
    terminal.run("clear")
    terminal.type("vi answers.yaml")
    terminal.press("Enter")
    terminal.shows('answers.yaml"')
    # Vim would indent a line anew at each colon of a sentence.
    terminal.type(":set indentkeys=")
    terminal.press("Enter")
    bundle = place.submission().evidence
    for question in place.lab:
        value = _value(question, plan, bundle)
        if value is None:
            continue
        # To the line, then over what stands behind the colon.
        key = question.id.replace(".", r"\.")
        terminal.type(f":/^  {key}:/s/:.*/:/")
        terminal.press("Enter")
        terminal.type(f"A {json.dumps(value, ensure_ascii=False)}")
        terminal.press("Escape")
    assert terminal.run(":wq") == 0


def _hint(terminal: Terminal, place: Workspace, plan: Plan, *, right: bool) -> set[str]:
    """Ask what a hint costs; who is wrong takes it, for a question that would have earned all its points."""
    asked = [one for one in place.lab if one.hints and one.hints[0].costs and one.id not in plan.loses]
    if not asked:
        return set()
    terminal.type(f"clear; tdlab hint {asked[0].id}")
    terminal.press("Enter")
    terminal.shows("[o/N]")
    assert terminal.run("n" if right else "o") == int(right)
    return set() if right else {asked[0].id}


def _value(question: Question, plan: Plan, bundle: Bundle) -> Any:
    """Return what is answered: from the plan, or from what was measured."""
    if isinstance(question, NumberQuestion) and question.expect.value is None:
        found = evidence.expected(question.expect, bundle)
        return float(f"{found.value:.4g}") if isinstance(found, Seen) else None
    if isinstance(question, OrderQuestion) and question.measured:
        return list(evidence.ranked(question, bundle))
    if isinstance(question, CodeQuestion) and question.measured:
        ranked = evidence.by_measures(question.measured, question.items, bundle)
        return ranked[-1 if question.id in plan.loses else 0] if ranked else None
    if _written(question) or isinstance(question, TranscriptQuestion | HostQuestion | ExperimentQuestion):
        return None
    return plan.answers.get(question.id)


def _must(terminal: Terminal, command: str) -> None:
    status = terminal.run(command)
    assert status == 0, f"{command}: status {status}\n{terminal.screen()}"


def go(way: Way, folder: Path, *, right: bool) -> tuple[SubmissionGrade, set[str]]:
    """Walk a lab once, and return the grade of what was handed in with what it was to lose."""
    scratch = folder / "plan"
    scratch.mkdir()
    plan = planned(way.lab, scratch, right=right)
    with _terminal.opened(
        folder, {"LANG": "C.UTF-8", "TERM": "screen", "HOME": str(Path.home())}
    ) as terminal:
        archive = walk(terminal, way, plan, folder, right=right)
    (graded,) = grade(way.lab.folder, [archive], lang="fr", host=way.host).submissions
    return graded, plan.loses
