"""What many hosts showed, in sentences and in the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from grader.hosts import words
from grader.hosts.candidates import Candidate
from grader.hosts.comparing import ASPECTS, Compared
from grader.hosts.document import HostResult, HostsReport
from grader.language import Lang
from grader.language.i18n import number, translator
from grader.language.inert import one_line
from grader.language.lines import wrapped

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

# Asked how wide it would like to be, a table answers no more than it is offered.
_ANY_WIDTH = 1_000
_FEW_FACTS = 6
_LONGEST_FACT = 70
_STYLES = {"slower": "red", "faster": "green", "mixed": "yellow"}
_SAYS = {"slower": words.SLOWER, "faster": words.FASTER, "mixed": words.MIXED}


def counts(report: HostsReport, lang: Lang) -> str:
    """Return how many hosts there are, and how they were measured."""
    how = (
        words.IN_TURN.say(lang)
        if report.side_by_side == 1
        else words.SIDE_BY_SIDE.say(lang, count=report.side_by_side)
    )
    done = sum(bool(one.measured) for one in report.hosts)
    return words.COUNTS.say(lang, hosts=len(report.hosts), measured=done, how=how)


def findings(report: HostsReport, lang: Lang) -> Iterator[str]:
    """Yield what came out: each host that is slower or faster, or that none is."""
    done = [one for one in report.hosts if one.comparison]
    if report.reference is None:
        yield words.NOBODY.say(lang)
        return
    if report.against not in {None, report.reference}:
        yield words.INSTEAD.say(lang, against=one_line(report.against), reference=one_line(report.reference))
    if len(done) == 1:
        yield words.ALONE.say(lang, host=one_line(report.reference))
        return
    told = [one for one in done if one.comparison and one.comparison.verdict in _SAYS]
    for one in told:
        yield finding(one, report.reference, lang)
    no_cell, few = _unknown(done)
    if few:
        yield words.FEW.say(lang)
    elif not told and _of(done, "same"):
        yield words.ALIKE.say(lang, reference=one_line(report.reference))
    for one in no_cell:
        yield words.NO_CELL.say(lang, host=one_line(one.name), reference=one_line(report.reference))
    for one in _of(done, "apart"):
        yield words.APART.say(lang, host=one_line(one.name))


def _of(hosts: Iterable[HostResult], verdict: str) -> list[HostResult]:
    return [one for one in hosts if one.comparison and one.comparison.verdict == verdict]


def _unknown(hosts: Iterable[HostResult]) -> tuple[list[HostResult], list[HostResult]]:
    """Return the hosts of which nothing can be told: those without a common cell, and with too few rounds."""
    found = _of(hosts, "unknown")
    few = [one for one in found if one.comparison and one.comparison.aspects]
    return [one for one in found if one not in few], few


def finding(host: HostResult, reference: str, lang: Lang) -> str:
    """Return in what a host is slower or faster, and by what ratio."""
    assert host.comparison is not None  # noqa: S101 (only hosts that were compared are told of)
    parts = ", ".join(
        words.PART.say(
            lang,
            aspect=words.ASPECTS[aspect].say(lang),
            **{key: number(value, lang) for key, value in _ends(one).items()},
        )
        for aspect, one in host.comparison.aspects.items()
        if one.better is not None
    )
    says = _SAYS[host.comparison.verdict]
    return says.say(lang, host=one_line(host.name), reference=one_line(reference), parts=parts)


def _ends(one: Compared) -> dict[str, float]:
    return {"ratio": one.ratio, "low": one.low or one.ratio, "high": one.high or one.ratio}


def fact(candidate: Candidate, reference: str, lang: Lang) -> str:
    """Return one thing that differs, and which hosts speak for or against it."""
    said = words.FACT.say(
        lang,
        fact=fact_name(candidate.fact, lang),
        here=value(candidate.here, lang),
        there=value(candidate.there, lang),
        reference=one_line(reference),
    )
    if hosts := candidate.against:
        more = words.AGAINST.say(lang, hosts=one_line(", ".join(hosts)), count=len(hosts))
    elif hosts := candidate.others:
        more = words.OTHERS.say(lang, hosts=one_line(", ".join(hosts)))
    else:
        return said
    return words.PAIR.say(lang, one=said, other=more)


def fact_name(name: str, lang: Lang) -> str:
    """Return what a fact of an environment is called."""
    from grader.report.words import FACTS

    return translator(lang)(FACTS[name]) if name in FACTS else one_line(name)


def value(said: str | None, lang: Lang) -> str:
    """Return a fact's value, made harmless and short."""
    return words.NOT_SHOWN.say(lang) if said is None else one_line(said, limit=_LONGEST_FACT)


