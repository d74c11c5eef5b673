from __future__ import annotations

import math

import numpy as np
import pytest

from automl.core import events
from automl.core.events import Exported, JobPlanned, PhaseChanged, Ticked, Warned
from automl.core.job import Job, Lease, Member
from automl.core.space import Configuration
from automl.errors import RunError
from automl.journals.codec import GENESIS, chain, decode, encode
from automl.testing.journal_suite import one_of_each

VALUES = Configuration("cnn", {"width": 8, "lr": 1.0, "log": "1.0", "on": False})


def back(event):
    return decode(*encode(event), where="here")


@pytest.mark.parametrize("event", one_of_each(), ids=lambda e: type(e).__name__)
def test_every_event_survives_the_round_trip(event):
    assert back(event) == event


def test_the_types_of_configuration_values_survive():
    event = JobPlanned(Job(0, (Member(0, 0, VALUES),), 0, 0, 1, 1), at=0.0, proposed=VALUES)
    values = back(event).proposed.values
    assert [(type(v), v) for v in values.values()] == [(int, 8), (float, 1.0), (str, "1.0"), (bool, False)]


def test_a_lease_without_a_limit_stays_without_a_limit():
    event = JobPlanned(Job(0, (Member(0, 0, VALUES),), 0, 0, 1, 1, lease=Lease()), at=0.0)
    assert back(event).job.lease.seconds == math.inf


@pytest.mark.parametrize("value", [math.inf, -math.inf], ids=str)
def test_infinite_scores_survive(value):
    assert back(exported(value)).score == value


def exported(value):
    return Exported("artifacts/1", "00", (0,), value, 0.1, 1.0)


def test_an_undefined_number_stays_undefined():
    assert math.isnan(back(exported(math.nan)).score)


@pytest.mark.parametrize("number", [np.float32(0.5), np.float64(0.5)], ids=["float32", "float64"])
def test_numpy_numbers_come_back_as_python_numbers(number):
    assert type(back(Ticked(number)).at) is float


def test_what_is_no_json_value_is_refused():
    with pytest.raises(TypeError, match=r"JSON values only. Got <object .*> of type object"):
        encode(Warned("x", object(), 0.0))


def test_an_unknown_event_names_the_way_out():
    with pytest.raises(RunError, match=r"run.db: event 3: 'Teleported' is no event of this version. Use the automl"):
        decode("Teleported", "{}", where="run.db: event 3")


@pytest.mark.parametrize("payload", ["{}", '{"phase":"dreaming","reason":"","at":0}', "{", "[]"],
                         ids=["missing", "unknown value", "torn", "no object"])  # fmt: skip
def test_fields_that_do_not_fit_are_refused_in_one_line(payload):
    with pytest.raises(RunError, match=r"^here: this version cannot read a PhaseChanged: [^\n]*$"):
        decode("PhaseChanged", payload, where="here")


def test_a_field_of_a_later_version_is_passed_over():
    assert decode("Ticked", '{"at":1.0,"mood":"fine"}', where="here") == Ticked(1.0)


@pytest.mark.parametrize("other", [(bytes(31) + b"1", 1, "A", "p"), (GENESIS, 2, "A", "p"), (GENESIS, 1, "B", "p"),
                                   (GENESIS, 1, "A", "q")], ids=["previous", "seq", "type", "payload"])  # fmt: skip
def test_the_checksum_depends_on(other):
    assert chain(*other) != chain(GENESIS, 1, "A", "p")


def test_text_beyond_ascii_survives():
    assert back(PhaseChanged("searching", "größer 🎉 \x00", 1.0)).reason == "größer 🎉 \x00"


def test_a_score_of_the_test_set_keeps_its_metrics():
    score = events.TestScore("accuracy", 0.5, 0.4, 0.6, {"log_loss": math.inf}, 10)
    decided = next(e for e in one_of_each() if type(e).__name__ == "Decided")
    assert back(type(decided)(decided.winner, "a", "b", score, 1.0)).test.metrics == {"log_loss": math.inf}
