"""The finding: what the run shows, in plain sentences computed from its samples."""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from domains.spec import EMULATED_NICS
from grader.language.i18n import Texts, number
from grader.language.inert import one_line
from grader.measure.run import CellResult, Run
from grader.report.figures import EXITS, Sampled

_RESAMPLES = 2_000
# The emulated NIC that people know best is compared first; likewise for what replaces it.
_EMULATED = ("e1000", "e1000e", "rtl8139", "i82557b", "pcnet", "igb")
_INSTEAD = ("virtio", "vmxnet3", "vf", "hostdev")


@dataclass(frozen=True)
class Ratio:
    """How many times one median is another; the interval is a bootstrap of both samples (95 %)."""

    value: float
    low: float | None = None
    high: float | None = None

    @property
    def holds_one(self) -> bool:
        """Whether the two cannot be told apart."""
        return self.low is not None and self.high is not None and self.low <= 1.0 <= self.high


def ratio(above: Sampled, below: Sampled) -> Ratio | None:
    """Return the ratio of two medians, without an interval when there are fewer than three samples."""
    if below.median <= 0:
        return None
    value = above.median / below.median
    if min(len(above.samples), len(below.samples)) < 3 or min(below.samples) <= 0:
        return Ratio(value)
    # A fixed seed: the same samples must give the same page.
    draw = random.Random(20)  # noqa: S311
    ratios = sorted(
        statistics.median(draw.choices(above.samples, k=len(above.samples)))
        / statistics.median(draw.choices(below.samples, k=len(below.samples)))
        for _ in range(_RESAMPLES)
    )
    return Ratio(value, ratios[int(0.025 * _RESAMPLES)], ratios[int(0.975 * _RESAMPLES) - 1])


def sentences(cells: Sequence[CellResult], say: Texts, lang: str) -> tuple[str, ...]:
    """Return what cells of one accelerator show: the ratio first, then the other way, then why."""
    pair = _pair(cells)
    if pair is None:
        return (_without_comparison(cells, say, lang),)
    fast, slow = pair
    first = _towards(fast, slow, say, lang)
    return tuple(one for one in (first, _back(fast, slow, say, lang), _why(fast, slow, say, lang)) if one)


def accelerators(run: Run) -> tuple[str, ...]:
    """Return the accelerators that really ran, each once, KVM first."""
    ran = {accelerator(cell) for cell in run.cells if cell.status == "measured"}
    return tuple(sorted(ran, key=lambda one: (one != "kvm", one)))


def accelerator(cell: CellResult) -> str:
    """Return the accelerator that ran, ``unknown`` when it was not read back: what was asked is no proof."""
    return one_line(cell.ran.get("accelerator") or "unknown", limit=40).lower()


def refusal(run: Run) -> str | None:
    """Return why another accelerator than KVM was chosen, or None when KVM was or nothing was noted."""
    said = run.environment.get("accelerator_why")
    return str(said) if said and run.environment.get("accelerator") != "kvm" else None


def _pair(cells: Sequence[CellResult]) -> tuple[CellResult, CellResult] | None:
    fast, slow = _first_of(cells, _INSTEAD), _first_of(cells, _EMULATED)
    return (fast, slow) if fast and slow else None


def _first_of(cells: Sequence[CellResult], models: Sequence[str]) -> CellResult | None:
    """Return the first cell of the first of these models that was measured: not the one that did best."""
    measured = [cell for cell in cells if "tcp_to_guest" in cell.measurements]
    of_model = (next((one for one in measured if one.spec.nic.model == model), None) for model in models)
    return next((cell for cell in of_model if cell), None)


def _towards(fast: CellResult, slow: CellResult, say: Texts, lang: str) -> str:
    names = {"fast": _name(fast), "slow": _name(slow)}
    found = ratio(fast.measurements["tcp_to_guest"], slow.measurements["tcp_to_guest"])
    if found is None:
        return say("On this host {slow} moved nothing towards the guest, {fast} did.", **names)
    values = _values(found, lang)
    if found.low is None:
        return say(
            "On this host {fast} moves {ratio} times what an emulated {slow} does, towards the guest "
            "(too few samples for an interval).",
            **names,
            **values,
        )
    if found.holds_one:
        return say(
            "On this host {fast} and an emulated {slow} cannot be told apart towards the guest: their ratio "
            "is {ratio}, and its 95 % interval, {low} to {high}, holds 1.",
            **names,
            **values,
        )
    return say(
        "On this host {fast} moves {ratio} times what an emulated {slow} does, towards the guest "
        "(95 % interval {low} to {high}).",
        **names,
        **values,
    )


def _back(fast: CellResult, slow: CellResult, say: Texts, lang: str) -> str | None:
    above, below = (cell.measurements.get("tcp_from_guest") for cell in (fast, slow))
    found = ratio(above, below) if above and below else None
    if found is None or found.low is None:
        return None
    values = _values(found, lang)
    if found.holds_one:
        return say("From the guest no difference is shown (ratio {ratio}, {low} to {high}).", **values)
    return say("From the guest it is {ratio} times as much ({low} to {high}).", **values)


def _why(fast: CellResult, slow: CellResult, say: Texts, lang: str) -> str:
    above, below = slow.measurements.get(EXITS), fast.measurements.get(EXITS)
    if accelerator(fast) == "tcg":
        return say(
            "TCG has no VM exits to count: what is seen here is only the work of imitating each device."
        )
    if above is None or below is None:
        return say("The VM exits behind it were not counted.")
    values = {
        "slow": _name(slow),
        "fast": _name(fast),
        "many": number(above.median, lang),
        "few": number(below.median, lang),
    }
    mmio = slow.measurements.get("mmio_exits_per_mb")
    if above.median > below.median and mmio:
        return say(
            "Why: to move one MB, {slow} leaves the guest {many} times, {mmio} of them because a device "
            "register was touched (MMIO); {fast} leaves it {few} times.",
            mmio=number(mmio.median, lang),
            **values,
        )
    return say("To move one MB, {slow} leaves the guest {many} times, {fast} {few} times.", **values)


def _without_comparison(cells: Sequence[CellResult], say: Texts, lang: str) -> str:
    best = _first_of(cells, (*_INSTEAD, *EMULATED_NICS))
    if best is None:
        return say("No throughput was measured in this run.")
    return say(
        "On this host {name} moves {rate} Mbit/s towards the guest; there is no second kind of NIC to "
        "compare it with.",
        name=_name(best),
        rate=number(best.measurements["tcp_to_guest"].median, lang),
    )


def _values(found: Ratio, lang: str) -> dict[str, str]:
    ends = {"low": found.low, "high": found.high}
    digits = 2 if found.value < 10 else 3
    return {"ratio": number(found.value, lang, digits=digits)} | {
        key: number(value, lang, digits=digits) for key, value in ends.items() if value is not None
    }


def _name(cell: CellResult) -> str:
    return one_line(cell.spec.nic.model)
