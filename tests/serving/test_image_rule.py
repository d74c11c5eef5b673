"""The rule that travels in every manifest is read back as it was written, or refused."""

from __future__ import annotations

import pytest

from automl.serving.errors import ModelError
from automl.serving.image_rule import ImageRule


@pytest.mark.parametrize(
    "rule",
    [ImageRule(8, 8, 1, value_max=16.0), ImageRule(48, 64, 3), ImageRule(32, 32, 3, "crop")],
    ids=["digits", "photographs", "cropped"],
)
def test_a_rule_survives_json(rule: ImageRule) -> None:
    assert ImageRule.from_json(rule.to_json()) == rule


def test_unknown_keys_are_left_alone() -> None:
    assert ImageRule.from_json({**ImageRule(4, 4, 1).to_json(), "max_side": 64}).shape == (4, 4, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "table"}, "kind must be 'image' here. Got 'table'"),
        ({"height": 0}, r"height must be a whole number in \[1, 4096\]. Got 0"),
        ({"width": 10**9}, "width must be .* Got 1000000000"),
        ({"height": True}, "height must be .* Got True"),
        ({"width": 8.5}, "width must be .* Got 8.5"),
        ({"channels": 2}, "channels must be 1 or 3. Got 2"),
        ({"channels": 4}, "channels must be .* Got 4"),
        ({"resize": "pad"}, "resize must be one of stretch, crop. Got 'pad'"),
        ({"value_max": 0}, "value_max must be .* Got 0"),
        ({"value_max": "1"}, "value_max must be .* Got '1'"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_rule_out_of_bounds_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        ImageRule.from_json({**ImageRule(4, 4, 1).to_json(), **change})
