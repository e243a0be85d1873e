"""``tdlab render`` and ``tdlab benchmark`` as they are typed."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from domains import catalogue
from domains.errors import InputError, UsageError
from grader.commands import benchmark, render


def _render(*words: str) -> Result:
    return CliRunner().invoke(render.command, words)


def test_spec_file_is_rendered(tmp_path: Path) -> None:
    file = tmp_path / "spec.yaml"
    file.write_text("name: mine\nnic: {model: rtl8139}\n")
    done = _render(str(file))
    assert done.exit_code == 0
    assert "<name>mine</name>" in done.stdout
    assert '<model type="rtl8139"/>' in done.stdout


def test_member_of_the_family_is_rendered_by_name() -> None:
    assert '<model type="igb"/>' in _render("nic-igb").stdout


def test_wrong_spec_is_told_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "spec.yaml"
    file.write_text("nic: {model: e100}\n")
    error = _render(str(file)).exception
    assert isinstance(error, InputError)
    assert str(error) == f"{file}:1:14: unknown NIC model 'e100'\n  did you mean 'i82557b'?"
    assert error.exit_code == 2


def test_unknown_name_gets_the_nearest_one() -> None:
    error = _render("nic-igbb").exception
    assert isinstance(error, UsageError)
    assert error.remedy == "did you mean nic-igb?"


def test_whole_family_is_printed_or_written(tmp_path: Path) -> None:
    names = [one.name for one in catalogue.family()]
    printed = _render("--all").stdout
    assert [line for line in printed.splitlines() if line.startswith("<!-- ")] == [
        f"<!-- {name} -->" for name in names
    ]
    assert _render("--all", "--out", str(tmp_path / "new")).exit_code == 0
    assert {file.stem for file in (tmp_path / "new").iterdir()} == set(names)
    assert _render("--list").stdout.split() == list(catalogue.specs())


def test_diff_teaches_in_the_language_asked_for() -> None:
    said = _render("--diff", "nic-e1000", "nic-virtio-vhost-on", "--lang", "fr").stdout
    assert '+      <driver name="vhost"/>' in said
    assert "nic.vhost: absent → on : le noyau de l’hôte sert les anneaux virtio" in said


@pytest.mark.parametrize(
    "words",
    [(), ("nic-igb", "--all"), ("--all", "--native"), ("nic-igb", "--out", "x"), ("--diff", "nic-igb")],
)
def test_words_that_do_not_go_together_are_refused(words: tuple[str, ...]) -> None:
    assert _render(*words).exit_code == 2


@pytest.mark.parametrize("name", ["machine-microvm", "nic-vf-by-address"])
def test_native_is_refused_where_libvirt_fails_or_crashes(name: str) -> None:
    error = _render(name, "--native").exception
    assert isinstance(error, UsageError)
    assert "libvirt cannot" in error.problem


def test_benchmarks_are_listed_and_a_wrong_name_is_told() -> None:
    listed = CliRunner().invoke(benchmark.command, []).stdout.split()
    assert "render" in listed
    error = CliRunner().invoke(benchmark.command, ["rendr"]).exception
    assert isinstance(error, UsageError)
    assert error.remedy == "did you mean 'render'?"
