"""The units that numbers are asked for in, and how people write them, in French and in English."""

from __future__ import annotations

import math
import re

# How a unit may be written, and its worth in the unit that is asked for. SI: 1 MB is 8 Mbit.
_WRITTEN: dict[str, dict[str, float]] = {
    "times": {"": 1, "x": 1, "×": 1, "times": 1, "fois": 1, "%": 0.01},
    "Mbit/s": {
        **dict.fromkeys(("Mbit/s", "Mb/s", "Mbps", "Mbits/s"), 1.0),
        **dict.fromkeys(("Gbit/s", "Gb/s", "Gbps", "Gbits/s"), 1e3),
        **dict.fromkeys(("kbit/s", "kb/s", "kbps", "Kbit/s"), 1e-3),
        **dict.fromkeys(("MB/s", "Mo/s"), 8.0),
        **dict.fromkeys(("GB/s", "Go/s"), 8e3),
    },
    "us": {"us": 1, "µs": 1, "μs": 1, "ms": 1e3, "s": 1e6},
    "s": {"s": 1, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "min": 60},
    "s/GB": dict.fromkeys(("s/GB", "s/Go"), 1.0),
    "1/MB": dict.fromkeys(("1/MB", "/MB", "1/Mo", "/Mo", "exits/MB", "sorties/Mo"), 1.0),
    "1/packet": dict.fromkeys(("1/packet", "/packet", "1/paquet", "/paquet"), 1.0),
    "count": {"": 1, "exits": 1, "sorties": 1},
}
_SHOWN = {"times": "×", "us": "µs", "count": ""}
_NUMBER = re.compile(r"([-+]?[0-9][0-9 .,\u00a0\u202f\u2009]*(?:[eE][-+]?[0-9]{1,3})?)(.*)")
_LONGEST = 64


def unit_shown(unit: str) -> str:
    """Return a unit as people write it."""
    return _SHOWN.get(unit, unit)


def readings(value: object, unit: str) -> list[float] | str | None:
    """Return what a value can mean in a unit: two numbers for 1,424, which is 1.424 in French.

    Returns the unit that was written when it does not fit, and None when it is no number at all.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        # An int of thousands of digits does not fit a float, and is no measure either.
        fits = abs(value) < 1e15 if isinstance(value, int) else math.isfinite(value)
        return [float(value)] if fits else None
    match = _NUMBER.fullmatch(value.strip()) if isinstance(value, str) and len(value) <= _LONGEST else None
    if not match:
        return None
    written = match[2].strip()
    worth = 1.0 if not written else _WRITTEN[unit].get(written.replace(" ", ""))
    if worth is None:
        return written
    return [number * worth for number in _decimals(match[1])] or None


def _decimals(text: str) -> list[float]:
    plain = re.sub(r"[\s\u00a0\u202f\u2009]", "", text)
    comma, dot = plain.rfind(","), plain.rfind(".")
    if comma >= 0 and dot >= 0:
        thousands, point = (",", ".") if dot > comma else (".", ",")
        forms = [plain.replace(thousands, "").replace(point, ".")]
    elif plain.count(",") > 1 or plain.count(".") > 1:
        forms = [plain.replace(",", "").replace(".", "")]
    else:
        forms = [plain.replace(",", ".")]
        if re.fullmatch(r"[-+]?\d{1,3},\d{3}", plain):
            forms.append(plain.replace(",", ""))
    return [number for form in forms if (number := _float(form)) is not None]


def _float(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
