"""Record the results of a grading session, from this process or its workers, and make the grade of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import pytest

from domains.errors import TdlabError
from domains.paths import SHIPPED
from grader.api.reporting import Collected
from grader.grading.items import ITEM_PROPERTY, RESULT_PROPERTY
from grader.grading.judging import lost
from grader.lab.lab import LAB_FILE, Lab, lab_hash, load, tree_hash
from grader.results.result import CheckResult, Grade
from grader.results.score import submission_grade
from grader.submission.submission import students

# Folder of the lab, student, question.
Key = tuple[str, str, str]

GRADE = pytest.StashKey[Grade]()


class Recorder:
    """Keeps every result as it arrives; a question without one becomes an ERROR, never a zero."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._arrived: dict[Key, CheckResult] = {}
        self._broke: dict[Key, str] = {}
        self._tests = Collected()
        self._trouble = "the session ended before this question"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the result out of a report; a report without one says why there is none."""
        self._tests.add(report)
        properties = {name: str(value) for name, value in report.user_properties}
        if ITEM_PROPERTY not in properties:
            return
        folder, student, question = json.loads(properties[ITEM_PROPERTY])
        key = (folder, student, question)
        if RESULT_PROPERTY in properties:
            self._arrived[key] = CheckResult.model_validate_json(properties[RESULT_PROPERTY])
        elif report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            self._broke[key] = crash.message if crash else str(report.longrepr).splitlines()[-1]

    def pytest_internalerror(self, excrepr: object) -> None:
        """Remember why pytest itself broke, for the questions that it left without a result."""
        self._trouble = f"the session broke: {str(excrepr).splitlines()[-1]}"

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Make the grade, and write it where it was asked for."""
        try:
            lab = self._lab()
            named = [student for student, _ in students([*map(Path, self._config.option.tdlab_submissions)])]
        except TdlabError:
            # Collection has already said so, with the position; there is nothing to grade by.
            return
        if lab is None:
            return
        arrived = {**self._arrived, **self._tests.results(lab)}
        grade = make(lab, named, arrived, self._broke, self._trouble)
        self._config.stash[GRADE] = grade
        if target := self._config.option.tdlab_json:
            Path(target).write_text(grade.model_dump_json(by_alias=True, indent=2) + "\n", encoding="utf-8")

    def _lab(self) -> Lab | None:
        """Return the first lab named on the command line."""
        for argument in self._config.args:
            place = Path(argument.split("::")[0])
            # One may name the lab's checks, or one of them, rather than the lab.
            for near in (place, *place.resolve().parents[:2]):
                if near.name == LAB_FILE or (near / LAB_FILE).is_file():
                    return load(near)
        return None


def make(
    lab: Lab, named: list[str], arrived: Mapping[Key, CheckResult], broke: Mapping[Key, str], trouble: str
) -> Grade:
    """Return the grade: for every student and question a result, in the order of the lab."""
    submissions = []
    for student in named:
        results = []
        for question in lab:
            key = (str(lab.folder), student, question.id)
            results.append(arrived.get(key) or lost(question, broke.get(key, trouble)))
        submissions.append(submission_grade(student, results))
    return Grade(
        lab=lab.slug,
        lab_hash=lab_hash(lab.folder),
        grader_hash=grader_hash(),
        submissions=tuple(submissions),
    )


@lru_cache(maxsize=1)
def grader_hash() -> str:
    """Return the SHA-256 of the code that grades: all files of the packages grader and domains."""
    packages = (SHIPPED / "domains", SHIPPED / "grader")
    return tree_hash(SHIPPED, (file for folder in packages for file in folder.rglob("*") if file.is_file()))
