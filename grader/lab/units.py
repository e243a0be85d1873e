"""The units that numbers are asked for in, and how people write them, in French and in English."""

from __future__ import annotations

import math
import re
import unicodedata

# How a unit may be written, and its worth in the unit that is asked for. SI: 1 MB is 8 Mbit.
_WRITTEN: dict[str, dict[str, float]] = {
    "times": {"": 1, "x": 1, "×": 1, "times": 1, "fois": 1, "%": 0.01, ":1": 1, "/1": 1},
    "Mbit/s": {},
    "us": {"us": 1, "ms": 1e3, "s": 1e6, "ns": 1e-3},
    "s": {"s": 1, "ms": 1e-3, "us": 1e-6, "min": 60},
    "s/GB": dict.fromkeys(("s/GB", "s/Go"), 1.0),
    "1/MB": dict.fromkeys(("1/MB", "/MB", "1/Mo", "/Mo", "exits/MB", "sorties/Mo"), 1.0),
    "1/packet": dict.fromkeys(("1/packet", "/packet", "1/paquet", "/paquet"), 1.0),
    "count": {"": 1, "exits": 1, "sorties": 1},
}
_SHOWN = {"times": "×", "us": "µs", "count": ""}
# Bits in any case; of a lone letter, b is a bit and B a byte.
_RATE = re.compile(r"([kKmMgG]?)(i?)((?i:bits?)|b|B|o|(?i:octets?|bytes?))(/[sS]|ps)")
_SCALE = {"": 1e-6, "k": 1e-3, "m": 1.0, "g": 1e3}
# Words for what stands behind a stroke, and for a second and its parts.
_PER = re.compile(r"\s+(?:par|per)\s+", re.IGNORECASE)
_SECONDS = {"sec": "s", "secs": "s", "second": "s", "seconds": "s", "seconde": "s", "secondes": "s"}
_SECONDS |= {"msec": "ms", "usec": "us", "µs": "us", "millisecondes": "ms", "milliseconds": "ms"}
_SECONDS |= {"microsecondes": "us", "microseconds": "us"}
# What people write before a number that they rounded, and the sign of a factor.
_BEFORE = re.compile(r"(?:[≈~≃]|environ|env\.|about|approx(?:\.|imately)?|ca\.)\s*", re.IGNORECASE)
_FACTOR = re.compile(r"[x×]\s*(?=[0-9])", re.IGNORECASE)
_DIGITS = r"[0-9](?:[0-9 .,'’_]*[0-9])?|[.,][0-9]+"
_NUMBER = re.compile(rf"([-+]?(?:{_DIGITS})(?:[eE][-+]?[0-9]{{1,3}})?)(.*)")
_GROUPED = re.compile(r"[-+]?[0-9]{1,3}(?:([ '’_.,])[0-9]{3})(?:\1[0-9]{3})*(?:[.,][0-9]*)?(?:[eE].*)?")
_PLAIN = re.compile(r"[-+]?[0-9]*(?:[.,][0-9]*)?(?:[eE].*)?")
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
    match = _NUMBER.fullmatch(_tidied(value, unit)) if isinstance(value, str) and _is_short(value) else None
    if not match:
        return None
    written = match[2].strip(" .,")
    worth = _worth(written, unit) if written else 1.0
    if worth is None:
        return written
    return [number * worth for number in _decimals(match[1])] or None


def _is_short(text: str) -> bool:
    """Say whether a text can be a plain number: 10² is none, and must not become 102."""
    return len(text) <= _LONGEST and not any(unicodedata.category(one) == "No" for one in text)


def _tidied(text: str, unit: str) -> str:
    """Return a number without what people write before it, all spaces and signs in their plain form."""
    plain = unicodedata.normalize("NFKC", text).replace("−", "-").replace("μ", "µ")
    short = _BEFORE.sub("", " ".join(plain.split()), count=1)
    return _FACTOR.sub("", short, count=1) if unit == "times" and _FACTOR.match(short) else short


def _worth(written: str, unit: str) -> float | None:
    """Return what one of a written unit is in the one that is asked for, or None."""
    steps = _PER.sub("/", f" {written} ").strip().split("/")
    short = "/".join(_SECONDS.get(step.strip(), step.replace(" ", "")) for step in steps)
    known = _WRITTEN[unit]
    if short in known:
        return known[short]
    rate = _RATE.fullmatch(short) if unit == "Mbit/s" else None
    if rate:
        bits = 1 if rate[3].casefold().startswith("bit") or rate[3] == "b" else 8
        binary = 1.024 ** {"": 0, "k": 1, "m": 2, "g": 3}[rate[1].lower()] if rate[2] else 1
        return _SCALE[rate[1].lower()] * bits * binary
    meant = {worth for one, worth in known.items() if one.casefold() == short.casefold()}
    return meant.pop() if len(meant) == 1 else None


def _decimals(text: str) -> list[float]:
    """Return what digits can mean; nothing where their points and spaces make no number."""
    if match := _GROUPED.fullmatch(text):
        forms = [text.replace(match[1], "").replace(",", ".")]
        # One comma, or one point, before three digits is a decimal too.
        if match[1] in ".," and text.count(match[1]) == 1 and not re.search(r"[.,]\d*[.,]", text):
            is_thousands = match[1] == "," and not text.lstrip("-+").startswith("0")
            forms = [text.replace(",", "."), *(forms if is_thousands else [])]
    elif _PLAIN.fullmatch(text):
        forms = [text.replace(",", ".")]
    else:
        forms = []
    return [number for form in forms if (number := _float(form)) is not None]


def _float(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