def aspect(host: HostResult, name: str, lang: Lang) -> str:
    """Return one ratio of a host with its interval."""
    if host.comparison is None:
        return ""
    if host.comparison.verdict == "reference":
        return "1"
    one = host.comparison.aspects.get(name)
    if one is None:
        return "–"
    said = number(one.ratio, lang)
    if one.low is None or one.high is None:
        return said
    return f"{said} [{number(one.low, lang)}–{number(one.high, lang)}]"


def accelerator(host: HostResult) -> str:
    """Return what the guests of a host ran under."""
    return one_line(host.environment.get("accelerator", "–")).upper()


def print_report(report: HostsReport, folder: str, lang: Lang, console: Console | None = None) -> None:
    """Print the table, what came out and why, and each host that is not done."""
    if console is None:
        from rich.console import Console

        console = Console(highlight=False)
    width = console.width

    def show(text: str, first: str = "", then: str = "  ") -> None:
        console.print("\n".join(wrapped(text, width, first=first, then=then)), soft_wrap=True, markup=False)

    show(counts(report, lang))
    if report.reference and sum(bool(one.comparison) for one in report.hosts) > 1:
        console.print()
        _print_ratios(report, lang, console)
        console.print()
        show(words.HOW.say(lang, reference=one_line(report.reference)), then="")
        console.print()
    for sentence in findings(report, lang):
        show(sentence)
    for one in report.hosts:
        _print_why(one, report, lang, show)
    _print_missing(report, folder, lang, show)


def _print_ratios(report: HostsReport, lang: Lang, console: Console) -> None:
    """Print a table where one fits, and else one host after another."""
    from rich.text import Text

    table = _table(report, lang)
    # A table whose numbers wrap is harder to read than no table.
    if console.measure(table, options=console.options.update(width=_ANY_WIDTH)).maximum <= console.width:
        console.print(table)
        return
    for one in report.hosts:
        if one.comparison:
            verdict = words.VERDICTS[one.comparison.verdict].say(lang)
            console.print(Text(one_line(one.name), "bold"), Text(f"{accelerator(one)}, {verdict}"))
            if one.comparison.verdict != "reference":
                for name in one.comparison.aspects:
                    console.print(Text(f"  {words.ASPECTS[name].say(lang)} × {aspect(one, name, lang)}"))


def _table(report: HostsReport, lang: Lang) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False, header_style="bold")
    for title in (words.HOST, words.RAN):
        table.add_column(title.say(lang))
    for name in ASPECTS:
        table.add_column(f"{words.ASPECTS[name].say(lang)} ×", justify="right")
    table.add_column(words.VERDICT.say(lang))
    for one in report.hosts:
        if one.comparison:
            verdict = one.comparison.verdict
            table.add_row(
                Text(one_line(one.name), "bold"),
                accelerator(one),
                *(aspect(one, name, lang) for name in ASPECTS),
                Text(words.VERDICTS[verdict].say(lang), _STYLES.get(verdict, "")),
            )
    return table


def _print_why(host: HostResult, report: HostsReport, lang: Lang, show: Callable[..., None]) -> None:
    if host.comparison is None or host.comparison.verdict not in _SAYS or report.reference is None:
        return
    said = words.DIFFERS if host.candidates else words.NOTHING_DIFFERS
    show(words.FOR_HOST.say(lang, host=one_line(host.name), said=said.say(lang)))
    for one in host.candidates[:_FEW_FACTS]:
        show(fact(one, report.reference, lang), "  - ", "    ")
    if (left := len(host.candidates) - _FEW_FACTS) > 0:
        show(words.AND_MORE.say(lang, count=left), "  - ", "    ")


def _print_missing(report: HostsReport, folder: str, lang: Lang, show: Callable[..., None]) -> None:
    for one in report.hosts:
        if one.cause:
            state = words.STATES[one.state].say(lang)
            cause = one_line(one.cause)
            show(words.NOT_MEASURED.say(lang, host=one_line(one.name), state=state, cause=cause))
            if one.remedy:
                show(one_line(one.remedy), "  → ", "    ")
    if any(one.cause for one in report.hosts):
        show(words.GO_ON.say(lang, folder=folder))
