"""The report of a run: one page, its data, and what other programs read; all made from the run alone.

Everything here is pure but :func:`write`. Text that came from others (cells, causes, students' answers) is
shown inert in every format.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from grader.result import Grade
from grader.run import Run


def write(run: Run, folder: Path, grade: Grade | None = None, *, lang: str = "en") -> tuple[Path, ...]:
    """Write ``report.html``, ``report.json``, ``report.csv`` and ``junit.xml``; return their paths.

    Each file appears whole or not at all. ``lang`` is the language that the page opens in.
    """
    # Late, because the command line imports this package and must start quickly.
    from grader.report.html import html_text
    from grader.report.junit import junit_text
    from grader.report.samples import csv_text

    texts = {
        "report.json": run.to_json(),
        "report.csv": csv_text(run),
        "junit.xml": junit_text(run, grade),
        "report.html": html_text(run, grade, lang=lang),
    }
    folder.mkdir(parents=True, exist_ok=True)
    return tuple(_replace(folder / name, text) for name, text in texts.items())


def _replace(file: Path, text: str) -> Path:
    """Write beside the file and rename: a killed run leaves the old file or the new one, never a half."""
    handle, beside = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as out:
            out.write(text)
            os.fchmod(out.fileno(), 0o644)
        Path(beside).replace(file)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
    return file
