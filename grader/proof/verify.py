"""Prove a lab: over many students the solution scores full, nothing scores nothing, mutants are noticed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from domains import scratch
from domains.phases import phase
from grader.api import session
from grader.api.case import Student
from grader.grading import grading, judging
from grader.lab import lab as labs
from grader.lab.lab import Lab
from grader.lab.questions import CodeQuestion, Question, TextQuestion
from grader.proof import papers
from grader.proof.mutants import KINDS
from grader.proof.mutants.mutant import Solved
from grader.proof.papers import Paper
from grader.proof.record import Fraction, MutantResult, Mutants, NotApplicable, Proof, WrongSample
from grader.results.result import CheckResult, Outcome
from grader.results.score import GRADED, lost
from grader.submission import submission as submissions
from grader.submission.samples import Sample
from grader.submission.submission import Submission
from grader.workspace import workspace

Progress = Callable[[int, int], None]


@dataclass
class _Marker:
    """Checks answers; a text is judged once, for it reads the same whoever wrote it."""

    lab: Lab
    host: str | None = None
    judged: dict[tuple[str, str, str], CheckResult] = field(default_factory=dict)

    def result(self, submission: Submission, question_id: str) -> CheckResult:
        """Return the result of one question as a grading session would give it."""
        asked = submission.questions[question_id]
        value = submission.answers.to(question_id).value
        is_shared = isinstance(asked, TextQuestion) and asked is self.lab.question(question_id)
        if not is_shared or not isinstance(value, str):
            return judging.one_judged(self.lab, asked, submission, None, self.host)
        key = (question_id, value, submission.answers.lang or "")
        if key not in self.judged:
            self.judged[key] = judging.one_judged(self.lab, asked, submission, None)
        return self.judged[key]

    def results(self, submission: Submission) -> list[CheckResult]:
        """Return all results of a submission, in the order of the lab."""
        return [self.result(submission, one.id) for one in self.lab]

    def waits(self, submission: Submission, found: CheckResult) -> bool:
        """Say whether a result was skipped, in whole or in part, only because nobody named a lab host."""
        asked = submission.questions[found.id]
        if self.host is not None or not isinstance(asked, CodeQuestion) or not _is_skipped(found, asked):
            return False
        student = Student(self.lab, submission, submission.lang)
        return session.waits_for_host(asked, student)


@dataclass
class _Found:
    """What was seen so far, over the students."""

    solution: list[float] = field(default_factory=list)
    untouched: list[float] = field(default_factory=list)
    wrong: dict[str, WrongSample] = field(default_factory=dict)
    mutants: dict[tuple[str, str, str], MutantResult] = field(default_factory=dict)
    operators: set[str] = field(default_factory=set)
    waiting: dict[str, None] = field(default_factory=dict)
    problems: dict[str, None] = field(default_factory=dict)


def prove(
    folder: Path, *, seeds: int = 50, progress: Progress | None = None, host: str | None = None
) -> Proof:
    """Prove the lab in a folder over so many students; raises InputError when the lab cannot be read.

    ``host`` names the lab host on which the domains of the first student's samples are booted.
    """
    lab = labs.load_whole(folder)
    marker, found = _Marker(lab), _Found()
    with scratch.folder("verify") as place:
        students = [f"student {seed}" for seed in range(seeds)]
        with phase("fill in the samples"):
            known, filled = papers.masters(lab, students, place / "masters")
            other = papers.handed_in(lab, known[0], "somebody else", place / "other")
        for seed, student in enumerate(students):
            # A guest tells the same of every student's domain, and takes its time.
            marker.host = host if seed == 0 else None
            _one_student(marker, found, known, student, place / str(seed), other)
            if seed == 0:
                with phase("compare with a grading session"):
                    _compare_with_session(marker, found, known, place)
            if progress:
                progress(seed + 1, seeds)
    if host is not None:
        # What the first student's samples showed there need not be shown again by the others'.
        found.waiting.clear()
    return _proof(lab, seeds, filled, found)


def _one_student(
    marker: _Marker, found: _Found, known: Sequence[Sample], student: str, place: Path, other: Paper
) -> None:
    with phase("hand the samples in"):
        papered = (papers.handed_in(marker.lab, one, student, place / one.folder.name) for one in known)
        solution, *wrong = list(papered)
    with phase("grade the samples"):
        _solution(marker, found, solution, student)
        _untouched(marker, found, student, place / "untouched")
        for master, paper in zip(known[1:], wrong, strict=True):
            _wrong(marker, found, master, paper, student)
    with phase("grade the mutants"):
        for result in _mutants(marker, found, Solved(marker.lab, solution, other), student):
            key = (result.operator, result.question, result.change)
            found.mutants[key] = _both(found.mutants[key], result) if key in found.mutants else result


def _gradable(marker: _Marker, found: _Found, paper: Paper) -> list[CheckResult]:
    """Return the results of a sample but those that wait for a lab host; any other skip is a problem."""
    gradable = []
    for one in marker.results(paper.submission):
        if marker.waits(paper.submission, one):
            found.waiting[one.id] = None
            if one.outcome is Outcome.SKIPPED:
                continue
        elif one.outcome in GRADED and _is_skipped(one, paper.submission.questions[one.id]):
            found.problems[f"{paper.folder.name}: a part of {one.id} is skipped: {one.hint}"] = None
        gradable.append(one)
    return gradable


def _solution(marker: _Marker, found: _Found, paper: Paper, student: str) -> None:
    results = _gradable(marker, found, paper)
    found.solution.append(_fraction(results))
    for one in results:
        if not _is_full(one):
            hint = one.hint or one.expected
            found.problems[f"solution: {one.id} is {one.outcome} for {student}: {hint}"] = None


def _untouched(marker: _Marker, found: _Found, student: str, folder: Path) -> None:
    place, _ = workspace.start(marker.lab, student, "fr", folder)
    results = marker.results(place.submission())
    found.untouched.append(_fraction(results))
    for one in results:
        if one.outcome is not Outcome.FAIL or one.points:
            problem = f"untouched workspace: {one.id} is {one.outcome}, {one.points:g} points, and not wrong"
            found.problems[problem] = None


def _wrong(marker: _Marker, found: _Found, master: Sample, paper: Paper, student: str) -> None:
    results = _gradable(marker, found, paper)
    known = {one.id for one in results}
    name, cost = master.folder.name, tuple(sorted(lost(results)))
    expected = tuple(sorted(known.intersection(master.loses)))
    if name not in found.wrong or expected != cost:
        unproved = tuple(sorted(set(master.loses) - known))
        found.wrong[name] = WrongSample(name=name, lost=cost, expected=expected, needs_lab_host=unproved)
    if expected != cost:
        wanted = ", ".join(expected) or "nothing"
        problem = f"{name} loses {', '.join(cost) or 'nothing'} for {student}, and is to lose {wanted}"
        found.problems[problem] = None
    for one in results:
        if one.outcome not in {Outcome.PASS, Outcome.PARTIAL, Outcome.FAIL}:
            found.problems[f"{name}: {one.id} is {one.outcome}: {one.hint}"] = None


def _mutants(marker: _Marker, found: _Found, solved: Solved, student: str) -> Iterator[MutantResult]:
    for kind in KINDS:
        for mutant in kind.make(solved):
            found.operators.add(kind.name)
            results = [marker.result(mutant.submission, one) for one in mutant.aimed]
            killer = next((one for one in results if _notices(one)), None)
            if killer is None and (waiting := [o for o in results if marker.waits(mutant.submission, o)]):
                found.waiting |= {one.id: None for one in waiting}
                continue
            last = killer or results[0]
            yield MutantResult(
                operator=mutant.operator,
                question=mutant.aimed[0],
                change=mutant.change,
                example=mutant.example,
                killed=killer is not None,
                killed_by=killer.id if killer else "",
                outcome=last.outcome,
                survived_for=() if killer else (student,),
                remedy="" if killer else kind.remedy,
            )


def _both(one: MutantResult, other: MutantResult) -> MutantResult:
    """Return a mutant that two students had: it is killed only when it was for both."""
    worse = other if one.killed and not other.killed else one
    changes = {"students": one.students + 1, "survived_for": (*one.survived_for, *other.survived_for)}
    return worse.model_copy(update=changes)


def _notices(result: CheckResult) -> bool:
    """Say whether a mutant costs points or goes to the teacher; what is ours (ERROR) notices nothing."""
    return result.outcome in {Outcome.FAIL, Outcome.PARTIAL, Outcome.INCONCLUSIVE}


def _is_skipped(result: CheckResult, asked: Question) -> bool:
    """Say whether a result was skipped, or a part of it, which then is not in its maximum."""
    return result.outcome is Outcome.SKIPPED or (result.outcome in GRADED and result.max < asked.points)


def _is_full(result: CheckResult) -> bool:
    return result.outcome is Outcome.PASS and result.points == result.max


def _fraction(results: Sequence[CheckResult]) -> float:
    """Return the part of all points; where there are none (all wait for a lab host), none is lost."""
    most = sum(one.max for one in results)
    return round(sum(one.points for one in results) / most, 4) if most else 1.0


def _compare_with_session(marker: _Marker, found: _Found, known: Sequence[Sample], place: Path) -> None:
    """Grade the first student's papers in a real pytest session: it must say the same, without a lab host."""
    marker.host = None
    folders = [place / "0" / one.folder.name for one in known] + [place / "0" / "untouched"]
    there_graded = grading.grade(marker.lab.folder, folders, samples=True).submissions
    for folder, graded in zip(folders, there_graded, strict=True):
        for here, there in zip(
            marker.results(submissions.load(marker.lab, folder, folder.name)), graded.questions, strict=True
        ):
            if (here.id, here.outcome, here.points) != (there.id, there.outcome, there.points):
                found.problems[
                    f"{folder.name}: {here.id} is {here.outcome} here and {there.outcome} in a pytest session"
                ] = None


def _proof(lab: Lab, seeds: int, filled: tuple[str, ...], found: _Found) -> Proof:
    listed = tuple(found.mutants.values())
    killed = sum(one.killed for one in listed)
    return Proof(
        lab=lab.slug,
        lab_hash=labs.lab_hash(lab.folder),
        seeds=seeds,
        solution=Fraction(fraction=min(found.solution)),
        untouched=Fraction(fraction=max(found.untouched)),
        wrong=tuple(found.wrong.values()),
        mutants=Mutants(
            generated=len(listed),
            killed=killed,
            survived=len(listed) - killed,
            list=listed,
            not_applicable=tuple(
                NotApplicable(operator=kind.name, why=f"the lab has {kind.asked_by}")
                for kind in KINDS
                if kind.name not in found.operators
            ),
        ),
        needs_lab_host=tuple(one.id for one in lab if one.id in found.waiting),
        filled_in=filled,
        problems=tuple(found.problems),
    )
