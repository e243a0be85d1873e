"""Letters, lists, orders and numbers as people write them: read where they are plain, and never guessed."""

from __future__ import annotations

import pytest

from grader.lab.units import readings
from grader.lab.written import letters, order, prose
from grader.language.bilingual import both

OPTIONS = {
    "a": both("a second kernel", "un second noyau"),
    "b": both("a process, like an editor", "un processus, comme un éditeur"),
    "c": both("a partition", "une partition"),
}
SWITCH = {"on": both("switched on", "allumé"), "no": both("neither", "ni l'un ni l'autre")}
ITEMS = ("virtio", "e1000", "rtl8139")
LABELS = {"rtl8139": both("the old one", "la vieille")}


@pytest.mark.parametrize(
    "value",
    [
        "b",
        "B",
        "B.",
        "b )",
        "(b)",
        "ｂ",
        " b ",
        "réponse B",
        "Réponse : b",
        "c'est la b",
        "c’est b",
        ["b"],
        "option b",
        "**b**",
        "un processus, comme un éditeur.",
        "b) Un processus, comme un éditeur",
        "b, b",
    ],
)
def test_one_letter_in_many_forms(value: object) -> None:
    assert letters(value, OPTIONS) == {"b"}


@pytest.mark.parametrize(
    "value",
    [
        "a ou b",
        "b ?",
        "a-c",
        "!b",
        "~~b~~",
        "pas b",
        "abcd",
        "d",
        "В",
        "b) a partition",
        {"b": "yes"},
        None,
        ["b", ["c"]],
        "a process",
        "x" * 9999,
        3.5,
        "oui",
    ],
)
def test_what_names_no_letter_for_certain_names_none(value: object) -> None:
    assert letters(value, OPTIONS) is None


@pytest.mark.parametrize(
    "value",
    [
        "a,c",
        "A et C",
        "AC",
        "a c",
        "a;c",
        "a + c",
        "a & c",
        "a/c",
        "a) c)",
        "(a), (c)",
        "réponses a et c",
        ["a", "c"],
        ["A.", "c)"],
        "a and c",
        "c, a",
        ["un second noyau", "c"],
    ],
)
def test_several_letters_in_many_forms(value: object) -> None:
    assert letters(value, OPTIONS) == {"a", "c"}


def test_letters_that_yaml_takes_for_something_else_are_letters() -> None:
    assert letters("on", SWITCH) == {"on"}
    assert letters("No", SWITCH) == {"no"}
    assert letters(1, {"1": OPTIONS["a"], "2": OPTIONS["b"]}) == {"1"}


@pytest.mark.parametrize(
    "value",
    [
        "virtio > e1000 > rtl8139",
        "virtio, e1000, rtl8139",
        "virtio e1000 rtl8139",
        "virtio→e1000→rtl8139",
        "virtio -> e1000 -> rtl8139",
        "virtio => e1000 => rtl8139",
        "virtio puis e1000, puis rtl8139",
        "1. virtio 2. e1000 3. rtl8139",
        "1) virtio, 2) e1000, 3) rtl8139",
        ["virtio", "E1000", "the old one"],
        ["1. virtio", "2. e1000", "3. rtl8139"],
        ["virtio > e1000 > rtl8139"],
        {"1": "virtio", "2": "e1000", "3": "rtl8139"},
        "virtio – e1000 – rtl8139",
    ],
)
def test_an_order_in_many_forms(value: object) -> None:
    assert order(value, ITEMS, LABELS) == list(ITEMS)


@pytest.mark.parametrize(
    "value",
    [
        "virtio < e1000 < rtl8139",
        "virtio = e1000 > rtl8139",
        "virtio > e1000",
        "virtio > e1000 > e1000",
        ["virtio", "e1000", "rtl8139", "virtio"],
        {"2": "virtio", "1": "e1000", "3": "rtl8139"},
        3,
        None,
        [],
        ["virtio", ["e1000"], "rtl8139"],
    ],
)
def test_what_is_no_order_for_certain_is_none(value: object) -> None:
    assert order(value, ITEMS, LABELS) is None


@pytest.mark.parametrize(
    "value",
    [
        4.17,
        "4,17",
        "4.17 ×",
        "≈4,17",
        "~ 4.17",
        "environ 4,17 fois",
        "x4.17",
        "× 4,17",
        "4.17X",
        "4.17.",
        "417 %",
        "4.17:1",
        "4,17 : 1",
        "４.17",
        "+4.17",
        "4.17e0",
        ".0417e2",
    ],
)
def test_a_factor_in_many_forms(value: object) -> None:
    found = readings(value, "times")
    assert isinstance(found, list)
    assert found == [pytest.approx(4.17)]


@pytest.mark.parametrize(
    "text",
    ["1 000", "1\u00a0000", "1\u202f000", "1\u2009000", "1\u2007000", "1'000", "1_000", "1 000,0", "1,000.0"],
)
def test_thousands_in_many_forms(text: str) -> None:
    assert readings(text, "count") == [1000.0]


@pytest.mark.parametrize(
    "text", ["4,,17", "4..17", "1 2 3", "4²", "½", "10⁶", "quatre", "1e400", "nan", "", "٤"]
)
def test_digits_that_make_no_number_are_none(text: str) -> None:
    assert readings(text, "times") is None


def test_one_comma_before_three_digits_may_be_either_and_a_leading_zero_tells() -> None:
    assert readings("1,424", "count") == [1.424, 1424.0]
    assert readings("0,941", "count") == [0.941]
    assert readings("-0,941", "count") == [-0.941]


@pytest.mark.parametrize(
    "text",
    [
        "941 Mbit/s",
        "941 Mbits/sec",
        "941 mbps",
        "0,941 Gbit/s",
        "0.941 Gbits/sec",
        "117.625 MB/s",
        "117,6250 Mo/s",
        "941 000 kbit/s",
        "941 Mbit par seconde",
        "941 Mbit / s",
        "941000000 bit/s",
        "941 MBIT/S",
    ],
)
def test_a_throughput_in_other_scales_is_the_same(text: str) -> None:
    assert readings(text, "Mbit/s") == [pytest.approx(941)]


@pytest.mark.parametrize(("text", "unit"), [("941 Mb", "Mb"), ("941 MBPS", "MBPS"), ("4 s", "s")])
def test_a_unit_that_does_not_fit_is_named(text: str, unit: str) -> None:
    assert readings(text, "Mbit/s") == unit


def test_prose_may_be_a_list_or_say_this_for_that() -> None:
    assert prose(["one.", "two."]) == "one.\ntwo."
    assert prose({"farm": "virtio", "trading": "a VF"}) == "farm: virtio\ntrading: a VF"
    for value in ([], {}, [1], {"a": ["b"]}, 3, None, True):
        assert prose(value) is None
