"""How fast a class is graded: students a second, memory, whether it stays linear, and the same at any ``-j``.

Beside it the usual way of autograders, one pytest process a submission: a few are run, the rest is
extrapolated. The machine may be shared, so seconds of CPU are printed beside those on the wall.
"""

from __future__ import annotations

import random
import sys
import tempfile
import zipfile
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import _classes, _measured, _report, _static
from benchmarks._measured import Took
from domains import process
from domains.paths import LABS, SHIPPED
from grader.classroom.markbook import GRADE_FILE, open_markbook
from grader.lab import lab as labs
from grader.lab.lab import Lab

_SIZES = (500, 1000, 2000)
_QUESTIONS = 30
_ALONE = 6


def main(words: list[str]) -> None:
    """Grade classes of growing size; ``--students N`` for another largest one."""
    most = int(words[1]) if words[:1] == ["--students"] else _SIZES[-1]
    with tempfile.TemporaryDirectory(prefix="tdlab-benchmark-") as scratch:
        folder = Path(scratch)
        static = _static.static_lab(folder / "static-r202", _QUESTIONS)
        figures = _growing(static, most, folder)
        whole = labs.load(LABS / "r202")
        asked = len(list(whole))
        source = _classes.synthetic(whole, most, folder / "whole.zip")
        took = _shown(f"all {asked} of r202, -j2", most, _graded(whole, source, folder / "whole", 2))
        figures["whole_lab"] = {"questions": asked, **_figures(most, took)}
    _report.publish("grading", {}, figures)


def _growing(lab: Lab, most: int, folder: Path) -> dict[str, Any]:
    """Grade classes of one lab: of three sizes, at ``-j1`` and ``-j2``, in another order, and one by one."""
    figures: dict[str, Any] = {"questions": len(list(lab)), "students": most}
    print(f"{figures['questions']} questions of static kinds", file=sys.stderr)
    growing = {}
    for size in (most // 4, most // 2, most):
        source = _classes.synthetic(lab, size, folder / f"{size}.zip")
        growing[size] = _shown(f"-j2, {size} students", size, _graded(lab, source, folder / f"j2-{size}", 2))
    alone = _shown(f"-j1, {most} students", most, _graded(lab, source, folder / "j1", 1))
    mixed = _graded(lab, _in_another_order(source, folder), folder / "mixed", 2)
    shared = growing[most]
    assert mixed.status == shared.status == alone.status
    same = {(folder / one / GRADE_FILE).read_bytes() for one in (f"j2-{most}", "j1", "mixed")}
    one_each = _one_process_each(lab, folder / f"j2-{most}")
    figures |= {
        "j1": _figures(most, alone),
        "j2": _figures(most, shared),
        "same_bytes": len(same) == 1,
        "linear": round(shared.cpu / growing[most // 2].cpu, 3),
        "one_process_each": {
            "cpu_s_a_submission": round(one_each, 3),
            "submissions_run": _ALONE,
            "cpu_s_extrapolated": round(one_each * most),
        },
    }
    says = "the same bytes" if figures["same_bytes"] else "DIFFERENT bytes"
    print(f"{'-j1, -j2, and in another order':32} {says}", file=sys.stderr)
    print(f"{'twice the students':32} {figures['linear']} times the CPU", file=sys.stderr)
    extrapolated = f"{one_each:.2f} s of CPU, {one_each * most:.0f} s for {most} (extrapolated)"
    print(f"{f'one pytest a submission ({_ALONE} run)':32} {extrapolated}", file=sys.stderr)
    return figures


def _graded(lab: Lab, source: Path, into: Path, jobs: int) -> Took:
    return _measured.run(["grade", lab.folder, source, "--into", into, "--jobs", str(jobs)])


def _in_another_order(source: Path, folder: Path) -> Path:
    """Return the same class with its members in another order."""
    with zipfile.ZipFile(source) as archive:
        members = [(one, archive.read(one)) for one in archive.infolist()]
    random.Random(1).shuffle(members)  # noqa: S311 - nothing here is secret
    place = folder / "mixed.zip"
    with zipfile.ZipFile(place, "w") as archive:
        for member, raw in members:
            archive.writestr(member, raw)
    return place


def _one_process_each(lab: Lab, book: Path) -> float:
    """Return the median seconds of CPU of a pytest process that grades one submission."""
    seconds = []
    for _, place in open_markbook(book).places()[:_ALONE]:
        words = [
            "-m",
            "pytest",
            "-p",
            "grader.plugin",
            "-p",
            "no:cacheprovider",
            "-q",
            f"--rootdir={lab.folder}",
        ]
        argv = [sys.executable, *words, str(lab.folder / "lab.yaml"), f"--submission={place}"]
        seconds.append(_cpu_of(argv))
    return median(seconds)


def _cpu_of(argv: list[str]) -> float:
    import resource

    def spent() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    before = spent()
    process.run(argv, timeout=300, check=False, env={"PYTHONPATH": str(SHIPPED)})
    return spent() - before


def _figures(students: int, took: Took) -> dict[str, float]:
    return {
        "wall_s": took.wall,
        "cpu_s": took.cpu,
        "students_a_second": round(students / took.wall, 1),
        "mib": took.own_mib,
        "worker_mib": took.worker_mib,
    }


def _shown(name: str, students: int, took: Took) -> Took:
    rate = f"{students / took.wall:.0f} a second, {took.wall:.1f} s, {took.cpu:.1f} s of CPU"
    print(f"{name:32} {rate}, {took.own_mib:.0f} MiB and {took.worker_mib:.0f} a worker", file=sys.stderr)
    return took
