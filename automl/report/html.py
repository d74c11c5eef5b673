"""Escaped HTML from plain values; whatever comes from the user's files passes through here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape


class Markup(str):
    """Text that is HTML already and is not escaped again."""

    __slots__ = ()


def safe(value: object) -> str:
    """Return value as HTML text, quotes included; `Markup` as it is.

    >>> safe("<b>")
    '&lt;b&gt;'
    """
    return value if isinstance(value, Markup) else escape(str(value))


def code(value: object) -> Markup:
    """Return value in the fixed-width face."""
    return Markup(f"<code>{safe(value)}</code>")


def section(heading: str, *parts: str, note: str = "") -> Markup:
    """Return a card with a heading; nothing where no part has content."""
    body = "".join(parts)
    if not body:
        return Markup("")
    words = f'<p class="quiet">{safe(note)}</p>' if note else ""
    return Markup(f"<section><h2>{safe(heading)}</h2>{words}{body}</section>")


def pairs(*sections: str) -> Markup:
    """Return sections two by two side by side where the page is wide; a last single one in full width."""
    shown = [part for part in sections if part]
    rows = (shown[i : i + 2] for i in range(0, len(shown), 2))
    return Markup("\n".join(f'<div class="two">{"".join(r)}</div>' if len(r) == 2 else r[0] for r in rows))


def facts(items: Mapping[str, object]) -> Markup:
    """Return name → value as a definition list; empty values are left out."""
    rows = (f"<dt>{safe(name)}</dt><dd>{safe(value)}</dd>" for name, value in items.items() if str(value))
    return Markup(f"<dl>{''.join(rows)}</dl>")


def table(header: Sequence[str], rows: Iterable[Sequence[object]], styles: Sequence[str] = ()) -> Markup:
    """Return a table that scrolls sideways where the page is narrow; columns of numbers stand to the right.

    Args:
        header: column names; one that ends in a blank is a column of numbers.
        rows: cells.
        styles: class of each row, as far as given.
    """
    head = "".join(f"<th{_style(name)}>{safe(name.strip())}</th>" for name in header)
    lines = []
    for position, row in enumerate(rows):
        style = f' class="{styles[position]}"' if position < len(styles) and styles[position] else ""
        cells = "".join(f"<td{_style(name)}>{safe(value)}</td>" for value, name in zip(row, header, strict=True))
        lines.append(f"<tr{style}>{cells}</tr>")
    if not lines:
        return Markup("")
    return Markup(
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'
    )


def details(summary: str, body: str) -> Markup:
    """Return content that is folded away at first."""
    return Markup(f"<details><summary>{safe(summary)}</summary>{body}</details>") if body else Markup("")


def _style(name: str) -> str:
    return ' class="n"' if name.endswith(" ") else ""
