"""Looking at a lab host: this machine as it is, and one that does not answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from domains import process
from domains.errors import UsageError
from domains.host import Host
from grader.cli import tdlab
from grader.facts import collect
from grader.facts.kept import HostFacts, holds
from grader.lab import lab as labs
from grader.lab.practical import Fact
from grader.workspace import workspace

NOWHERE = Host("nowhere", "x", ("ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=2", "nobody@127.0.0.254"))
LAB = """schema: tdlab.lab/1
title: {fr: Essai, en: Trial}
parts:
  - id: one
    title: {fr: Un, en: One}
    questions:
      - id: "1.1"
        kind: host
        points: 2
        ask: {fr: Quoi, en: What}
        hint: {fr: Lisez, en: Read}
        facts:
          - {id: a, means: {fr: a, en: passwd}, file: /etc/passwd, mode: "0644", contains: "^root:"}
          - {id: b, means: {fr: b, en: no such}, file: /nowhere, absent: true}
"""


def fact(**keys: Any) -> Fact:
    return Fact.model_validate({"id": "x", "means": {"fr": "vrai", "en": "so"}, **keys})


def looked(*facts: Fact) -> list[bool | None]:
    found = collect.look("r202", facts, Host())
    assert found.problem is None
    kept = HostFacts.model_validate_json(found.model_dump_json(by_alias=True))
    seen = [kept.about(one) for one in facts]
    return [holds(one, about) if about else None for one, about in zip(facts, seen, strict=True)]


def checks(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(tdlab, ["check", str(folder), *words], standalone_mode=False)


def test_files_of_this_machine_are_seen_with_mode_owner_and_content(tmp_path: Path) -> None:
    file = tmp_path / "a 'file"
    file.write_text("key = value\n")
    file.chmod(0o640)
    name = str(file)
    assert looked(
        fact(file=name, mode="0640"),
        fact(file=name, mode="0644"),
        fact(file=name, contains="^key"),
        fact(file=name, contains="^value"),
        fact(file=name, absent=True),
        fact(file=f"{name}2", absent=True),
    ) == [True, False, True, False, False, True]


def test_a_process_is_seen_with_its_arguments() -> None:
    with process.started(["sleep", "97.25"]):
        right, wrong = (fact(process="sleep", argument=one) for one in ("97.25", "98.5"))
        assert looked(right, wrong) == [True, False]
    assert looked(fact(process="no-such-program")) == [False]


def test_sysctls_modules_packages_and_services_are_asked_for_by_name() -> None:
    value = Path("/proc/sys/kernel/ostype").read_text().strip()
    assert looked(
        fact(sysctl="kernel.ostype", value=value),
        fact(sysctl="kernel.no_such", value="1"),
        fact(module="no-such-module"),
        fact(package="no-such-package"),
        fact(service="no-such-service"),
    ) == [True, False, False, False, False]
    present = min(Path("/sys/module").iterdir()).name
    assert looked(fact(module=present)) == [True]


def test_a_host_that_does_not_answer_is_a_problem_and_no_fact() -> None:
    found = collect.look("r202", [fact(file="/etc/passwd")], NOWHERE)
    assert found.problem
    assert found.found == ()


def test_check_looks_at_a_host_and_keeps_what_it_saw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "trial").mkdir()
    (tmp_path / "trial" / "lab.yaml").write_text(LAB)
    place, _ = workspace.start(labs.load(tmp_path / "trial"), "Zoé L", "en", tmp_path / "work")
    assert "open" in checks(place.folder).output
    said = checks(place.folder, "--host", "localhost")
    assert (said.return_value, "right" in said.output) == (0, True), said.output
    kept = json.loads((place.folder / "evidence" / "host.json").read_text())
    assert kept["schema"] == "tdlab.host-facts/1"
    assert kept["host"] == "localhost"


def test_a_lab_that_asks_nothing_of_a_host_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    text = LAB[: LAB.index("        kind: host")] + (
        "        kind: choice\n        points: 2\n        ask: {fr: Quoi, en: What}\n"
        "        hint: {fr: Lisez, en: Read}\n        options: {a: {fr: a, en: a}, b: {fr: b, en: b}}\n"
        "        right: a\n"
    )
    (tmp_path / "trial").mkdir()
    (tmp_path / "trial" / "lab.yaml").write_text(text)
    place, _ = workspace.start(labs.load(tmp_path / "trial"), "Zoé L", "en", tmp_path / "work")
    assert isinstance(checks(place.folder, "--host", "localhost").exception, UsageError)


def test_a_host_that_goes_away_meanwhile_is_a_problem_of_what_was_asked_then() -> None:
    answers_once = ("sh", "-c", 'case "$*" in *" true") exit 0;; esac; echo gone >&2; exit 255', "host")
    found = collect.look("r202", [fact(file="/etc/passwd")], Host("far", "x", answers_once))
    assert found.problem is None
    assert [one.problem for one in found.found] == ["gone"]
