from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from automl.candidates.text.text_network_cost import bag_work, cnn_work, kernels
from automl.candidates.text.token_reader import READER, token_options
from automl.candidates.training.entrance_tokens import TokenEntrance
from automl.errors import UserError
from automl.serving.text_encoder import TextEncoder
from automl.testing.context import LocalContext, spoken_texts

DATA = spoken_texts(90)
VALUES: dict[str, Any] = {"embedding": 8}


def context(folder: Path, **resources: Path) -> LocalContext:
    return LocalContext(np.arange(60), np.arange(60, 90), 3, folder / "cache", resources=resources)


def entrance(folder: Path, values: dict[str, Any] = VALUES, **resources: Path) -> TokenEntrance:
    made = READER.encoding(values, DATA, context(folder, **resources)).make_entrance(np.arange(60))
    assert isinstance(made, TokenEntrance)
    return made


def vectors(folder: Path) -> Path:
    path = folder / "vectors.txt"
    path.write_text("good 30 10 20\nbad -30 -10 -20\nunheard 1 2 3\n", encoding="utf-8")
    return path


def test_steps_are_what_serving_gives(tmp_path: Path) -> None:
    encoding = READER.encoding(VALUES, DATA, context(tmp_path))
    served = TextEncoder(encoding.plan).compute(DATA.X)
    assert encoding.lengths.tolist() == (served > 0).sum(axis=1).tolist()
    assert encoding.values[encoding.starts[7] : encoding.ends[7]].tolist() == served[7][served[7] > 0].tolist()
    assert encoding.row_shape == ("steps",)


def test_embeddings_are_drawn_from_the_seed(tmp_path: Path) -> None:
    one, two = entrance(tmp_path), entrance(tmp_path)
    assert torch.equal(one.table, two.table)
    assert one.table.shape[1] == 8
    assert 0.08 < float(one.table.detach()[1:].std()) < 0.12


def test_pairs_have_embeddings_where_they_are_asked_for(tmp_path: Path) -> None:
    assert entrance(tmp_path).pairs is None
    made = entrance(tmp_path, {**VALUES, "pairs": 5, "word_dropout": 0.2})
    assert made.pairs is not None
    assert (len(made.pairs), made.drop) == (6, 0.2)


def test_words_begin_as_the_vectors_that_the_user_names(tmp_path: Path) -> None:
    ctx = context(tmp_path, vectors=vectors(tmp_path))
    encoding = READER.encoding(VALUES, DATA, ctx)
    table = encoding.make_entrance(np.arange(60)).get_parameter("table").detach().numpy()
    good, bad = (encoding.plan["terms"].index(word) + 3 for word in ("good", "bad"))
    np.testing.assert_allclose(table[good] / table[good, 0], [1, 1 / 3, 2 / 3], rtol=1e-5)
    np.testing.assert_allclose(table[bad], -table[good], rtol=1e-5)
    assert table.shape[1] == 3
    assert ctx.notes["vectors"].startswith("2 of ")


def test_vectors_are_read_once(tmp_path: Path) -> None:
    path = vectors(tmp_path)
    first = entrance(tmp_path, vectors=path)
    about = path.stat()
    path.write_bytes(b"x" * about.st_size)
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert torch.equal(entrance(tmp_path, vectors=path).table, first.table)


def test_a_malformed_file_of_vectors_is_the_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_text("good one two\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"bad.txt: line 1: 2 numbers are expected"):
        READER.encoding(VALUES, DATA, context(tmp_path, vectors=tmp_path / "bad.txt"))


def test_the_size_is_guessed_within_a_factor_of_two(tmp_path: Path) -> None:
    guessed = READER.size(VALUES, DATA.spec)
    true = READER.encoding(VALUES, DATA, context(tmp_path)).lengths.mean()
    assert true / 2 < guessed.steps < 2 * true
    assert guessed.width == 8


def test_longer_texts_take_longer_until_they_are_cut() -> None:
    short, long = ({**VALUES, "longest": longest} for longest in (2, 256))
    assert READER.size(short, DATA.spec).steps == 2 < READER.size(long, DATA.spec).steps


def test_options_have_defaults() -> None:
    options = token_options({})
    assert (options.lower, options.marks, options.longest, options.most) == (True, True, 256, 30_000)


def test_work_grows_with_what_is_done() -> None:
    small = cnn_work({"filters": 8, "kernels": "2,3", "blocks": 1}, 16, 10)
    assert small.macs == 10 * 8 * 16 * 5
    assert cnn_work({"filters": 8, "kernels": "2,3", "blocks": 2}, 16, 10).macs > small.macs
    assert bag_work({"pooling": "mean", "hidden": 0}, 16, 10).macs == 0
    assert bag_work({"pooling": "attention", "hidden": 4}, 16, 10).macs == 64 + 320


def test_kernels_are_a_list_of_numbers() -> None:
    assert kernels({"kernels": "1,2,5"}) == (1, 2, 5)
