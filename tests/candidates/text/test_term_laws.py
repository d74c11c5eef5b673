"""Terms, their weights and what is learned from them agree with scikit-learn, with plain loops and with the graph."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from scipy.optimize import minimize
from scipy.sparse import csr_array
from scipy.special import softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.naive_bayes import ComplementNB, MultinomialNB

from automl.candidates.encoding_cache import cache_key, read_array, read_json, write_array, write_json
from automl.candidates.graphs.onnx_terms import constant_probabilities, linear_terms
from automl.candidates.text.encoding import EncodedTerms, TermOptions, encoded_terms, sampled
from automl.candidates.text.linear_terms import Linear, OneAgainstRest, Ridge, Rows, fitted_scaling, log_ratios
from automl.candidates.text.naive_bayes import Counted
from automl.candidates.text.term_choice import MOST_WEIGHTS, chosen_terms, expected_options
from automl.candidates.text.vocabulary import LearnedPart, PartOptions, learned_part
from automl.serving.text_encoder import TextEncoder
from automl.serving.text_terms import Counts, packed
from automl.serving.text_tokens import spaced, words
from automl.serving.texts import Texts
from automl.testing.context import ArrayData, LocalContext, spoken_texts, text_table

ROWS, LEARNED = np.arange(90), np.arange(0, 90, 2)
TALK = ["Good", "bad", "don't", "no", "\u00e9t\u00e9", "\u0434\u0430", "a", "I", "x2", "!!", "?", "\u732b\u3067", ":-)"]


def random_texts(seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return ["", *(str(rng.choice([" ", "  ", "\n"])).join(rng.choice(TALK, rng.integers(0, 12))) for _ in ROWS[1:])]


def said(texts: list[str]) -> ArrayData:
    return dataclasses.replace(spoken_texts(len(ROWS)), X=text_table(texts))


def context(folder: Path, rows: np.ndarray = LEARNED) -> LocalContext:
    return LocalContext(rows, np.setdiff1d(ROWS, rows), 3, folder)


def columns(encoded: EncodedTerms) -> dict[str, np.ndarray]:
    """The weights of each term in all rows, of plans of one part."""
    terms = encoded.plan["parts"][0]["terms"]
    return dict(zip(terms, encoded.X.toarray().T, strict=True))


def peer_columns(texts: list[str], **values: Any) -> dict[str, np.ndarray]:
    peer = TfidfVectorizer(token_pattern=None if "tokenizer" in values else r"(?u)\b\w\w+\b", **values)
    peer.fit([texts[row] for row in LEARNED])
    return dict(zip(peer.get_feature_names_out(), peer.transform(texts).toarray().T, strict=True))


def assert_same_columns(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> None:
    assert sorted(ours) == sorted(theirs)
    names = sorted(ours)
    np.testing.assert_allclose([ours[name] for name in names], [theirs[name] for name in names], rtol=2e-5, atol=1e-6)


WEIGHED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "counts": ({"counting": "raw", "idf": False, "norm": "none"}, {"use_idf": False, "norm": None}),
    "logarithms": ({"counting": "log", "idf": False}, {"sublinear_tf": True, "use_idf": False}),
    "once": ({"counting": "once", "idf": False}, {"binary": True, "use_idf": False}),
    "rare ones weigh more": ({"counting": "raw", "norm": "none"}, {"norm": None}),
    "defaults": ({}, {"sublinear_tf": True}),
    "once and normed together": ({"counting": "once", "norm": "all"}, {"binary": True}),
}


@pytest.mark.parametrize(("ours", "theirs"), WEIGHED.values(), ids=WEIGHED.keys())
@pytest.mark.parametrize(("high", "least", "marks"), [(1, 1, False), (2, 2, True), (3, 1, True)], ids=str)
def test_words_weigh_what_scikit_learn_says(
    tmp_path: Path, ours: dict[str, Any], theirs: dict[str, Any], high: int, least: int, marks: bool
) -> None:
    texts = random_texts()
    options = TermOptions((PartOptions("words", 1, high, marks=marks, least=least),), **ours)
    tokenizer = partial(words, lower=False, marks=marks)
    peers = peer_columns(texts, tokenizer=tokenizer, ngram_range=(1, high), min_df=least, **theirs)
    assert_same_columns(columns(encoded_terms(said(texts), context(tmp_path), options)), peers)


@pytest.mark.parametrize(("ours", "theirs"), WEIGHED.values(), ids=WEIGHED.keys())
@pytest.mark.parametrize(("low", "high", "least"), [(2, 2, 1), (2, 5, 3), (3, 4, 1)], ids=str)
def test_characters_within_words_weigh_what_scikit_learn_says(
    tmp_path: Path, ours: dict[str, Any], theirs: dict[str, Any], low: int, high: int, least: int
) -> None:
    texts = random_texts(1)
    options = TermOptions((PartOptions("characters", low, high, least=least),), **ours)
    peers = peer_columns(texts, analyzer="char_wb", ngram_range=(low, high), min_df=least, **theirs)
    assert_same_columns(columns(encoded_terms(said(texts), context(tmp_path), options)), peers)


@pytest.mark.parametrize("lower", [True, False], ids=["small", "as they are"])
def test_characters_over_spaces_weigh_what_scikit_learn_says(tmp_path: Path, lower: bool) -> None:
    texts = random_texts(2)
    options = TermOptions((PartOptions("characters", 2, 4, inside=False),), lower=lower)
    preprocessor = partial(spaced, lower=lower)
    peers = peer_columns(texts, analyzer="char", preprocessor=preprocessor, ngram_range=(2, 4), sublinear_tf=True)
    assert_same_columns(columns(encoded_terms(said(texts), context(tmp_path), options)), peers)


PARTS = (PartOptions("words", 1, 2, marks=True, edges=True, least=2), PartOptions("characters", 2, 4, least=2))


def test_two_parts_normed_together_are_both_alone_divided_by_one_norm(tmp_path: Path) -> None:
    data = said(random_texts(3))
    alone = [encoded_terms(data, context(tmp_path), TermOptions((part,), norm="none")).X.toarray() for part in PARTS]
    both = encoded_terms(data, context(tmp_path), TermOptions(PARTS, norm="all")).X.toarray()
    norms = np.linalg.norm(np.hstack(alone), axis=1, keepdims=True)
    np.testing.assert_allclose(both * norms, np.hstack(alone), rtol=1e-5, atol=1e-6)


def test_two_parts_normed_each_are_the_parts_alone(tmp_path: Path) -> None:
    data = said(random_texts(3))
    alone = [encoded_terms(data, context(tmp_path), TermOptions((part,))).X.toarray() for part in PARTS]
    both = encoded_terms(data, context(tmp_path), TermOptions(PARTS)).X.toarray()
    np.testing.assert_array_equal(both, np.hstack(alone))


@pytest.mark.parametrize("most", [1, 10, 77], ids=str)
def test_of_too_many_terms_the_most_frequent_are_left_as_they_were(tmp_path: Path, most: int) -> None:
    data, options = said(random_texts(4)), TermOptions(PARTS[:1], norm="none", idf=False, counting="raw")
    every = columns(encoded_terms(data, context(tmp_path), options))
    kept = columns(encoded_terms(data, context(tmp_path), dataclasses.replace(options, most=most)))
    frequency = {term: int((values[LEARNED] > 0).sum()) for term, values in every.items()}
    dropped = [frequency[term] for term in every if term not in kept]
    assert len(kept) == most
    assert min(frequency[term] for term in kept) >= max(dropped)
    assert all((every[term] == values).all() for term, values in kept.items())


def test_the_order_and_doubles_of_training_rows_change_nothing(tmp_path: Path) -> None:
    data = said(random_texts(5))
    first = encoded_terms(data, context(tmp_path / "a"), TermOptions(PARTS))
    mixed = np.random.default_rng(0).permutation(np.append(LEARNED, LEARNED[:9]))
    second = encoded_terms(data, context(tmp_path / "b", mixed), TermOptions(PARTS))
    assert first.plan == second.plan
    np.testing.assert_array_equal(first.X.toarray(), second.X.toarray())


def test_a_plan_from_a_file_gives_the_stored_rows_to_the_last_bit(tmp_path: Path) -> None:
    data = said(random_texts(6))
    encoded = encoded_terms(data, context(tmp_path), TermOptions(PARTS, norm="all"))
    write_json(tmp_path / "plan.json", encoded.plan)
    out = TextEncoder(read_json(tmp_path / "plan.json")).compute(data.X)
    np.testing.assert_array_equal(out, encoded.batch(ROWS))


def runs_in(text: str, options: PartOptions) -> Counter[str]:
    tokens = words(text, marks=options.marks) if options.of == "words" else list(spaced(text))
    sizes = range(options.low, options.high + 1)
    every = [tokens[i : i + size] for size in sizes for i in range(len(tokens) - size + 1)]
    inside = options.inside and options.of == "characters"
    kept = [run for run in every if run != [" "] and not (inside and " " in run[1:-1])]
    return Counter((" " if options.of == "words" else "").join(run) for run in kept)


def counts_of(part: LearnedPart) -> list[dict[str, float]]:
    """How often each text has each of its terms."""
    rows = list(zip(part.counts.ends[:-1], part.counts.ends[1:], strict=True))
    names = [[part.terms[place] for place in part.counts.ids[start:end]] for start, end in rows]
    values = [part.counts.values[start:end].tolist() for start, end in rows]
    return [dict(zip(*row, strict=True)) for row in zip(names, values, strict=True)]


@pytest.mark.parametrize("least", [1, 2, 9], ids=str)
@pytest.mark.parametrize("of", ["words", "characters", "across"])
def test_a_vocabulary_and_its_counts_are_those_of_a_plain_loop(of: str, least: int) -> None:
    kind: Any = "words" if of == "words" else "characters"
    options, texts = PartOptions(kind, 1, 3, inside=of != "across", least=least), random_texts(7)
    part = learned_part(Texts.of(texts), LEARNED, [texts[r] for r in LEARNED], options, lower=True, longest=999)
    counts = [runs_in(text, options) for text in texts]
    frequency = Counter(run for row in LEARNED for run in counts[row])
    known = {run: count for run, count in frequency.items() if count >= least}
    assert dict(zip(part.terms, part.frequency.tolist(), strict=True)) == known
    assert counts_of(part) == [{run: count for run, count in row.items() if run in known} for row in counts]


@pytest.mark.parametrize("most", [1, 8, 30], ids=str)
def test_a_part_keeps_the_terms_that_most_texts_have(most: int) -> None:
    options, texts = PartOptions("words", 1, 1, marks=True), ["a b c d", "a b c", "a b b b b", "a e", *random_texts(8)]
    rows, found = np.arange(4 + len(ROWS)), []
    for part in (options, dataclasses.replace(options, most=most)):
        found.append(learned_part(Texts.of(texts), rows, texts, part, lower=True, longest=999).frequency)
    assert sorted(found[1], reverse=True) == sorted(found[0], reverse=True)[:most]


def test_texts_are_sampled_once_each_in_the_same_order() -> None:
    texts = [f"text {row}" for row in ROWS]
    first, second = (list(sampled(Texts.of(texts), LEARNED)) for _ in range(2))
    assert first == second != [texts[row] for row in LEARNED]
    assert sorted(first) == sorted(texts[row] for row in LEARNED)


def learned_rows(classes: int, *, weighted: bool = False, seed: int = 0) -> Rows:
    rng = np.random.default_rng(seed)
    codes = np.append(np.arange(classes), rng.integers(0, classes, 60 - classes))
    X = rng.poisson(0.3, (60, 9)) + rng.poisson(0.9, (60, 9)) * (np.arange(9) % classes == codes[:, None])
    weights = rng.uniform(0.2, 3.0, 60) if weighted else None
    return Rows(csr_array(X.astype(np.float32)), codes, weights, classes)


@pytest.mark.parametrize("weighted", [False, True], ids=["alike", "weighted"])
@pytest.mark.parametrize(("classes", "smoothing"), list(product([2, 4], [0.01, 1.0])), ids=str)
def test_multinomial_bayes_scores_as_scikit_learn_does(classes: int, smoothing: float, weighted: bool) -> None:
    rows = learned_rows(classes, weighted=weighted)
    found = Counted("multinomial", smoothing)(rows)
    peer = MultinomialNB(alpha=smoothing, class_prior=np.exp(found.bias)).fit(rows.X, rows.codes, rows.weights)
    np.testing.assert_allclose(found.scores(rows.X), peer.predict_joint_log_proba(rows.X), rtol=1e-5)
    np.testing.assert_allclose(np.exp(found.bias), (peer.class_count_ + 1) / (peer.class_count_ + 1).sum())


@pytest.mark.parametrize("weighted", [False, True], ids=["alike", "weighted"])
@pytest.mark.parametrize(("classes", "smoothing"), list(product([2, 4], [0.01, 1.0])), ids=str)
def test_complement_bayes_scores_as_scikit_learn_does(classes: int, smoothing: float, weighted: bool) -> None:
    rows = learned_rows(classes, weighted=weighted)
    found = Counted("complement", smoothing)(rows)
    peer = ComplementNB(alpha=smoothing, norm=True).fit(rows.X, rows.codes, rows.weights)
    np.testing.assert_allclose(found.weights, peer.feature_log_prob_.T, rtol=1e-5)
    assert (found.scores(rows.X).argmax(axis=1) == peer.predict(rows.X)).all()


def objective(model: np.ndarray, rows: Rows, loss: str, cost: float) -> float:
    """What the machine of two classes minimises: (terms + 1,) weights and bias."""
    margins = (rows.X @ model[:-1] + model[-1]) * (2 * rows.codes - 1)
    losses = np.logaddexp(0, -margins) if loss == "logistic" else np.maximum(0, 1 - margins) ** 2
    return float(model @ model / 2 + cost * (rows.shares @ losses))


@pytest.mark.parametrize("weighted", [False, True], ids=["alike", "weighted"])
@pytest.mark.parametrize("cost", [0.1, 3.0], ids=str)
@pytest.mark.parametrize("loss", ["hinge", "logistic"])
def test_a_machine_comes_near_the_least_of_its_objective(loss: Any, cost: float, weighted: bool) -> None:
    rows = learned_rows(2, weighted=weighted)
    found = OneAgainstRest(loss, cost, None, 0)(rows)
    model = np.append(found.weights[:, 1] - found.weights[:, 0], found.bias[1] - found.bias[0])
    least = minimize(objective, np.zeros(10), (rows, loss, cost)).fun
    assert least * 0.999 <= objective(model, rows, loss, cost) <= least * 1.02


def test_ratios_multiply_the_terms_before_and_the_weights_after() -> None:
    rows = learned_rows(2)
    ratios = log_ratios(rows.sums(), 1, 0.5)
    by_hand = OneAgainstRest("hinge", 1.0, None, 3)(rows._replace(X=csr_array(rows.X.toarray() * ratios)))
    found = OneAgainstRest("hinge", 1.0, 0.5, 3)(rows)
    np.testing.assert_allclose(found.weights, by_hand.weights * ratios[:, None], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.bias, by_hand.bias, rtol=1e-4)


@pytest.mark.parametrize("smoothing", [0.01, 1.0, 10.0], ids=str)
def test_ratios_of_two_classes_are_opposite(smoothing: float) -> None:
    sums = learned_rows(2, weighted=True).sums()
    np.testing.assert_allclose(log_ratios(sums, 0, smoothing), -log_ratios(sums, 1, smoothing))


def test_a_row_of_weight_two_is_two_rows_to_a_ridge() -> None:
    rows = learned_rows(3)
    twice = np.append(np.arange(60), np.arange(20))
    copied = Ridge(2.0)(Rows(rows.X[twice], rows.codes[twice], None, 3))
    weighed = Ridge(2.0)(rows._replace(weights=np.where(np.arange(60) < 20, 2.0, 1.0)))
    np.testing.assert_allclose(weighed.scores(rows.X), copied.scores(rows.X), atol=0.01)


@pytest.mark.parametrize("by", [0.001, 50.0], ids=str)
def test_a_scaling_undoes_the_scale_and_the_height_of_scores(by: float) -> None:
    rng = np.random.default_rng(0)
    scores, codes = rng.normal(size=(80, 3)), rng.integers(0, 3, 80)
    plain = fitted_scaling(scores, codes, None)
    other = fitted_scaling(by * (scores + rng.normal(size=(80, 1))), codes, None)
    assert other.slope * by == pytest.approx(plain.slope, rel=0.01)
    np.testing.assert_allclose(other.bias, plain.bias, atol=0.01)


def run(graph: bytes, X: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    out: np.ndarray = session.run(None, {"input": X})[0]
    return out


def packed_rows(X: csr_array, more: int = 0) -> np.ndarray:
    out = packed([Counts(X.indptr.astype(np.int64), X.indices.astype(np.int32), X.data)], [1])
    return np.pad(out, ((0, 0), (0, 0), (0, more)))


def random_linear(classes: int, seed: int = 0) -> Linear:
    rng = np.random.default_rng(seed)
    return Linear(rng.normal(size=(9, classes)).astype(np.float32), rng.normal(size=classes))


@pytest.mark.parametrize("absent", [(), (0,), (1, 3)], ids=["none", "first", "two"])
def test_a_graph_gives_the_softmax_of_scores_in_numpy(absent: tuple[int, ...]) -> None:
    present = ~np.isin(np.arange(5), absent)
    model, X = random_linear(int(present.sum())), learned_rows(3).X
    expected = np.zeros((60, 5))
    expected[:, present] = softmax(model.scores(X), axis=1)
    out = run(linear_terms(model.weights, model.bias, present), packed_rows(X))
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-7)


def test_a_graph_does_not_mind_padding_nor_the_order_of_terms() -> None:
    model, X = random_linear(3), learned_rows(3).X
    graph, rows = linear_terms(model.weights, model.bias, np.ones(3, bool)), packed_rows(X, more=7)
    expected = run(graph, packed_rows(X))
    mixed = rows[:, :, np.random.default_rng(1).permutation(rows.shape[2])]
    np.testing.assert_allclose(run(graph, rows), expected, rtol=1e-5)
    np.testing.assert_allclose(run(graph, mixed), expected, rtol=1e-5)


def test_a_graph_gives_each_row_of_a_batch_what_it_has_alone() -> None:
    model, rows = random_linear(3), packed_rows(learned_rows(3).X)
    graph = linear_terms(model.weights, model.bias, np.ones(3, bool))
    alone = np.concatenate([run(graph, rows[place : place + 1]) for place in range(12)])
    np.testing.assert_allclose(run(graph, rows[:12]), alone, rtol=1e-5)


def test_a_constant_is_the_answer_even_to_what_is_infinite() -> None:
    shares = np.array([0.1, 0.2, 0.7])
    out = run(constant_probabilities(shares, 3), np.full((4, 2, 6), np.inf, np.float32))
    assert out.tolist() == [shares.astype(np.float32).tolist()] * 4


CHOICES = {
    "terms": ["words", "characters", "both"], "marks": ["kept", "dropped"], "edges": ["marked", "none"],
    "idf": ["smooth", "none"], "norm": ["each", "all"], "case": ["lower", "kept"], "least": [1, 3],
}  # fmt: skip


def test_where_words_are_spaced_what_is_expected_is_chosen(tmp_path: Path) -> None:
    ctx, data = context(tmp_path), spoken_texts(len(ROWS))
    for values in product(*CHOICES.values()):
        named = {"words": 2, "characters": 5, "counting": "log", **dict(zip(CHOICES, values, strict=True))}
        assert chosen_terms(data, ctx, named) == expected_options(data.spec, named)
    assert ctx.notes == {}


def test_a_graph_stays_small_for_any_number_of_classes() -> None:
    spec, values = spoken_texts(9).spec, {"terms": "both", "words": 2, "characters": 5, "least": 1}
    every = [dataclasses.replace(spec, classes=tuple(map(str, range(n)))) for n in (2, 3, 79, 80, 81, 500, 9000)]
    options = [expected_options(each, values) for each in every]
    assert all(o.most * len(each.classes) <= MOST_WEIGHTS for o, each in zip(options, every, strict=True))
    assert [o.longest for o in options] == sorted((o.longest for o in options), reverse=True)


def test_a_file_stays_as_it_was_where_a_second_write_fails(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", [1])
    with pytest.raises(ValueError, match="Out of range"):
        write_json(tmp_path / "a.json", [float("inf")])
    assert json.loads((tmp_path / "a.json").read_bytes()) == [1]
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.uint8], ids=["float32", "int64", "uint8"])
def test_a_stored_array_is_read_only_and_keeps_its_shape(tmp_path: Path, dtype: type) -> None:
    write_array(tmp_path / "a.npy", np.arange(6, dtype=dtype).reshape(2, 3))
    found = read_array(tmp_path / "a.npy")
    assert (found.shape, found.dtype, found.flags.writeable) == ((2, 3), np.dtype(dtype), False)


def test_names_in_a_cache_tell_rows_and_parts_apart() -> None:
    data = spoken_texts(9)
    every = [(np.array(rows), part) for rows in ([0], [0, 1], [1, 0], [256]) for part in (1, "1", [1], {"a": 1}, None)]
    assert len({cache_key(data, rows, part) for rows, part in every}) == len(every)
