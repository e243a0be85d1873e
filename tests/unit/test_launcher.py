"""The launcher ``tdlab`` on a small checkout, with a Python that tells what it was given."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from domains import process
from domains.errors import EXIT_INFRASTRUCTURE

TOP = Path(__file__).resolve().parents[2]
ON_THE_MACHINE = ("/var/lib/tdlab/lab_host.json", "/usr/sbin/libvirtd", "/usr/bin/qemu-system-x86_64")
# Stands in for Python: in set-up it writes what set-up would, afterwards it tells its arguments.
PYTHON = """#!/bin/sh
case "$*" in
    "-c "*) exit 0 ;;
    *domains.setup.bootstrap*)
        echo "set-up: $*" >&2
        [ -z "${BROKEN:-}" ] || exit 3
        mkdir -p "$4/venv/bin" "$4/setup"
        cp "$0" "$4/venv/bin/python"
        touch "$4/venv/complete"
        echo "$4/venv" >"$4/setup/$5"
        ;;
    *) printf '%s|' "$PYTHONPATH" "$@" ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with nothing in it but what the launcher reads, in a folder with a space in its name."""
    folder = tmp_path / "a checkout"
    shutil.copytree(TOP / "domains/setup", folder / "domains/setup")
    shutil.copy(TOP / "tdlab", folder)
    shutil.copy(TOP / "requirements.lock", folder)
    shutil.copytree(TOP / "playbooks", folder / "playbooks")
    python = tmp_path / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    # What it looks for on the machine is made here: these tests also pass where nothing is installed.
    text = (folder / "tdlab").read_text()
    for path in ON_THE_MACHINE:
        assert path in text
        (tmp_path / Path(path).name).symlink_to("/bin/sh")
        text = text.replace(path, f'"{tmp_path / Path(path).name}"')
    (folder / "tdlab").write_text(text)
    return folder


def tdlab(checkout: Path, *words: str, via: Path | None = None, **env: str) -> process.Completed:
    ours = {
        "HOME": str(checkout.parent / "home"),
        "XDG_CACHE_HOME": "",
        "TDLAB_PYTHON": str(checkout.parent / "python"),
        "TDLAB_REGROUPED": "1",
    }
    return process.run(
        [via or checkout / "tdlab", *words], timeout=30, check=False, env=ours | env, cwd=Path("/")
    )


def test_set_up_runs_once_and_then_the_command(checkout: Path) -> None:
    first = tdlab(checkout, "render", "a b", "--all")
    assert first.stdout == f"{checkout}|-P|-m|grader|render|a b|--all|"
    assert "-m domains.setup.bootstrap" in first.stderr
    second = tdlab(checkout, "render", "a b", "--all")
    assert second.stdout == first.stdout
    assert second.stderr == ""


def test_a_second_clone_needs_no_set_up(checkout: Path) -> None:
    tdlab(checkout)
    clone = checkout.parent / "clone"
    shutil.copytree(checkout, clone)
    assert tdlab(clone).stderr == ""
    assert tdlab(clone).stdout.startswith(f"{clone}|")


@pytest.mark.parametrize("path", ON_THE_MACHINE)
def test_set_up_runs_again_when_the_machine_has_lost_what_it_was_given(checkout: Path, path: str) -> None:
    tdlab(checkout)
    (checkout.parent / Path(path).name).unlink()
    assert "domains.setup.bootstrap" in tdlab(checkout).stderr


@pytest.mark.parametrize(
    "changed",
    ["requirements.lock", "domains/setup/bootstrap.py", "playbooks/roles/lab_host/tasks/install.yml"],
)
def test_set_up_runs_again_when_what_it_installs_has_changed(checkout: Path, changed: str) -> None:
    tdlab(checkout)
    with (checkout / changed).open("a") as file:
        file.write("# changed\n")
    assert "domains.setup.bootstrap" in tdlab(checkout).stderr


def test_it_works_through_a_symbolic_link(checkout: Path) -> None:
    link = checkout.parent / "bin" / "tdlab"
    link.parent.mkdir()
    link.symlink_to(Path("..") / checkout.name / "tdlab")
    assert tdlab(checkout, "x", via=link).stdout == f"{checkout}|-P|-m|grader|x|"


def test_a_failed_set_up_ends_with_its_status_and_nothing_is_run(checkout: Path) -> None:
    done = tdlab(checkout, "demo", BROKEN="1")
    assert done.status == EXIT_INFRASTRUCTURE
    assert done.stdout == ""


def test_an_environment_that_was_removed_is_made_again(checkout: Path) -> None:
    tdlab(checkout)
    (checkout.parent / "home/.cache/tdlab/venv/complete").unlink()
    assert "domains.setup.bootstrap" in tdlab(checkout).stderr


def test_a_relative_cache_folder_is_ignored_as_the_xdg_specification_says(checkout: Path) -> None:
    tdlab(checkout, XDG_CACHE_HOME="relative")
    assert (checkout.parent / "home/.cache/tdlab/setup").is_dir()
    tdlab(checkout, XDG_CACHE_HOME=str(checkout.parent / "else where"))
    assert (checkout.parent / "else where/tdlab/setup").is_dir()


def test_an_old_python_is_refused_in_one_sentence(checkout: Path) -> None:
    empty = checkout.parent / "empty"
    empty.mkdir()
    for program in ("cat", "sha256sum", "id"):
        (empty / program).symlink_to(shutil.which(program) or program)
    done = tdlab(checkout, TDLAB_PYTHON="/nonexistent", PATH=str(empty))
    assert done.status == EXIT_INFRASTRUCTURE
    assert done.stderr == "tdlab: Python 3.11 or newer is needed, and was not found: install it first\n"
