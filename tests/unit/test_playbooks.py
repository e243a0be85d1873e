"""The playbooks as text: linted, and each role's variables said in its argument specification."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from domains import process
from domains.provision import PLAYBOOKS

ROLES = sorted(path for path in (PLAYBOOKS / "roles").iterdir() if path.is_dir())


@pytest.mark.parametrize("role", ROLES, ids=lambda path: path.name)
def test_every_default_is_in_the_argument_specification(role: Path) -> None:
    defaults = yaml.safe_load((role / "defaults/main.yml").read_text())
    options = yaml.safe_load((role / "meta/argument_specs.yml").read_text())["argument_specs"]["main"][
        "options"
    ]
    assert defaults.keys() == {name for name, option in options.items() if not option.get("required")}
    assert {name: option["default"] for name, option in options.items() if "default" in option} == {
        name: defaults[name] for name, option in options.items() if "default" in option
    }


def test_ansible_lint_has_nothing_to_say_with_its_strictest_profile(tmp_path: Path) -> None:
    shutil.copytree(PLAYBOOKS, tmp_path / "playbooks")  # it keeps its cache beside what it reads
    env = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1",
    }
    env |= {"HOME": str(tmp_path), "ANSIBLE_HOME": str(tmp_path / "ansible")}
    words = ["-m", "ansiblelint", "--profile", "production", "--offline", "--strict", "-q", "playbooks"]
    linted = process.run([sys.executable, *words], timeout=120, check=False, env=env, cwd=tmp_path)
    assert (linted.stdout, linted.status) == ("", 0), linted.stderr
