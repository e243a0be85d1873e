"""The stem of a word, in French and in English: students mix the two, so a word has both."""

from __future__ import annotations

import re
from functools import lru_cache

import Stemmer

from grader.checks.reading.tokens import LONGEST_WORD

# Its own cache would be a second one.
_FRENCH, _ENGLISH = Stemmer.Stemmer("french", 0), Stemmer.Stemmer("english", 0)
# Without accents, the stemmer takes no participle for one: émulées is emulees.
_PARTICIPLE = re.compile(r"(?<=\w{4})e+s?$")
_SHORTEST = 4


@lru_cache(maxsize=65536)
def stems(word: str) -> frozenset[str]:
    """Return the stems of a plain word; short words and those with digits are their own only stem."""
    if len(word) < _SHORTEST or len(word) > LONGEST_WORD or not word.isalpha():
        return frozenset({word})
    french = _FRENCH.stemWord(_PARTICIPLE.sub("", word))
    return frozenset({word, french, _ENGLISH.stemWord(word)})
