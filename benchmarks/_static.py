"""A lab of questions that are judged without anything measured: those of R202, to a round number."""

from __future__ import annotations

import copy
import itertools
import shutil
from pathlib import Path
from typing import Any

import yaml

from domains.paths import LABS
from grader.lab import lab as labs
from grader.lab.lab import Lab

_KINDS = frozenset({"choice", "choices", "number", "order", "prediction", "text", "domain", "transcript"})


def static_lab(folder: Path, count: int) -> Lab:
    """Write R202 with ``count`` questions, all of static kinds, into ``folder``, and load it.

    Where R202 has fewer, its short ones are asked again under other ids.
    """
    shutil.copytree(LABS / "r202", folder)
    files = sorted((folder / "parts").glob("*.yaml"))
    asked: dict[Path, list[dict[str, Any]]] = {
        file: [one for one in _read(file)["questions"] if one["kind"] in _KINDS] for file in files
    }
    lacking = count - sum(map(len, asked.values()))
    # A file is one question's alone, and what was predicted is predicted once.
    short = [
        (file, one) for file in files for one in asked[file] if one["kind"] in {"choice", "choices", "text"}
    ]
    for number, (file, one) in enumerate(itertools.islice(itertools.cycle(short), max(0, lacking))):
        asked[file].append(copy.deepcopy(one) | {"id": f"{one['id']}-again-{number}"})
    for file, questions in asked.items():
        written = yaml.safe_dump(_read(file) | {"questions": questions}, allow_unicode=True, sort_keys=False)
        file.write_text(written, encoding="utf-8")
    return labs.load(folder)


def _read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return found
