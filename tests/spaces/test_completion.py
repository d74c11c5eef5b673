from __future__ import annotations

import pytest

from automl.core.fidelity import StepRange
from automl.core.space import Choice
from automl.errors import SpaceError
from automl.spaces import find, merge, read_space
from automl.spaces.completion import completed, to_toml

HEAD = 'candidate = "cnn"\nsource = "a \\"test\\""\n'
OWN = read_space(HEAD + """[params]
optimizer = { choice = ["sgd", "adamw"], default = "sgd" }
lr        = { float = [1e-3, 3.0], log = true, default = 0.4, when = { optimizer = "sgd" } }
adam_lr   = { float = [1e-4, 1e-2], log = true, default = 1e-3, when = { optimizer = ["adamw"] } }
width     = { int = [16, 128], step = 16, default = 64 }
dropout   = { float = [0.0, 0.5], step = 0.1, default = 0.1 }
depth     = { int = [1, 64], log = true, default = 2 }
flip      = { choice = [true, false], default = false }
share     = { choice = ["sqrt", 0.5, 3], default = "sqrt" }
[fidelity]
epochs    = { low = 3, full = 27 }
""", "own.toml")  # fmt: skip


def mine(params: str) -> str:
    return f"{HEAD}[params]\n{params}\n"


def test_what_a_file_leaves_out_is_held_at_its_default() -> None:
    space = completed(read_space(mine("width = { int = [16, 64], default = 32 }"), "mine.toml"), OWN)
    assert space.default().values == {**OWN.default().values, "width": 32}
    assert space.params["flip"] == Choice((False,), default=False)


def test_conditions_of_what_is_held_are_kept() -> None:
    space = completed(
        read_space(mine("optimizer = { choice = ['adamw', 'sgd'], default = 'adamw' }"), "mine.toml"), OWN
    )
    assert {"lr", "adam_lr"} & set(space.default().values) == {"adam_lr"}
    assert {"lr", "adam_lr"} & set(space.complete({"optimizer": "sgd"}).values) == {"lr"}


def test_what_can_never_count_is_left_out() -> None:
    space = completed(read_space(mine("optimizer = { choice = ['adamw'], default = 'adamw' }"), "mine.toml"), OWN)
    assert "lr" not in space.params


def test_steps_come_from_the_candidates_own_file_unless_given() -> None:
    given = completed(read_space(HEAD + "[fidelity]\nepochs = { low = 1, full = 5 }", "mine.toml"), OWN)
    assert given.steps == StepRange("epochs", 1, 5)
    assert completed(read_space(HEAD, "mine.toml"), OWN).steps == OWN.steps


def test_another_unit_is_refused() -> None:
    with pytest.raises(SpaceError, match=r"mine.toml: fidelity: cnn counts in epochs. Got rounds"):
        completed(read_space(HEAD + "[fidelity]\nrounds = { low = 1, full = 5 }", "mine.toml"), OWN)


def test_a_parameter_the_candidate_does_not_have_is_refused_with_a_suggestion() -> None:
    with pytest.raises(SpaceError, match=r"mine.toml: params: 'widht' is not a parameter of cnn. Did you mean width\?"):
        completed(read_space(mine("widht = { int = [1, 2], default = 1 }"), "mine.toml"), OWN)


@pytest.mark.parametrize(
    "space",
    [OWN, completed(read_space(HEAD, "own.toml"), OWN), read_space(HEAD, "own.toml")],
    ids=["own", "held", "empty"],
)
def test_a_written_space_is_read_back_as_the_same(space: object) -> None:
    assert read_space(to_toml(space), "own.toml") == space  # type: ignore[arg-type]


@pytest.mark.parametrize("candidate", ["baseline", "linear", "forest", "gbdt", "cnn", "resnet"])
def test_every_built_in_space_is_written_and_read_back_as_the_same(candidate: str) -> None:
    (space,) = merge(find("image-clf", [candidate])).candidates.values()
    assert read_space(to_toml(space), space.origin) == space
