"""How honestly short answers are graded: on the labelled answers in ``data/short_answers``.

A mark is given alone when the grader is certain, and it is wrong when it differs from the label's fraction by
more than a quarter of the points. The held parts are for measuring only: no answer of them is ever shown.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks import _report
from domains.paths import LABS
from grader.checks.reading.judging import Judgement, judge
from grader.lab import lab as labs
from grader.lab.questions import TextQuestion

_DATA = Path(__file__).parent / "data" / "short_answers"
# A quarter of the points: two fair teachers differ by as much.
_TOLERANCE = 0.25
# The labelled answers again and again: one pass is over before a clock says anything.
_ENOUGH = 10_000


def main() -> None:
    """Mark all parts, and print how many marks were given alone and how many of those are wrong."""
    lab = labs.load(LABS / "r202")
    questions = {one.id: one for one in lab if isinstance(one, TextQuestion)}
    figures: dict[str, Any] = {"rule": f"wrong: more than {_TOLERANCE} of the points from the label"}
    rows: list[dict[str, Any]] = []
    for part in ("tune", "held", "held2", "held3", "held4"):
        text = (_DATA / f"{part}.jsonl").read_text(encoding="utf-8")
        here = [json.loads(line) for line in text.splitlines()]
        judged = [(row, judge(questions[row["question"]], row["answer"])) for row in here]
        figures[part] = _totals(judged)
        _show(part, figures[part])
        rows += here
    began = time.monotonic()
    for number in range(_ENOUGH):
        row = rows[number % len(rows)]
        judge(questions[row["question"]], row["answer"])
    figures["answers_per_s"] = round(_ENOUGH / (time.monotonic() - began))
    print(f"{'answers a second':32} {figures['answers_per_s']}", file=sys.stderr)
    _report.publish("short_answers", {}, figures)


def _totals(judged: list[tuple[dict[str, Any], Judgement]]) -> dict[str, Any]:
    kinds: dict[str, Counter[str]] = {}
    reasons: dict[str, Counter[str]] = {}
    for row, found in judged:
        is_wrong = found.alone and _differs(found.fraction, row["fraction"])
        kinds.setdefault(row["kind"], Counter()).update(
            answers=1, alone=int(found.alone), wrong=int(is_wrong)
        )
        if found.alone:
            reasons.setdefault(found.why.value, Counter()).update(alone=1, wrong=int(is_wrong))
    total = sum(kinds.values(), Counter[str]())
    return {
        "answers": total["answers"],
        "decided_alone": total["alone"],
        "decided_alone_share": round(total["alone"] / total["answers"], 4),
        "wrong_alone": total["wrong"],
        "wrong_alone_share": round(total["wrong"] / max(1, total["alone"]), 4),
        "for_the_teacher": dict(Counter(found.why.value for _, found in judged if not found.alone)),
        "reasons": {why: dict(reasons[why]) for why in sorted(reasons)},
        "kinds": {kind: dict(kinds[kind]) for kind in sorted(kinds)},
    }


def _differs(given: float, fair: float | None) -> bool:
    """Say whether a mark given alone is wrong; where no mark is fair (None), any is."""
    return fair is None or abs(given - fair) > _TOLERANCE


def _show(part: str, totals: dict[str, Any]) -> None:
    print(
        f"{part:6} {totals['answers']} answers, {totals['decided_alone_share']:.1%} decided alone, "
        f"{totals['wrong_alone']} wrong ({totals['wrong_alone_share']:.1%})",
        file=sys.stderr,
    )
    reasons = ", ".join(f"{count} {why}" for why, count in sorted(totals["for_the_teacher"].items()))
    print(f"  for the teacher: {reasons}", file=sys.stderr)
    alone = ", ".join(
        f"{one['alone']} {why} ({one['wrong']} wrong)" for why, one in totals["reasons"].items()
    )
    print(f"  alone: {alone}", file=sys.stderr)
    for kind, counts in totals["kinds"].items():
        shown = f"{counts.get('alone', 0)} of {counts['answers']} alone, {counts.get('wrong', 0)} wrong"
        print(f"  {kind:12} {shown}", file=sys.stderr)
