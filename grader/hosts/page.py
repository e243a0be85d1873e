"""``hosts.html``: the hosts side by side, in both languages, with no script and nothing fetched."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from domains import files
from grader.hosts import candidates, document, telling, words
from grader.hosts.comparing import ASPECTS
from grader.hosts.document import HostResult, HostsReport
from grader.language import LANGUAGES, Lang
from grader.language.bilingual import Bilingual, both
from grader.language.i18n import number

TEMPLATES = Path(__file__).resolve().parent / "templates"
_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 0.75, 0.9, 1, 1.1, 1.25, 1.5, 2, 4, 5, 10, 20, 50, 100)
_MOST_TICKS = 5

_WORDS = {
    "slower_left": both("slower", "plus lente"),
    "slower_right": both("slower", "plus lente"),
    "faster_left": both("faster", "plus rapide"),
    "faster_right": both("faster", "plus rapide"),
    "why": both("Why, perhaps", "Pourquoi, peut-être"),
    "why_note": both(
        "What differs between these machines and {reference}, the likelier first. Nothing was changed to see "
        "what comes of it: to know, change one thing and measure again.",
        "Ce qui diffère entre ces machines et {reference}, le plus probable d'abord. Rien n'a été changé "
        "pour voir ce qu'il en advient : pour savoir, changez une chose et mesurez de nouveau.",
    ),
    "nothing": words.NOTHING_DIFFERS,
    "missing": both("Not measured", "Non mesuré"),
    "cells": both("Each cell", "Chaque cellule"),
    "cells_note": both(
        "Ratios of medians to those of {reference}, with the bootstrap interval of each at 95 %.",
        "Rapports des médianes à celles de {reference}, chacun avec son intervalle bootstrap à 95 %.",
    ),
    "cell": both("cell", "cellule"),
    "metric": both("measure", "mesure"),
    "environment": both("What differs between hosts", "Ce qui diffère entre machines"),
    "same": both("All that was read is the same on all hosts.", "Tout ce qui a été lu est partout pareil."),
    "ratio": both("ratio", "rapport"),
    "open": both("its own report", "son propre rapport"),
    "log": both("log", "journal"),
    "language": both("Language", "Langue"),
}


@dataclass(frozen=True)
class Axis:
    """A logarithmic axis of ratios, 1 on it: halved and doubled lie equally far."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def at(self, value: float) -> float:
        """Return where a ratio stands, in per cent of the width."""
        whole = math.log(self.high / self.low)
        return round(100 * min(max(math.log(value / self.low) / whole, 0.0), 1.0), 2)


@dataclass(frozen=True)
class Mark:
    """One host in one figure: where its ratio and the interval's ends stand, and what is written."""

    host: HostResult
    said: str
    at: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Figure:
    """The hosts' ratios in one aspect."""

    aspect: str
    more_is_better: bool
    axis: Axis
    marks: tuple[Mark, ...]


