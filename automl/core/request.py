"""What a user asks for, in one value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SearchRequest:
    """The arguments of a search; every front (command line, Python) builds this one value.

    Attributes:
        data: path of the data; empty for the task's default data. Arrays are written to a cache first.
        test: path of a test set that is touched once, at the end.
        target: column of a table to predict.
        drop: columns of a table that are not looked at.
        sample_weight: column of row weights for training.
        positive: the label that binary metrics look for; empty for the last in order.
        group: column whose equal values stay together in one fold.
        split_time: column that orders rows: models are validated on later rows than they were trained on.
        text: column of text to learn from.
        series_id, series_time: columns of a table with one step of a series a row: whose step it is, and its order.
        vectors: path of a file of word vectors.
        weights: path of a folder of pre-trained weights.
        budget: in the grammar of `Budget.parse`.
        folds: number of folds; None decides by size and budget.
        workers: worker processes; None takes one per core (CPU) or one per GPU.
        gpus: GPUs to use; None takes all that are visible.
        out: run folder; empty for `runs/<name>`.
        tracking_uri: MLflow's; empty for `sqlite:///mlflow.db` in the working directory, "none" for no record.
        searcher, scheduler: registered names.
    """

    task: str
    data: str = ""
    test: str = ""
    target: str = ""
    drop: tuple[str, ...] = ()
    sample_weight: str = ""
    positive: str = ""
    group: str = ""
    split_time: str = ""
    text: str = ""
    series_id: str = ""
    series_time: str = ""
    vectors: str = ""
    weights: str = ""
    budget: str = "10min"
    metric: str = ""
    folds: int | None = None
    seed: int = 0
    workers: int | None = None
    gpus: int | None = None
    engine: str = "auto"
    space: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    deploy: str = "bag"
    max_latency_ms: float | None = None
    name: str = ""
    out: str = ""
    tracking_uri: str = ""
    searcher: str = "tpe"
    scheduler: str = "asha"
