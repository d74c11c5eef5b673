from __future__ import annotations

import dataclasses
from typing import get_args

import pytest

from automl.core.events import EVENT_TYPES, Event
from automl.testing.journal_suite import one_of_each


def test_every_event_is_known_by_its_name() -> None:
    assert set(EVENT_TYPES.values()) == set(get_args(Event))
    assert all(name == kind.__name__ for name, kind in EVENT_TYPES.items())


def test_the_samples_hold_one_event_of_each_kind() -> None:
    assert {type(event) for event in one_of_each()} == set(EVENT_TYPES.values())


@pytest.mark.parametrize("event", one_of_each(), ids=lambda e: type(e).__name__)
def test_an_event_cannot_be_changed(event: Event) -> None:
    name = dataclasses.fields(event)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError, match=name):
        setattr(event, name, None)


@pytest.mark.parametrize("kind", EVENT_TYPES.values(), ids=lambda k: k.__name__)
def test_every_event_but_the_first_tells_its_time(kind: type[Event]) -> None:
    names = {field.name for field in dataclasses.fields(kind)}
    assert "at" in names or kind.__name__ in ("RunStarted", "Planned")


@pytest.mark.parametrize("kind", EVENT_TYPES.values(), ids=lambda k: k.__name__)
def test_every_event_says_what_happened(kind: type[Event]) -> None:
    assert kind.__doc__
    assert not kind.__doc__.startswith(kind.__name__)
