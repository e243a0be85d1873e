"""What pytest collects from a lab: the submissions, and in each of them one item a question."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domains.errors import TdlabError
from grader.grading.judging import judged
from grader.lab.lab import Lab, load_whole
from grader.lab.questions import Question
from grader.results.result import CheckResult, Outcome
from grader.submission import submission
from grader.submission.submission import Submission, students

ITEM_PROPERTY = "tdlab_item"
RESULT_PROPERTY = "tdlab_result"


class CheckFailed(Exception):
    """A check ran and saw an answer that is wrong, or right in part: the student's."""


class CheckBroke(Exception):
    """A check could not be made: ours."""


class LabFile(pytest.File):
    """A ``lab.yaml``: its children are the submissions named on the command line."""

    def collect(self) -> Iterator[SubmissionNode]:
        """Yield the submissions in the order in which they were named."""
        folders = [Path(one) for one in self.config.option.tdlab_submissions]
        if not folders:
            raise self.CollectError("a lab is graded together with submissions: add --submission DIR")
        try:
            lab = load_whole(self.path)
            named = list(students(folders))
        except TdlabError as bad:
            raise self.CollectError(str(bad)) from bad
        for student, folder in named:
            yield SubmissionNode.from_parent(self, name=student, lab=lab, folder=folder)


class SubmissionNode(pytest.Collector):
    """One student's submission, read when its first question is graded and then kept."""

    def __init__(self, *, lab: Lab, folder: Path, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.lab = lab
        self.folder = folder
        self._loaded: Submission | None = None

    def collect(self) -> Iterator[QuestionItem]:
        """Yield the lab's questions; nothing of the submission is read yet, so a bad one stops no other."""
        for question in self.lab:
            yield QuestionItem.from_parent(self, name=question.id, question=question)

    def submission(self) -> Submission:
        """Return what the student handed in; raises OSError when it is there and cannot be read."""
        if self._loaded is None:
            is_copy = self.config.option.tdlab_samples and self.folder.is_dir()
            handed_in = not (is_copy or submission.is_sample(self.lab, self.folder))
            self._loaded = submission.load(self.lab, self.folder, self.name, handed_in=handed_in)
        return self._loaded

    def teardown(self) -> None:
        """Let go of what was read: a class of students is larger than memory need be."""
        self._loaded = None


class QuestionItem(pytest.Item):
    """One question of one submission.

    The check runs in the set-up, so that what is ours shows as an error, and what is the student's as failed.
    """

    parent: SubmissionNode

    def __init__(self, *, question: Question, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.question = question
        self.result: CheckResult | None = None
        key = [str(self.parent.lab.folder), self.parent.name, question.id]
        self.user_properties.append((ITEM_PROPERTY, json.dumps(key)))

    def setup(self) -> None:
        """Make the check and keep its result; an exception in it is reported by pytest as an error."""
        self.result = self._check()
        self.user_properties.append((RESULT_PROPERTY, self.result.model_dump_json()))
        if self.result.outcome is Outcome.ERROR:
            raise CheckBroke(_told(self.result))

    def runtest(self) -> None:
        """Turn the result into pytest's own outcomes."""
        assert self.result is not None  # noqa: S101  set-up made it, or pytest does not come here
        match self.result.outcome:
            case Outcome.FAIL | Outcome.PARTIAL:
                raise CheckFailed(_told(self.result))
            case Outcome.SKIPPED | Outcome.INCONCLUSIVE:
                pytest.skip(self.result.hint)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show what was expected and seen rather than a traceback, which says nothing to a student."""
        if isinstance(excinfo.value, CheckFailed | CheckBroke):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style=style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Name the item in pytest's summary."""
        return self.path, None, f"{self.parent.name}: {self.name}"

    def _check(self) -> CheckResult:
        lab, given = self.parent.lab, self.parent.submission()
        return judged(lab, self.question, given, self.config.option.tdlab_lang, self.config.option.tdlab_host)


def _told(result: CheckResult) -> str:
    rows = {"expected": result.expected, "actual": result.actual, "hint": result.hint}
    head = f"question {result.id}: {result.outcome}, {result.points:g} of {result.max:g} points"
    return "\n".join([head, *(f"  {name}: {text}" for name, text in rows.items() if text)])
