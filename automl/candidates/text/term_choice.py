"""Which runs of words and characters a configuration asks for, and what it costs to count them."""

from __future__ import annotations

from collections.abc import Mapping

from automl.candidates.text.choices import chosen
from automl.candidates.text.encoding import MOST_CHARACTERS, TermOptions, is_without_spaces
from automl.candidates.text.vocabulary import PartOptions
from automl.core.data import DataSpec
from automl.core.protocols import Context, DataSource
from automl.core.space import Value
from automl.serving.text_terms import MAX_TERMS

MOST_WEIGHTS = 24_000_000
"""Terms times classes, 96 MB in a graph; of more classes fewer terms are kept."""
_LONGEST = (2000, 20_000)  # characters of a text that are read: between these, fewer of more classes,
_LONGEST_WEIGHTS = 200_000  # so that characters times classes are this many: 300 MB in a graph that reads 256 texts
_SHORTER = 2  # characters by which runs are shorter where each sign is a syllable or a word
_COUNTING = {"words": 0.3e-6, "characters": 0.6e-6}  # seconds a character of all rows, one common core
_LEARNING = {"words": 0.1e-6, "characters": 0.2e-6}  # seconds a character of the rows learned from
_FOUND = {"words": 0.3, "characters": 2.2}  # different terms of a text for each of its characters


def chosen_terms(data: DataSource, ctx: Context, values: Mapping[str, Value]) -> TermOptions:
    """Return how the texts of this data are to be encoded; notes where their script decides.

    Where there are no spaces between words, runs of characters go on over a whole text, are shorter by two signs, and
    stand for words too.

    Args:
        data: rows of one column of text.
        ctx: its training rows tell the script.
        values: of a configuration: terms ("words", "characters" or "both"), words and characters (the longest run),
            marks, edges, counting, idf, norm, case and least.

    Raises:
        SpaceError: one of them is a word that is not known.
    """
    is_unspaced = is_without_spaces(data, ctx)
    options = _options(values, max(1, len(data.spec.classes)), is_unspaced=is_unspaced)
    if is_unspaced:
        ctx.note("terms", f"1 to {options.parts[0].high} characters: no spaces between words")
    return options


def _options(values: Mapping[str, Value], classes: int, *, is_unspaced: bool) -> TermOptions:
    return TermOptions(
        parts=_unspaced_parts(values) if is_unspaced else _spaced_parts(values),
        counting=chosen(values, "counting", ("log", "raw", "once")),  # type: ignore[arg-type]
        idf=chosen(values, "idf", ("smooth", "none")) == "smooth",
        norm=chosen(values, "norm", ("each", "all", "none")),  # type: ignore[arg-type]
        lower=chosen(values, "case", ("lower", "kept")) == "lower",
        longest=min(max(_LONGEST_WEIGHTS // classes, _LONGEST[0]), _LONGEST[1]),
        most=min(MAX_TERMS, MOST_WEIGHTS // classes),
    )


def _spaced_parts(values: Mapping[str, Value]) -> tuple[PartOptions, ...]:
    terms, least = chosen(values, "terms", ("both", "words", "characters")), int(values["least"])
    parts = []
    if terms != "characters":
        marks = chosen(values, "marks", ("dropped", "kept")) == "kept"
        edges = chosen(values, "edges", ("none", "marked")) == "marked"
        parts.append(PartOptions("words", 1, int(values["words"]), marks=marks, edges=edges, least=least))
    if terms != "words":
        parts.append(PartOptions("characters", 2, int(values["characters"]), least=least))
    return tuple(parts)


def _unspaced_parts(values: Mapping[str, Value]) -> tuple[PartOptions, ...]:
    longest = int(values["words"]) if values["terms"] == "words" else int(values["characters"]) - _SHORTER
    return (PartOptions("characters", 1, longest, inside=False, least=int(values["least"])),)


def expected_options(spec: DataSpec, values: Mapping[str, Value]) -> TermOptions:
    """Return what `chosen_terms` gives where words are parted by spaces, from the configuration alone."""
    return _options(values, max(1, len(spec.classes)), is_unspaced=False)


def encoding_seconds(spec: DataSpec, options: TermOptions) -> float:
    """Return the seconds it takes to learn the terms and to count them in all rows on one common core."""
    mean = min(spec.shape[1], options.longest)
    total = spec.rows * mean
    learned = min(total, MOST_CHARACTERS)
    return 0.02 + sum((total * _COUNTING[part.of] + learned * _LEARNING[part.of]) * _sizes(part.low, part.high, part.of)
                      for part in options.parts)  # fmt: skip


def terms_per_row(spec: DataSpec, options: TermOptions) -> float:
    """Return how many different terms a text has, about."""
    mean = min(spec.shape[1], options.longest)
    return 1 + sum(mean * _FOUND[part.of] * _sizes(part.low, part.high, part.of) for part in options.parts)


def _sizes(low: int, high: int, of: str) -> float:
    """Return how many lengths of runs there are, as a share of the two of words or four of characters measured."""
    return (high - low + 1) / (2 if of == "words" else 4)
