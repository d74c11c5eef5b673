from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper

from automl.candidates.sequence.network_entrances import SeriesEntrance, varied
from automl.candidates.sequence.network_inputs import EntranceSettings
from automl.candidates.training.onnx_graph import Writer
from automl.candidates.training.ragged_parts import Steps
from automl.serving.series import Series

RNG = np.random.default_rng(0)
ROWS = [RNG.normal(size=(length, 2)).astype(np.float32) for length in (5, 1, 8, 4)]
INPUTS = torch.from_numpy(Series.of(ROWS).padded())


def entered(patch: int, inputs: torch.Tensor = INPUTS) -> Steps:
    steps: Steps = SeriesEntrance(EntranceSettings(patch=patch), 2).eval()(inputs)
    return steps


def written(entrance: SeriesEntrance, inputs: torch.Tensor) -> list[np.ndarray]:
    writer = Writer()
    names = entrance.write(writer, "input")
    given = helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", 2, "steps"])
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names]
    graph = helper.make_graph(writer.nodes, "entrance", [given], outputs, writer.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    answers: list[np.ndarray] = session.run(None, {"input": inputs.numpy()})
    return answers


def test_steps_are_channels_and_nothing_behind_the_end() -> None:
    steps = entered(1)
    assert steps.mask.sum(dim=1).tolist() == [5, 1, 8, 4]
    np.testing.assert_array_equal(steps.x[0, :5], ROWS[0])
    assert steps.x[0, 5:].abs().sum() == 0


def test_a_patch_that_holds_one_step_counts() -> None:
    steps = entered(4)
    assert steps.mask.tolist() == [[1, 1], [1, 0], [1, 1], [1, 0]]
    np.testing.assert_array_equal(steps.x[2, 1], ROWS[2][4:].T.ravel())
    assert steps.x[0, 1].tolist() == [ROWS[0][4, 0], 0, 0, 0, ROWS[0][4, 1], 0, 0, 0]


@pytest.mark.parametrize("patch", [1, 2, 3, 8, 20])
@pytest.mark.parametrize("rows", [0, 1, 4])
def test_the_graph_gives_the_same(patch: int, rows: int) -> None:
    entrance = SeriesEntrance(EntranceSettings(patch=patch), 2).eval()
    x, mask = written(entrance, INPUTS[:rows])
    if rows:
        np.testing.assert_array_equal(x, entrance(INPUTS[:rows]).x)
        np.testing.assert_array_equal(mask, entrance(INPUTS[:rows]).mask)
    assert x.shape == (rows, -(-8 // patch), 2 * patch)


@pytest.mark.parametrize("patch", [1, 3])
def test_a_row_is_the_same_alone_as_beside_longer_ones(patch: int) -> None:
    together, alone = entered(patch), entered(patch, INPUTS[:1, :, :5])
    count = alone.x.shape[1]
    np.testing.assert_array_equal(together.x[0, :count], alone.x[0])
    assert together.mask[0].sum() == alone.mask[0].sum() == count


def test_rows_are_varied_in_training_alone() -> None:
    entrance = SeriesEntrance(EntranceSettings(noise=0.1, gain=0.1, window=0.5), 2)
    plain, changed = entrance.eval()(INPUTS), entrance.train()(INPUTS)
    np.testing.assert_array_equal(plain.x[0, :5], ROWS[0])
    assert changed.x[0, 0].tolist() != plain.x[0, 0].tolist()


def test_noise_and_gain_leave_the_end_where_it_is() -> None:
    found = varied(INPUTS, EntranceSettings(noise=0.5, gain=0.5))
    np.testing.assert_array_equal(torch.isnan(found), torch.isnan(INPUTS))


@pytest.mark.parametrize("seed", range(5))
def test_a_window_is_a_stretch_of_its_row(seed: int) -> None:
    torch.manual_seed(seed)
    found = varied(INPUTS, EntranceSettings(window=0.4))
    for row, source in zip(found, ROWS, strict=True):
        part = row[:, ~torch.isnan(row[0])].T.numpy()
        stretches = np.lib.stride_tricks.sliding_window_view(source, len(part), axis=0).transpose(0, 2, 1)
        assert len(part) >= 0.4 * len(source)
        assert (stretches == part).all(axis=(1, 2)).any()


def test_rows_of_one_length_have_windows_of_one_length() -> None:
    full = torch.randn(6, 2, 20)
    assert not torch.isnan(varied(full, EntranceSettings(window=0.5))).any()


def test_what_is_drawn_comes_from_the_stream_of_torch() -> None:
    settings = EntranceSettings(noise=0.1, gain=0.1, window=0.5)
    first, second = (varied(INPUTS, settings) for _ in range(2) if torch.manual_seed(1))
    np.testing.assert_array_equal(first, second)
