"""What differs between students beyond the order of choices: names, addresses, NIC models, sizes of loops.

A lab declares its variables under ``variants:``; texts and values of its questions refer to them as
``{name}``, and to a whole number also as ``{name+1}`` or ``{name*2}``. The first value of each is the
author's own: the lab is read, solved and proved with it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from domains import document
from domains.document import Document, Refusal
from domains.refusal import nearest
from grader.lab.questions import Part

Value = str | int | float
Values = Mapping[str, Value]
Path_ = tuple[str | int, ...]

_PLACE = re.compile(r"\{([a-z][a-z0-9-]{0,31})(?:([+*])([0-9]{1,9}))?\}")
# Rubrics name the lab's vocabulary in braces too: there, other names are none of ours.
_OTHERS = frozenset({"wordings"})
# Host bits of a MAC address below the 24 bits of its prefix.
_HOSTS = 2**24


class Range(Part):
    """Whole numbers from ``from`` to ``to``, both included."""

    from_: int = Field(alias="from")
    to: int
    step: Annotated[int, Field(gt=0)] = 1

    @model_validator(mode="after")
    def _some(self) -> Range:
        if self.to < self.from_:
            raise Refusal(f"there is nothing between {self.from_} and {self.to}", path=("to",))
        return self

    def at(self, number: int) -> Value:
        """Return the value that a number draws; 0 draws the author's."""
        return self.from_ + self.step * (number % ((self.to - self.from_) // self.step + 1))


class Mac(Part):
    """A MAC address below a prefix that is locally administered and no multicast, such as 52:54:00."""

    mac: Annotated[str, Field(pattern=r"^[0-9a-f][26ae](:[0-9a-f]{2}){2}$")]

    def at(self, number: int) -> Value:
        """Return the address that a number draws; none ends in zeros only."""
        low = 1 + number % (_HOSTS - 1)
        return ":".join([self.mac, *(f"{low >> shift & 255:02x}" for shift in (16, 8, 0))])


def _network(value: Any) -> Any:
    try:
        network = ipaddress.IPv4Network(value)
    except ValueError as bad:
        raise Refusal(f"{value!r} is no IPv4 network: {bad}", remedy="write 10.20.0.0/16") from bad
    if not network.is_private or network.prefixlen > 24:
        raise Refusal(f"{value} is no private network of /24 or wider", remedy="write 10.20.0.0/16")
    return str(network)


class Subnet(Part):
    """A /24 of a private IPv4 network."""

    subnet: Annotated[str, BeforeValidator(_network)]

    def at(self, number: int) -> Value:
        """Return the /24 that a number draws."""
        network = ipaddress.IPv4Network(self.subnet)
        chosen = number % 2 ** (24 - network.prefixlen)
        return f"{network.network_address + 256 * chosen}/24"


class Listed(Part):
    """One of several values, written as a plain list."""

    values: Annotated[tuple[Value, ...], Field(min_length=2)]

    def at(self, number: int) -> Value:
        """Return the value that a number draws."""
        return self.values[number % len(self.values)]


Variable = Range | Mac | Subnet | Listed
Variables = Mapping[str, Variable]
_FORMS: dict[str, type[Variable]] = {"from": Range, "mac": Mac, "subnet": Subnet}


def parse(doc: Document, at: Path_, given: Any) -> dict[str, Variable]:
    """Read what a lab declares under ``variants:``; raises :class:`domains.errors.InputError`."""
    if not isinstance(given, dict):
        raise doc.error(at, "variants is a mapping of names to values", "write: vm: [web, shop, wiki]")
    found: dict[str, Variable] = {}
    for name, value in given.items():
        here = (*at, name)
        if not _PLACE.fullmatch(f"{{{name}}}"):
            raise doc.error(here, f"{name!r} is no name of a variant", "small letters, digits and dashes")
        if isinstance(value, list):
            if len(value) < 2:
                raise doc.error(here, f"{name} has nothing to choose from", "list at least two values")
            found[name] = document.validate(doc, Listed, at=at, data={"values": value})
            continue
        form = _form(value) if isinstance(value, dict) else None
        if form is None:
            raise doc.error(
                here,
                f"{name} is neither a list nor a range",
                'write [a, b], {from: 1, to: 9}, {mac: "52:54:00"} or {subnet: 10.20.0.0/16}',
            )
        found[name] = document.validate(doc, _FORMS[form], at=here, data=value)
    return found


def _form(value: Mapping[str, Any]) -> str | None:
    """Return the key that says which form a mapping has, also through a slip of the pen."""
    known = {key: key for key in _FORMS} | {"to": "from"}
    written = next((key for key in _FORMS if key in value), None)
    near = (nearest(key, known) for key in value)
    return written or next((known[key] for key in near if key), None)


def authors(variables: Variables) -> dict[str, Value]:
    """Return the author's values: the first of each."""
    return {name: one.at(0) for name, one in variables.items()}


def filled(data: Any, values: Values) -> Any:
    """Return plain data with all ``{names}`` replaced; a text that is nothing else becomes the value itself.

    Names that stand for no variable are left as they are: :func:`refuse_unknown` has seen them.
    """
    if isinstance(data, dict):
        return {key: filled(value, values) for key, value in data.items()}
    if isinstance(data, list):
        return [filled(value, values) for value in data]
    if not isinstance(data, str) or "{" not in data:
        return data
    if (whole := _PLACE.fullmatch(data)) and whole[1] in values:
        return _value(whole, values)
    return _PLACE.sub(lambda place: str(_value(place, values)) if place[1] in values else place[0], data)


def used(data: Any, variables: Variables) -> set[str]:
    """Return the variables that some data refers to."""
    return {place[1] for _, text in _texts(data, ()) for place in _PLACE.finditer(text)} & set(variables)


def refuse_unknown(doc: Document, at: Path_, data: Any, variables: Variables) -> None:
    """Refuse ``{names}`` that the lab declares nowhere, and sums with what is no whole number."""
    for path, text in _texts(data, at):
        for place in _PLACE.finditer(text):
            name = place[1]
            if name not in variables and not _OTHERS & set(path):
                guess = document.nearest(name, variables)
                remedy = f"did you mean {{{guess}}}?" if guess else f"variants: {', '.join(variables)}"
                raise doc.error(path, f"no variant is named {name!r}", remedy)
            if place[2] and name in variables and not isinstance(variables[name].at(0), int):
                raise doc.error(path, f"{place[0]}: {name} is no whole number", f"write {{{name}}}")


def trials(variables: Variables, names: set[str]) -> Iterator[dict[str, Value]]:
    """Yield values that show whether each listed one fits where it is used: the others are the author's."""
    first = authors(variables)
    for name in sorted(names):
        one = variables[name]
        for number in range(len(one.values)) if isinstance(one, Listed) else ():
            yield first | {name: one.at(number)}


def _value(place: re.Match[str], values: Values) -> Value:
    value = values[place[1]]
    if place[2] and isinstance(value, int):
        return value + int(place[3]) if place[2] == "+" else value * int(place[3])
    return value


def _texts(data: Any, path: Path_) -> Iterator[tuple[Path_, str]]:
    if isinstance(data, str):
        yield path, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _texts(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _texts(value, (*path, index))
