from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from automl.candidates.pretrained.bert_files import MINILM, config_of, network_of, token_plan
from automl.candidates.pretrained.weights import Weights, find
from automl.errors import UserError
from automl.serving.text_wordpiece import WordPiece
from automl.testing.tiny_bert import vocabulary, write_bert


def weights_in(folder: Path) -> Weights:
    found = find(MINILM, {"weights": folder})
    assert found is not None
    return found


def tokenizer(**changed: Any) -> dict[str, Any]:
    places = {piece: number for number, piece in enumerate(vocabulary(["hello"]))}
    model = {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "vocab": places,
             "max_input_chars_per_word": 100}  # fmt: skip
    normalizer = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
                  "lowercase": True}  # fmt: skip
    parts = {"model": model, "normalizer": normalizer}
    for name, value in changed.items():
        part, _, key = name.partition("__")
        parts[part] = {**parts[part], key: value}
    return parts


def test_the_two_forms_of_a_vocabulary_give_the_same_plan(tmp_path: Path) -> None:
    weights = weights_in(write_bert(tmp_path, ["hello"]))
    plain = token_plan(weights, 32)
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer()))
    assert token_plan(weights, 32) == plain
    assert WordPiece(plain).tokens("Hello") == [2, plain["vocabulary"].index("hello"), 3]


def test_a_text_is_never_longer_than_the_encoder_reads(tmp_path: Path) -> None:
    assert token_plan(weights_in(write_bert(tmp_path)), 1000)["longest"] == 48


@pytest.mark.parametrize(
    ("options", "lower", "accents"),
    [({}, True, False), ({"do_lower_case": False}, False, True),
     ({"do_lower_case": True, "strip_accents": False}, True, True)],
    ids=["nothing said", "capital letters", "accents"],
)  # fmt: skip
def test_options_stand_beside_a_plain_vocabulary(
    options: dict[str, Any], lower: bool, accents: bool, tmp_path: Path
) -> None:
    weights = weights_in(write_bert(tmp_path))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(options))
    plan = token_plan(weights, 32)
    assert (plan["lower"], plan["accents"]) == (lower, accents)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"model__type": "BPE"}, "type must be 'WordPiece'. Got 'BPE'"),
        ({"model__continuing_subword_prefix": "@@"}, "continuing_subword_prefix must be '##'"),
        ({"normalizer__type": "Lowercase"}, "type must be 'BertNormalizer'"),
        ({"normalizer__clean_text": False}, "clean_text must be True. Got 'False'"),
        ({"normalizer__lowercase": "yes"}, "lower must be true or false"),
        ({"model__vocab": {"[PAD]": 0, "a": 2}}, "must number its pieces 0, 1"),
        ({"model__vocab": {"[PAD]": 0, "a": "b"}}, "must number its pieces 0, 1"),
        ({"model__vocab": {"a": 0, "b": 1}}, "a vocabulary with \\[PAD\\] first"),
        ({"model__vocab": 3}, "vocab must be an object. Got '3'"),
        ({"model__vocab": {piece: n for n, piece in enumerate(vocabulary("\u4f60\u597d"))}}, "at most vocab_size"),
    ],
)
def test_a_tokenizer_of_another_kind_is_refused(changed: dict[str, Any], said: str, tmp_path: Path) -> None:
    weights = weights_in(write_bert(tmp_path, ["hello"]))
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer(**changed)))
    with pytest.raises(UserError, match=said):
        token_plan(weights, 32)


@pytest.mark.parametrize(
    ("text", "said"),
    [("[]", "a JSON object is needed. Got list"), ("{", "Expecting"), ("[" * 100_000, "not as deep")],
    ids=["a list", "half", "deep"],
)
def test_a_tokenizer_that_is_no_json_object_is_refused(text: str, said: str, tmp_path: Path) -> None:
    weights = weights_in(write_bert(tmp_path))
    (tmp_path / "tokenizer.json").write_text(text)
    with pytest.raises(UserError, match=said):
        token_plan(weights, 32)


def test_weights_without_a_vocabulary_are_refused(tmp_path: Path) -> None:
    weights = weights_in(write_bert(tmp_path))
    (tmp_path / "vocab.txt").unlink()
    with pytest.raises(UserError, match=r"tokenizer.json or vocab.txt is needed beside the weights. Got neither"):
        token_plan(weights, 32)


def test_an_encoder_is_read_from_a_folder(tmp_path: Path) -> None:
    weights = weights_in(write_bert(tmp_path))
    assert network_of(weights).config == config_of(weights)


def test_a_configuration_that_does_not_fit_the_weights_is_refused(tmp_path: Path) -> None:
    folder = write_bert(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "hidden_size": 32}))
    with pytest.raises(UserError, match=r"model.safetensors: weights: .* together"):
        network_of(weights_in(folder))


def test_a_configuration_without_a_size_is_refused(tmp_path: Path) -> None:
    (write_bert(tmp_path) / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(UserError, match=r"vocab_size must be a whole number .* Got None"):
        config_of(weights_in(tmp_path))


@pytest.mark.parametrize(
    "token", ["[UNK]", {"content": "[UNK]", "lstrip": False, "__type": "AddedToken"}], ids=["text", "object"]
)
def test_the_unknown_piece_is_a_text_or_an_object(token: object, tmp_path: Path) -> None:
    weights = weights_in(write_bert(tmp_path))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"unk_token": token}))
    assert token_plan(weights, 32)["unknown"] == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"unk_token": None}, "unk_token must be a text, or an object with one as content. Got None"),
        ({"unk_token": ["[UNK]"] * 10_000}, r"unk_token must be a text, .* Got \['\[UNK\]'"),
        ({"unk_token": {"content": 3}}, r"unk_token must be a text, .* Got \{'content': 3\}"),
        ({"unk_token": "x" * 10_000}, "a vocabulary with .PAD. first and xxx"),
        ({"strip_accents": "no"}, "strip_accents must be true, false or null. Got 'no'"),
    ],
    ids=["null", "list", "number within", "long", "strip"],
)
def test_options_of_another_kind_are_refused_in_a_short_line(
    options: dict[str, Any], said: str, tmp_path: Path
) -> None:
    weights = weights_in(write_bert(tmp_path))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(options))
    with pytest.raises(UserError, match=said) as caught:
        token_plan(weights, 32)
    assert len(str(caught.value)) < 500 + len(str(tmp_path))


def test_a_vocabulary_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    weights = weights_in(write_bert(tmp_path))
    plain = token_plan(weights, 32)
    path = tmp_path / "vocab.txt"
    path.write_text("\ufeff" + path.read_text(encoding="utf-8"), encoding="utf-8")
    assert token_plan(weights, 32) == plain


@pytest.mark.parametrize("name", ["hidden_act", "hidden_size", "layer_norm_eps"])
def test_a_long_value_of_a_configuration_is_cut(name: str, tmp_path: Path) -> None:
    path = write_bert(tmp_path) / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), name: "x" * 100_000}))
    with pytest.raises(UserError, match=rf"config.json: {name} must .* Got 'xxx") as caught:
        config_of(weights_in(tmp_path))
    assert len(str(caught.value)) < 300 + len(str(tmp_path))
