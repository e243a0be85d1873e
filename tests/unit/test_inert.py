"""Text from others can be read, and can do nothing else."""

from __future__ import annotations

import csv
import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.language.inert import inert, no_formula, one_line


@given(st.text())
def test_nothing_active_is_left(text: str) -> None:
    left = inert(text, limit=10_000)
    assert not [
        one
        for one in left
        if unicodedata.category(one) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") and one not in "\n\t"
    ]
    assert not [one for one in left if unicodedata.bidirectional(one) in ("RLO", "LRO", "RLE", "LRE", "RLI")]


@given(st.text(alphabet=st.characters(categories=("L", "N", "P"), exclude_characters="\u00ad")))
def test_ordinary_text_stays(text: str) -> None:
    assert inert(text, limit=10_000) == text


@pytest.mark.parametrize("letter", "\x1b\x00\x07\x9b\r\u202e\u200b\u2028\ufeff\U000e0041\ue000\ud800")
def test_what_acts_is_shown_as_its_number(letter: str) -> None:
    assert inert(f"a{letter}b") == f"a⟨U+{ord(letter):04X}⟩b"


def test_what_people_write_stays() -> None:
    assert inert("Ça va, n'est-ce pas ? « œuf »\n\tdeux") == "Ça va, n'est-ce pas ? « œuf »\n\tdeux"


def test_what_is_cut_is_said() -> None:
    assert inert("x" * 12, limit=10) == "x" * 10 + " […+2]"


def test_one_line() -> None:
    assert one_line("a\r\nb\tc\x1b") == "a b c⟨U+001B⟩"


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "＝1", "  =1", "\t=1", "\n=1", "|cmd", "%x"]
)
def test_formulas_are_text(text: str) -> None:
    assert no_formula(text) == f"'{text}"


@given(st.text())
def test_no_cell_begins_a_formula(text: str) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(["a", no_formula(text), "b"])
    (row,) = csv.reader(io.StringIO(out.getvalue(), newline=""))
    assert len(row) == 3
    assert row[1].lstrip()[:1] not in set("=+-@＝＋－＠|%")
