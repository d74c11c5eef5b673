"""Words and characters of a text, in any script, by one set of rules in training and serving."""

from __future__ import annotations

import re

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\ua9e0-\ua9ff\uaa60-\uaa7f\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
"""Thai, Lao, Burmese, Khmer, Chinese and Japanese: written without spaces between words."""
_RIDERS = (
    "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u102b-\u103e\u17b4-\u17d3\u17dd\u3099\u309a"
    "\uff9e\uff9f\ufe00-\ufe0f"
)
"""Signs of those scripts that belong to the one before."""
_MARKS = (
    "\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc"
    "\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0900-\u0963\u0966-\u096f\u0971-\u0dff\u0f71-\u0f84\u0f86-\u0fbc"
    "\u200c\u200d\u20d0-\u20f0"
)
"""Vowels and accents within words that `\\w` leaves out: Hindi, Tamil, pointed Hebrew and Arabic, Tibetan, ..."""
_LETTERS = rf"(?:[^\W{_UNSPACED}]+[{_MARKS}]*)+"
_WORD = rf"{_LETTERS}(?:['\u2019]{_LETTERS})*|[{_UNSPACED}][{_RIDERS}]*"
_ASCII_WORD = r"\w+(?:'\w+)*"
_SIGN = r"|[!-/:-@\[-^`{-~]{1,4}|[^\w\s]"  # an emoticon or a run of marks such as "?!!", else one sign such as an emoji
_WORDS = {marks: re.compile(_WORD + (_SIGN if marks else "")) for marks in (False, True)}
_ASCII_WORDS = {marks: re.compile(_ASCII_WORD + (_SIGN if marks else "")) for marks in (False, True)}
_LETTER = re.compile(r"[^\W\d_]")
_UNSPACED_SIGN = re.compile(rf"[{_UNSPACED}]")


def words(text: str, *, lower: bool = True, marks: bool = False) -> list[str]:
    """Return the words of a text: letters and digits of any script, with apostrophes and accents inside.

    Where a script has no spaces between words each of its signs is one. Half a surrogate pair is a question mark.

    Args:
        text: the text.
        lower: whether capital letters become small ones.
        marks: whether punctuation, emoticons and emoji are words too.

    >>> words("Don't go, 猫です :-)")
    ["don't", 'go', '猫', 'で', 'す']
    >>> words("Great :-) 100%!!", marks=True)
    ['great', ':-)', '100', '%!!']
    """
    text = sound(text.lower() if lower else text)
    return (_ASCII_WORDS if text.isascii() else _WORDS)[marks].findall(text)


def spaced(text: str, *, lower: bool = True) -> str:
    """Return a text with single spaces between words and at both ends, one alone where there is no word.

    Half a surrogate pair is a question mark.

    >>> spaced("To  be ")
    ' to be '
    """
    return f" {' '.join(sound(text.lower() if lower else text).split())} ".replace("  ", " ")


def sound(text: str) -> str:
    r"""Return a text with a question mark for each half of a surrogate pair, as `texts.Texts` has it.

    So a text is read alike whether it came through a column, as in training and in a model folder, or as it is.

    >>> sound("a\ud83d")
    'a?'
    """
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def is_unspaced(text: str) -> bool:
    """Whether at least a third of the letters of a text are of scripts without spaces between words.

    >>> is_unspaced("送餐快 ok"), is_unspaced("very tasty")
    (True, False)
    """
    letters = len(_LETTER.findall(text))
    return 3 * len(_UNSPACED_SIGN.findall(text)) >= max(1, letters)
