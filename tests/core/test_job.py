import pytest

from automl.core.job import REFIT_FOLD, Cost, FileRef, Job, Lease, Member, MemberResult, StopRule
from automl.core.space import Configuration

CNN = Configuration("cnn", {"lr": 0.1})


def curve(*scores):
    return tuple(enumerate(scores, start=1))


@pytest.mark.parametrize(
    ("trial", "fold", "name"), [(0, 0, "t00000-f0"), (123, 4, "t00123-f4"), (7, REFIT_FOLD, "t00007-all")]
)
def test_a_member_names_its_folder(trial, fold, name):
    assert Member(trial, fold, CNN).name == name


@pytest.mark.parametrize(
    ("scores", "stops"),
    [
        ((), False),
        ((0.5,), False),
        ((0.5, 0.6, 0.7), False),
        ((0.5, 0.7, 0.6), False),
        ((0.7, 0.6, 0.6), True),
        ((0.7, 0.7, 0.7), True),
        ((0.7, 0.6, 0.8), False),
    ],
    ids=["empty", "one", "rising", "one worse", "two worse", "level", "recovered"],
)
def test_patience_counts_reports_without_a_better_score(scores, stops):
    assert StopRule(patience=2).stops(curve(*scores)) is stops


@pytest.mark.parametrize(("scores", "stops"), [((0.7, 0.6, 0.5), False), ((0.5, 0.6, 0.7), True)], ids=["fall", "rise"])
def test_patience_turns_round_for_losses(scores, stops):
    assert StopRule(patience=2, greater_is_better=False).stops(curve(*scores)) is stops


def test_without_patience_nothing_stops():
    assert StopRule().stops(curve(*[0.5] * 100)) is False


@pytest.mark.parametrize(("steps", "rows", "seconds"), [(0, 1.0, 2.0), (10, 1.0, 7.0), (10, 0.5, 4.5)])
def test_cost_is_fixed_plus_steps_by_share_of_rows(steps, rows, seconds):
    assert Cost(fixed_seconds=2.0, step_seconds=0.5).seconds(steps, rows) == seconds


def test_a_job_belongs_to_the_candidate_of_its_members():
    job = Job(0, (Member(0, 0, CNN), Member(0, 1, CNN)), rung=0, start_steps=0, stop_steps=3, full_steps=9)
    assert job.candidate == "cnn"


def test_a_job_without_a_limit_has_an_infinite_lease():
    assert Lease().seconds == float("inf")


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("members/t00000-f0/model.onnx", True),
        ("members/t00000-f0/model-1.txt", True),
        ("model.onnx", True),
        ("members/t00000-f0/oof.npy", False),
        ("members/model/checkpoint.safetensors", False),
    ],
)
def test_the_size_of_a_member_is_that_of_its_model_files(path, counts):
    result = MemberResult(0, 0, "done", files=(FileRef(path, "0" * 64, 10),))
    assert result.size_bytes == (10 if counts else 0)


def test_values_are_frozen():
    with pytest.raises(AttributeError, match="cannot assign to field 'trial'"):
        Member(0, 0, CNN).trial = 1
