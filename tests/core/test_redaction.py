"""No password leaves the machine in a message, a page or a record."""

from __future__ import annotations

import pytest

from automl.core.redaction import redact


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://ann:s3cret@host/x", "http://***@host/x"),
        ("https://ann:s3cret@host:5000", "https://***@host:5000"),
        ("postgresql://ann:p%40ss@db/ml", "postgresql://***@db/ml"),
        ("mysql+pymysql://root@db/ml", "mysql+pymysql://***@db/ml"),
        ("https://host/x?token=abc", "https://host/x?token=***"),
        ("https://host/x?token=abc&page=2", "https://host/x?token=***&page=2"),
        ("https://host/x?page=2&API_KEY=abc", "https://host/x?page=2&API_KEY=abc"),
        ("https://host/x?key=abc", "https://host/x?key=***"),
        ("https://host/x?PASSWORD=abc", "https://host/x?PASSWORD=***"),
        ("https://blob/x?sv=1&sig=abc%2F", "https://blob/x?sv=1&sig=***"),
        ("cannot reach http://a:b@h/x and http://c:d@h/y", "cannot reach http://***@h/x and http://***@h/y"),
        ("host=db password=abc dbname=ml", "host=db password=*** dbname=ml"),
        ("pwd='abc'", "pwd='abc'"),
        ("secret=abc'", "secret=***'"),
    ],
)
def test_what_is_secret_is_starred(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sqlite:///mlflow.db",
        "sqlite:////work/with@sign/mlflow.db",
        "http://127.0.0.1:5000/",
        "https://host/a@b",
        "models:/automl-image-clf-digits@champion",
        "ann@example.org",
        "a keyless monkey tokenised the password",
        "runs/flowers",
    ],
)
def test_what_is_not_secret_stays(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize("text", ["http://ann:s3cret@host/x?token=abc", "pwd=1 pwd=2", "plain"])
def test_starring_twice_changes_nothing_more(text: str) -> None:
    assert redact(redact(text)) == redact(text)
