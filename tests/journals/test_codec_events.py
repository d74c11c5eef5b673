"""Each event through text and back, with every optional field, odd number and odd letter."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import replace

import numpy as np
import pytest

from automl.core.data import DataSpec, Finding
from automl.core.events import (
    EVENT_TYPES,
    Decided,
    Event,
    Exported,
    JobEnded,
    JobPlanned,
    PhaseChanged,
    Planned,
    ProposalSkipped,
    Registered,
    Resumed,
    RunEnded,
    Ticked,
    TrialStopped,
    Warned,
    Winner,
)
from automl.core.events import TestScore as ScoreOnTest
from automl.core.job import REFIT_FOLD, Cost, FileRef, Job, JobResult, Lease, Member, MemberResult, StopRule
from automl.core.space import Configuration
from automl.errors import RunError
from automl.journals.codec import GENESIS, chain, decode, encode
from automl.testing.history_builder import run_started
from automl.testing.journal_suite import one_of_each

CNN = Configuration("cnn", {"lr": 0.1, "depth": 3, "norm": True, "act": "relu"})
JOB = Job(7, (Member(1, 0, CNN), Member(1, 1, CNN, "members/t00001-f1/r0")), 2, 3, 9, 27)
WINNER = Winner("single", "cnn", {0: 1.0}, 0.9, 0.01, 0.89, 0.8, 0.95, None)
DONE = MemberResult(1, 0, "done", 0.5)
STARTED = run_started()

VARIANTS: dict[str, Event] = {
    "a regression without classes": replace(STARTED, spec=DataSpec("x", "image", 5, (4,), (), (), "00" * 32)),
    "findings of both levels": replace(STARTED, findings=(Finding("a", "info", "x"), Finding("b", "warning", "ü"))),
    "a portfolio": replace(STARTED, portfolio=(CNN, Configuration("baseline", {}))),
    "a gpu": replace(STARTED, device="gpu", slots=8),
    "the greatest seed": replace(STARTED, seed=2**63 - 1),
    "a calibrated winner": Decided(replace(
        WINNER, calibration={"kind": "isotonic", "x": [0.0, 0.25, 1.0], "y": [1e-6, 0.5, 0.999]},
        decision={"weights": [1.0, 3.5]}), "artifacts/0001", "00" * 32, None, 1.0),
    "a test set": replace(STARTED, test_folder="cache/ab", test_rows=360),
    "a request with everything": replace(STARTED, request=replace(
        STARTED.request, data="a", test="b", budget="1h,3trials", metric="log_loss", folds=3, workers=2, gpus=0,
        engine="local", space=("x.toml", "y"), include=("cnn",), exclude=("gbdt",), deploy="refit",
        max_latency_ms=2.5, name="n", out="o", tracking_uri="none", searcher="random", scheduler="full")),
    "class names of all kinds": replace(STARTED, spec=replace(
        STARTED.spec, classes=("", "a,b", 'quo"te', "new\nline", "日本", "😀"), class_counts=(1,) * 6)),
    "what serving needs": replace(STARTED, spec=replace(
        STARTED.spec, input={"size": [8, 8], "mean": 0.5, "mode": "RGB", "grey": False})),
    "no candidate fits": Planned({}, {}, 0.0),
    "a plan with findings": Planned({"cnn": 1}, {"cnn": Cost(0.0, 0.0, 1 << 40)}, 1e9, (Finding("a", "info", "x"),)),
    "a job of two members": JobPlanned(JOB, 1.0),
    "a refit": JobPlanned(replace(JOB, members=(Member(1, REFIT_FOLD, CNN),), purpose="refit"), 1.0),
    "a probe": JobPlanned(replace(JOB, purpose="probe"), 1.0),
    "a retry on a share of a gpu": JobPlanned(replace(JOB, attempt=1, lease=Lease("gpu", 0.25, 90.0)), 1.0),
    "an endless lease": JobPlanned(replace(JOB, lease=Lease(seconds=math.inf)), 1.0),
    "a stop rule for losses": JobPlanned(replace(JOB, stop_rule=StopRule(3, False)), 1.0),
    "a share of the rows": JobPlanned(replace(JOB, rows=0.1, keep_model=True), 1.0),
    "a listed configuration": JobPlanned(JOB, 1.0, CNN, "portfolio", 0.001),
    "a configuration without values": JobPlanned(JOB, 1.0, Configuration("baseline", {})),
    "an interrupted job": JobEnded(JobResult(7, (), 0.0, is_interrupted=True), 2.0, 0.0),
    "a member without a score": JobEnded(JobResult(7, (MemberResult(1, 0, "lost"),), 1.0), 2.0, 1.0),
    "a failure with its traceback": JobEnded(JobResult(7, (replace(
        DONE, outcome="error", score=None, message="boom", traceback="Traceback:\n  x\nboom"),), 1.0), 2.0, 1.0),
    "curves": JobEnded(JobResult(7, (replace(
        DONE, curve=((1, 0.1), (2, math.inf)), train_curve=((1, 2.3),), steps=2, best_step=1),), 1.0), 2.0, 1.0),
    "files": JobEnded(JobResult(7, (replace(
        DONE, files=(FileRef("members/ü/model.onnx", "ab" * 32, 2**40),)),), 1.0, "gpu0"), 2.0, 1.0),
    "cost and notes": JobEnded(JobResult(7, (replace(
        DONE, cost=Cost(0.1, 0.2, 5), latency_ms=0.3, notes={"precision": "bf16", "": ""}),), 1.0), 2.0, 1.0),
    "an infinite score": JobEnded(JobResult(7, (replace(DONE, score=-math.inf),), 1.0), 2.0, 1.0),
    "a stop without a reason": TrialStopped(0, "", 3.0),
    "a skipped proposal": ProposalSkipped(CNN, 12.5, 3.0),
    "a tick at zero": Ticked(0.0),
    "an artifact of an ensemble": Exported("artifacts/0002", "cd" * 32, (1, 2, 3), -0.5, 0.1, 4.0),
    "a change of phase": PhaseChanged("searching", "more budget", 5.0),
    "a warning of many lines": Warned("mlflow", "a\r\nb\tc\x00d\u2028e", 5.0),
    "a resume with more budget": Resumed(6.0, 1.7e9, "+1gpu-h"),
    "a winner with everything": Decided(replace(
        WINNER, kind="ensemble", weights={0: 0.75, 12: 0.25}, p_better=0.99, method="bootstrap"), "a", "b",
        ScoreOnTest("accuracy", 0.9, 0.8, 1.0, {"log_loss": 0.1}, 99), 7.0),
    "a winner without a test": Decided(WINNER, "artifacts/0001", "ab" * 32, None, 7.0),
    "a model that is no champion": Registered("models:/m/2", "1", "abc", False, "stays version 1", 8.0),
    "an end with a bill": RunEnded("interrupted", "Ctrl-C", 9.0, {"spend": "10 s"}),
    "a failed end": RunEnded("failed", "no trial succeeded", 9.0),
}  # fmt: skip


@pytest.mark.parametrize("event", VARIANTS.values(), ids=VARIANTS)
def test_an_event_comes_back_equal(event: Event) -> None:
    assert decode(*encode(event), where="here") == event


@pytest.mark.parametrize("event", VARIANTS.values(), ids=VARIANTS)
def test_an_event_that_came_back_is_written_the_same(event: Event) -> None:
    assert encode(decode(*encode(event), where="here")) == encode(event)


@pytest.mark.parametrize("event", VARIANTS.values(), ids=VARIANTS)
def test_the_text_of_an_event_is_one_line(event: Event) -> None:
    assert "\n" not in encode(event)[1]
    assert "\r" not in encode(event)[1]


def test_the_variants_hold_every_kind_of_event() -> None:
    assert {type(event) for event in VARIANTS.values()} == set(EVENT_TYPES.values())


@pytest.mark.parametrize("event", one_of_each(), ids=lambda e: type(e).__name__)
def test_types_of_all_fields_survive(event: Event) -> None:
    back = decode(*encode(event), where="here")
    for field in dataclasses.fields(event):
        assert type(getattr(back, field.name)) is type(getattr(event, field.name)), field.name


@pytest.mark.parametrize("event", one_of_each(), ids=lambda e: type(e).__name__)
def test_an_event_without_a_required_field_is_refused(event: Event) -> None:
    name, text = encode(event)
    required = next(f.name for f in dataclasses.fields(event) if f.default is dataclasses.MISSING)
    left = {key: value for key, value in json.loads(text).items() if key != required}
    with pytest.raises(RunError, match=rf"^run\.db: event 3: this version cannot read a {name}: .*{required}"):
        decode(name, json.dumps(left), where="run.db: event 3")


@pytest.mark.parametrize("event", one_of_each(), ids=lambda e: type(e).__name__)
def test_a_field_of_another_type_is_refused(event: Event) -> None:
    name, text = encode(event)
    first = dataclasses.fields(event)[0].name
    with pytest.raises(RunError, match=f"this version cannot read a {name}"):
        decode(name, json.dumps({**json.loads(text), first: [[]]}), where="here")


@pytest.mark.parametrize("event", one_of_each(), ids=lambda e: type(e).__name__)
def test_fields_of_a_later_version_are_passed_over(event: Event) -> None:
    name, text = encode(event)
    assert decode(name, json.dumps({**json.loads(text), "mood": {"fine": [1]}}), where="here") == event


@pytest.mark.parametrize("seed", range(5))
def test_numbers_survive_to_the_last_bit(seed: int) -> None:
    values = np.random.default_rng(seed).standard_normal(20) * 10.0 ** np.arange(-10, 10)
    for value in values.tolist():
        assert decode(*encode(Ticked(value)), where="here") == Ticked(value)


@pytest.mark.parametrize("value", [5e-324, 1.7976931348623157e308, -0.0, 0.1 + 0.2], ids=repr)
def test_extreme_numbers_survive(value: float) -> None:
    back = decode(*encode(Ticked(value)), where="here")
    assert math.copysign(1, back.at) == math.copysign(1, value)
    assert back.at == value


@pytest.mark.parametrize("number", [np.float32(0.5), np.float64(0.5), np.int64(3), np.bool_(True)], ids=repr)
def test_numpy_scalars_in_a_configuration_become_plain(number: np.generic) -> None:
    event = ProposalSkipped(Configuration("cnn", {"x": number}), 1.0, 1.0)  # type: ignore[dict-item]
    assert decode(*encode(event), where="here").configuration.values == {"x": number.item()}


@pytest.mark.parametrize("value", [object(), 1j, np.zeros(2), range(3)], ids=lambda v: type(v).__name__)
def test_what_is_no_json_value_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match=rf"JSON values only\. Got .* of type {type(value).__name__}"):
        encode(Warned("x", value, 0.0))  # type: ignore[arg-type]


def test_checksums_of_a_chain_depend_on_everything_before() -> None:
    def last(texts: list[str]) -> bytes:
        checksum = GENESIS
        for seq, text in enumerate(texts, start=1):
            checksum = chain(checksum, seq, "Warned", text)
        return checksum

    assert len({last(texts) for texts in (["a", "b"], ["b", "a"], ["a"], ["a", "b", "b"], ["ab"], [])}) == 6


@pytest.mark.parametrize("name", ["", "ticked", "Ticked ", "RunStart", "object"])
def test_only_exact_names_are_events(name: str) -> None:
    with pytest.raises(RunError, match=rf"here: '{name}' is no event of this version"):
        decode(name, '{"at": 1.0}', where="here")
