"""The report of a run: one page, its data, and what other programs read; all made from the run alone.

Everything here is pure but :func:`write`. Text that came from others (cells, causes, students' answers) is
shown inert in every format.
"""

from __future__ import annotations

from pathlib import Path

from domains.files import write_whole
from grader.language import Lang
from grader.measure.run import Run
from grader.results.result import Grade


def write(run: Run, folder: Path, grade: Grade | None = None, *, lang: Lang = "en") -> tuple[Path, ...]:
    """Write ``report.html``, ``report.json``, ``report.csv`` and ``junit.xml``; return their paths.

    Each file appears whole or not at all. ``lang`` is the language that the page opens in. The results of
    experiments in ``experiments/`` of the folder become sections of the page.
    """
    # Late, because the command line imports this package and must start quickly.
    from grader.report.html import html_text
    from grader.report.junit import junit_text
    from grader.report.samples import csv_text
    from grader.report.story import kept

    texts = {
        "report.json": run.to_json(),
        "report.csv": csv_text(run),
        "junit.xml": junit_text(run, grade),
        "report.html": html_text(run, grade, lang=lang, shelf=kept.find(folder)),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        write_whole(folder / name, text)
    return tuple(folder / name for name in texts)
