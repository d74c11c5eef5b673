"""Text without secrets, for everything that is shown, recorded or shared."""

from __future__ import annotations

import re

_USER = re.compile(r"(?<=://)[^/@\s]+@")
_SECRET = re.compile(r"(?i)\b(password|passwd|pwd|token|secret|key|sig)=[^&\s'\"]+")


def redact(text: str) -> str:
    """Return text without the credentials of URIs in it.

    >>> redact("https://ann:s3cret@host/x?token=abc")
    'https://***@host/x?token=***'
    """
    return _SECRET.sub(r"\1=***", _USER.sub("***@", text))
