from __future__ import annotations

from pathlib import Path

import pytest

from automl.core.budget import Budget
from automl.core.request import SearchRequest
from automl.errors import BudgetError, UserError
from automl.run.devices import Slots, choose_slots, cores, visible_gpus


def slots(budget: str = "10min", *, gpus_there: int = 0, **request: object) -> Slots:
    asked = SearchRequest("image-clf", budget=budget, **request)
    return choose_slots(asked, Budget.parse(budget), gpus_there=gpus_there)


@pytest.fixture
def devices(tmp_path: Path) -> Path:
    for name in ("nvidia0", "nvidia1", "nvidia2", "nvidiactl", "nvidia-uvm", "nvidia0x", "null"):
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("named", "expected"),
    [(None, 3), ("", 0), ("-1", 0), ("0", 1), ("2,1", 2), ("GPU-4f2a, GPU-77c1", 2), ("0,1,2,3,4", 3), (" , ", 0)],
)
def test_gpus_are_counted_by_device_files_and_what_is_made_visible(
    devices: Path, named: str | None, expected: int
) -> None:
    environ = {} if named is None else {"CUDA_VISIBLE_DEVICES": named}
    assert visible_gpus(environ, devices) == expected


def test_a_machine_without_device_files_has_no_gpu(tmp_path: Path) -> None:
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": "0"}, tmp_path) == 0


def test_the_environment_of_the_process_counts_by_default(devices: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert visible_gpus(devices=devices) == 1


@pytest.mark.parametrize(
    ("quota", "most"),
    [("100000 100000", 1), ("50000 100000", 1), ("10000 100000", 1), ("9900000 100000", 99), ("max 100000", 10**6)],
    ids=["one", "half", "a tenth", "many", "no limit"],
)
def test_cores_heed_the_quota_of_a_container(tmp_path: Path, quota: str, most: int) -> None:
    (tmp_path / "cpu.max").write_text(quota + "\n", encoding="utf-8")
    everything = cores(tmp_path / "none")
    assert cores(tmp_path / "cpu.max") == min(most, everything)


def test_there_is_at_least_one_core(tmp_path: Path) -> None:
    assert cores(tmp_path / "none") >= 1


def test_without_a_gpu_there_is_one_worker_per_core() -> None:
    assert slots() == Slots("cpu", cores())


def test_with_gpus_there_is_one_worker_for_each() -> None:
    assert slots(gpus_there=4) == Slots("gpu", 4, 4)


def test_fewer_gpus_are_used_if_fewer_are_asked_for() -> None:
    assert slots(gpus_there=4, gpus=2) == Slots("gpu", 2, 2)


def test_no_gpu_is_used_if_none_is_asked_for() -> None:
    assert slots(gpus_there=4, gpus=0, workers=3) == Slots("cpu", 3)


def test_cpu_hours_are_spent_on_cores_even_where_gpus_are() -> None:
    assert slots("2cpu-h", gpus_there=4, workers=2) == Slots("cpu", 2)


def test_workers_are_as_many_as_asked_for() -> None:
    assert slots(workers=7) == Slots("cpu", 7)
    assert slots(workers=7, gpus_there=2) == Slots("gpu", 7, 2)


def test_more_gpus_than_there_are_is_a_mistake() -> None:
    with pytest.raises(UserError, match=r"--gpus 3: 1 GPUs are visible here. Ask for at most 1"):
        slots(gpus=3, gpus_there=1)


@pytest.mark.parametrize("request_", [{}, {"gpus": 0}], ids=["none there", "none wanted"])
def test_gpu_hours_without_a_gpu_are_refused_with_a_way_out(request_: dict[str, int]) -> None:
    with pytest.raises(BudgetError, match=r"8 gpu-h cannot be spent. Write for example 8cpu-h or 30min"):
        slots("8gpu-h", gpus_there=1 if request_ else 0, **request_)


def test_gpu_and_cpu_time_in_one_budget_are_refused() -> None:
    with pytest.raises(BudgetError, match=r"1gpu-h,2cpu-h: a run works on GPUs or on CPU cores, not on both"):
        slots("1gpu-h,2cpu-h", gpus_there=1)