def axis(values: Sequence[float]) -> Axis:
    """Return an axis that shows all values, and at least from 0.8 to 1.25."""
    low, high = min(0.8, *(value * 0.95 for value in values)), max(1.25, *(value * 1.05 for value in values))
    inside = [tick for tick in _TICKS if low <= tick <= high]
    # 1 is what all others are read against, so it stays; the rest are thinned out.
    step = -(-len(inside) // _MOST_TICKS)
    at = inside.index(1)
    return Axis(low, high, tuple(tick for index, tick in enumerate(inside) if (index - at) % step == 0))


def figures(report: HostsReport, lang: Lang) -> Iterator[Figure]:
    """Yield a figure for each aspect that hosts were compared in."""
    compared = [one for one in report.hosts if one.comparison and one.comparison.verdict != "apart"]
    for aspect, (_, more_is_better) in ASPECTS.items():
        found = [(one, one.comparison.aspects.get(aspect)) for one in compared if one.comparison]
        values = [
            end for _, seen in found if seen for end in (seen.ratio, seen.low, seen.high) if end is not None
        ]
        if not values:
            continue
        on = axis(values)
        marks = []
        for host, seen in found:
            is_reference = host.name == report.reference
            at = on.at(seen.ratio) if seen else on.at(1) if is_reference else None
            low, high = (on.at(end) if end is not None else None for end in (_low(seen), _high(seen)))
            marks.append(Mark(host, telling.aspect(host, aspect, lang), at, low, high))
        yield Figure(aspect, more_is_better, on, tuple(marks))


def _low(seen: object) -> float | None:
    return getattr(seen, "low", None)


def _high(seen: object) -> float | None:
    return getattr(seen, "high", None)


def write(folder: Path, report: HostsReport, *, lang: Lang) -> None:
    """Write the page into the folder of the runs; ``lang`` is the language that it opens in."""
    files.write_whole(folder / document.PAGE, html_text(report, lang=lang))


def html_text(report: HostsReport, *, lang: Lang) -> str:
    """Return the page."""
    from grader import look
    from grader.look import templates
    from grader.report.html import TEMPLATES as REPORTS

    # The look of a run's report, and what figures of ratios need.
    style = look.style_of(REPORTS / "report.css") + (TEMPLATES / "hosts.css").read_text(encoding="utf-8")
    environment = templates.environment(TEMPLATES)
    # Autoescape has made each body; it is markup of ours with others' text inert inside it.
    bodies = {
        one: Markup(environment.get_template("body.html.j2").render(_context(report, one)))  # noqa: S704
        for one in LANGUAGES
    }
    return environment.get_template("hosts.html.j2").render(
        lang=lang,
        languages=LANGUAGES,
        title=_title(report, lang),
        language=_WORDS["language"].say(lang),
        style=Markup(style),  # noqa: S704
        style_hash=look.style_hash(style),
        bodies=bodies,
    )


def _title(report: HostsReport, lang: Lang) -> str:
    return words.TITLE.say(lang, group=report.group)


def _context(report: HostsReport, lang: Lang) -> dict[str, object]:
    reference = report.reference or ""
    done = [one for one in report.hosts if one.comparison]
    told = [one for one in done if one.comparison and one.comparison.verdict in ("slower", "faster", "mixed")]
    return {
        "lang": lang,
        "report": report,
        "title": _title(report, lang),
        "counts": telling.counts(report, lang),
        "findings": list(telling.findings(report, lang)),
        "how": words.HOW.say(lang, reference=reference),
        "figures": list(figures(report, lang)),
        "hosts": done,
        "told": told,
        "missing": [one for one in report.hosts if one.cause],
        "environment": _environment(done, report.differing),
        "words": {name: _said(text, lang, reference) for name, text in _WORDS.items()},
        "names": words,
        "say": lambda text: text.say(lang),
        "verdict": lambda one: words.VERDICTS[one.comparison.verdict].say(lang),
        "state": lambda one: words.STATES[one.state].say(lang),
        "aspect_name": lambda name: words.ASPECTS[name].say(lang),
        "accelerator": telling.accelerator,
        "fact": lambda one: telling.fact(one, reference, lang),
        "fact_name": lambda name: telling.fact_name(name, lang),
        "value": lambda said: telling.value(said, lang),
        "metric": lambda name: _metric(name, lang),
        "n": lambda value: number(value, lang),
        "shown": lambda value: number(value, lang, digits=2) if value < 1 else f"{number(value, lang):.4}",
    }


def _said(text: Bilingual, lang: Lang, reference: str) -> str:
    return text.say(lang, reference=reference) if "{reference}" in text.en else text.say(lang)


def _metric(name: str, lang: Lang) -> str:
    from grader.language.i18n import translator
    from grader.report.words import METRIC_NAMES

    return translator(lang)(METRIC_NAMES[name])


def _environment(
    hosts: Sequence[HostResult], differing: Sequence[str]
) -> list[tuple[HostResult, list[str | None]]]:
    """Return each host with its values of what differs."""
    facts = [dict(candidates.flat(one.environment)) for one in hosts]
    return [
        (one, [None if (value := seen.get(name)) is None else str(value) for name in differing])
        for one, seen in zip(hosts, facts, strict=True)
    ]
