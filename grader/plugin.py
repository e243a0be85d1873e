"""The pytest plugin: ``pytest labs/r202/lab.yaml --submission DIR`` makes one item a submission and question.

It is installed in every pytest of this environment, so importing it must cost nothing: what is heavy is
imported where it is used, and nothing is collected unless a lab is named or a submission is given.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from grader.language import LANGUAGES

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

    from grader.grading.class_items import ClassFile
    from grader.grading.items import LabFile

_LAB_FILE = "lab.yaml"
_CHECKS = "checks"
_MARKER = "question(id, points=None, file=None): the question of lab.yaml that this test of a lab judges"
_PARENT = "tdlab_parent"
_WORDS = {"partial": ("partial", "p", "PARTIAL"), "inconclusive": ("inconclusive", "?", "INCONCLUSIVE")}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of a grading session."""
    group = parser.getgroup("tdlab", "grading labs")
    group.addoption(
        "--submission",
        action="append",
        default=[],
        metavar="DIR",
        dest="tdlab_submissions",
        help="a student's folder (may be repeated)",
    )
    group.addoption(
        "--tdlab-samples",
        action="store_true",
        dest="tdlab_samples",
        help="the folders are copies of the lab's own samples: nobody's, and to be trusted without a name",
    )
    group.addoption(
        "--tdlab-class",
        metavar="FILE",
        dest="tdlab_class",
        help="the submissions of a class, as `tdlab grade --into` lists them: an item a submission",
    )
    group.addoption(
        "--tdlab-json", metavar="FILE", dest="tdlab_json", help="write the grade (tdlab.grade/1) here"
    )
    group.addoption(
        "--tdlab-lang",
        choices=LANGUAGES,
        dest="tdlab_lang",
        help="language of hints; otherwise the one that a student's answers name",
    )
    group.addoption(
        "--lab-host",
        metavar="NAME",
        dest="tdlab_host",
        help="the lab host on which checks may boot guests; without one, those that need it are skipped",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Refuse to begin where pytest would take code or configuration from a submission."""
    options = early_config.known_args_namespace
    submissions = [Path(one).resolve() for one in getattr(options, "tdlab_submissions", [])]
    named = [one.split("::")[0] for one in getattr(options, "file_or_dir", [])]
    for place in [str(early_config.rootpath), *named, *sys.path] if submissions else []:
        for folder in submissions:
            if folder.is_dir() and Path(place).resolve().is_relative_to(folder):
                raise pytest.UsageError(
                    f"{place or 'the working directory'} is inside of the submission {folder}, "
                    "and pytest would run what it finds there: go elsewhere, and name only the lab"
                )


def pytest_configure(config: pytest.Config) -> None:
    """Start recording results where a submission is to be graded."""
    config.addinivalue_line("markers", _MARKER)
    if parent := getattr(config, "workerinput", {}).get(_PARENT):
        from domains import process

        process.end_with(parent)
    if config.option.tdlab_submissions and not hasattr(config, "workerinput"):
        from grader.grading.gradebook import Recorder

        config.pluginmanager.register(Recorder(config), "tdlab-recorder")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: WorkerController) -> None:
    """Tell a worker of a grading session who started it, for it to end with that, whatever it is doing."""
    option, spec = node.config.option, node.gateway.spec
    # A worker on another machine, or one behind a wrapper, is not this process's own child.
    if (option.tdlab_class or option.tdlab_submissions) and spec.popen and not spec.python:
        node.workerinput[_PARENT] = os.getpid()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> LabFile | ClassFile | None:
    """Collect a lab when it is named, or when there are submissions to grade by it."""
    if file_path.parent.name == _CHECKS and (file_path.parents[1] / _LAB_FILE).is_file():
        # pytest collects the tests itself; the fixtures that they ask for come only now.
        parent.config.pluginmanager.import_plugin("grader.api.fixtures")
    if file_path.name != _LAB_FILE:
        return None
    if parent.config.option.tdlab_class:
        from grader.grading.class_items import ClassFile

        return ClassFile.from_parent(parent, path=file_path)
    if not (parent.config.option.tdlab_submissions or parent.session.isinitpath(file_path)):
        return None
    from grader.grading.items import LabFile

    return LabFile.from_parent(parent, path=file_path)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    """Run an item of a class in one step; all others are pytest's."""
    if not item.config.option.tdlab_class:
        return None
    from grader.grading.class_items import ClassItem, run_protocol

    if not isinstance(item, ClassItem):
        return None
    run_protocol(item)
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Give PARTIAL and INCONCLUSIVE letters and words of their own."""
    if report.when != "call":
        return None
    found = next((value for name, value in report.user_properties if name == "tdlab_result"), None)
    return _WORDS.get(json.loads(str(found))["outcome"]) if found else None
