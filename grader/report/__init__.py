"""The report of a run: one page, its data, and what other programs read; all made from the run alone.

Everything here is pure but :func:`write`. Text that came from others (cells, causes, students' answers) is
shown inert in every format.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from domains.files import write_whole
from grader.language import Lang
from grader.measure.run import Run
from grader.results.result import Grade

if TYPE_CHECKING:
    from grader.experiments.result import Result


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

    shelf = kept.find(folder)
    texts = {
        "report.json": run.to_json(),
        "report.csv": csv_text(run),
        "junit.xml": junit_text(run, grade, shelf),
        "report.html": html_text(run, grade, lang=lang, shelf=shelf),
    }
    return _written(texts, folder)


def write_experiment(result: Result, folder: Path, *, lang: Lang = "en") -> Path:
    """Write the page of one experiment beside its result and evidence; return its path."""
    from grader.report.html import html_text
    from grader.report.story.kept import Kept, Shelf

    alone = Run(
        id=result.experiment,
        title=result.title.model_dump(),
        started=result.started,
        tdlab=result.tdlab,
        environment=result.environment,
    )
    (page,) = _written({"report.html": html_text(alone, lang=lang, shelf=Shelf((Kept(result),)))}, folder)
    return page


def _written(texts: dict[str, str], folder: Path) -> tuple[Path, ...]:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        write_whole(folder / name, text)
    return tuple(folder / name for name in texts)
