"""Causes of ours in French: every one that a student may read, found in the code that says it."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from domains import process
from domains.capabilities import survey as surveys
from domains.capabilities import trial
from domains.capabilities.kvm import choose
from domains.errors import DeadlineExceeded, GuestError, HypervisorError, InfrastructureError
from grader.language import causes
from grader.language.causes import hosts, progress, submissions

ROOT = Path(__file__).parents[2]
# Modules whose every sentence is a cause.
SAYING = [
    "grader/submission/verification/agreement.py",
    "grader/submission/verification/provenance.py",
    "grader/submission/signature.py",
    "grader/submission/history.py",
    "grader/submission/sources.py",
    "grader/submission/archives.py",
    "grader/classroom/comparing.py",
]
# What is no cause: an envelope, what a hash is over, an exception that nobody reads.
OTHERS = ("-----", "tdlab history", "(?", "[")


def sentences(file: Path) -> Iterator[str]:
    """Yield every sentence that a module says, with letters where values will stand."""
    tree = ast.parse(file.read_text("utf-8"))
    passed = {id(one.value) for one in ast.walk(tree) if isinstance(one, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            passed |= {id(part) for part in ast.walk(node) if part is not node}
    for node in ast.walk(tree):
        if id(node) in passed:
            continue
        if isinstance(node, ast.JoinedStr):
            parts = (one.value if isinstance(one, ast.Constant) else "X1" for one in node.values)
            said = "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            said = node.value.replace("{}", "X1")
        else:
            continue
        if len(said.replace("X1", "").split()) > 1 and not said.startswith(OTHERS):
            yield said


@pytest.mark.parametrize("module", SAYING)
def test_every_cause_of_what_was_handed_in_has_its_french(module: str) -> None:
    said = set(sentences(ROOT / module))
    assert said
    assert [one for one in sorted(said) if causes.said(one, "fr") == one] == []


@pytest.mark.parametrize(
    ("english", "french"),
    [
        (
            "its workspace has no nonce; a.zip: damaged: it ends",
            "son espace de travail n’a pas de nonce ; a.zip : endommagée : it ends",
        ),
        (
            "a.json and 3 more files: its workspace has no nonce",
            "a.json et 3 autres fichiers : son espace de travail n’a pas de nonce",
        ),
        (
            "e1000: rtt is not measurable: /dev/kvm is missing",
            "e1000 : rtt n’est pas mesurable : /dev/kvm manque",
        ),
        (
            "/dev/kvm is missing; or run: sudo modprobe kvm",
            "/dev/kvm manque ; ou lancez : sudo modprobe kvm",
        ),
        (
            "KVM cannot be used: /dev/kvm is missing; see `tdlab doctor`",
            "KVM n’est pas utilisable : /dev/kvm manque ; voyez `tdlab doctor`",
        ),
        ("  give a number", "  donnez un nombre"),
        (
            "answers.yaml:3:1: unknown key 'x'\n  write it below answers:",
            "answers.yaml:3:1: 'x' n’a rien à faire ici\n  écrivez-le sous answers:",
        ),
        ("nobody wrote this down", "nobody wrote this down"),
    ],
)
def test_a_cause_is_said_in_french_around_places_and_values(english: str, french: str) -> None:
    assert causes.said(english, "fr").replace("\N{NO-BREAK SPACE}", " ") == french
    assert causes.said(english, "en") == english


@pytest.mark.parametrize(
    "written",
    ["a: " * 1500, "or " * 800 + "x", "x; y: " * 400, ": ; " * 600, "f is of s, and the manifest of " * 120],
)
def test_whatever_stands_in_a_file_of_a_student_keeps_nobody_busy(written: str) -> None:
    asked = ["-c", "import sys; from grader.language import causes; causes.said(sys.argv[1], 'fr')", written]
    # Each of these took up to a minute, or broke the check.
    assert process.run([sys.executable, *asked], timeout=5, check=False).status == 0


# Made of pieces where they are said: what makes them is called below.
PUT_TOGETHER = ("KVM cannot be used: ", "KVM is not believed: ", "a Linux guest ", "/proc/cpuinfo shows ")


def test_no_french_is_left_of_causes_that_nobody_says_any_more() -> None:
    folders = (ROOT / "domains", ROOT / "grader", ROOT / "labs")
    modules = {file for folder in folders for file in folder.rglob("*.py")}
    modules -= {*(ROOT / "grader" / "language").rglob("*.py")}
    code = "\n".join(said for module in modules for said in every_text(module))
    dead = [
        one.en
        for one in (*hosts.CAUSES, *progress.CAUSES, *submissions.CAUSES)
        if not one.en.startswith(PUT_TOGETHER)
        and any(piece.strip(" :,;()") not in code for piece in re.split(r"\{\w+\}", one.en))
    ]
    assert dead == []


def every_text(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(one.value) if isinstance(one, ast.Constant) else "\0" for one in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield re.sub(r"\{[^}]*\}", "\0", node.value)


@pytest.mark.parametrize("kvm", ["opens", "Permission denied"])
@pytest.mark.parametrize("name", ["virtual-machine", "intel-workstation"])
@pytest.mark.parametrize(
    "failed",
    [DeadlineExceeded("the agent", 5), GuestError("stopped"), HypervisorError("libvirt could not start it")],
)
def test_why_kvm_carried_no_guest_is_said_in_french_whole(
    failed: InfrastructureError, name: str, kvm: str
) -> None:
    seen = surveys.parse((ROOT / "tests" / "data" / "hosts" / f"{name}.txt").read_text())
    row = trial.judge_failure(surveys.Survey({**seen.sections, "kvm": kvm}), failed, 5).kvm
    said = causes.said(choose(row).why, "fr")
    assert said.startswith("KVM n’est pas utilisable\u00a0: un invité Linux")
    assert not re.search(r"\b(guest|although|under|shows|this host)\b", said)
    assert not re.search(r"\b(let|pass|read|enable|use|make one)\b", causes.said(row.remedy or "", "fr"))
