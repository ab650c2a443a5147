"""The block of fields on top of a Markdown file, as far as people write it by hand. Pure.

---                              Not YAML, but what is common in it: `key: value`, quotes,
title: "Größere Ideen"           lists in brackets or with dashes. What is nested deeper is
tags: [one, two]                 taken as text.
---
"""

from __future__ import annotations

import re
from collections.abc import Mapping

MAX_LINES = 200
Fields = Mapping[str, str | list[str]]
_FIELD = re.compile(r"([\w][\w .-]*?)\s*:(?:\s+(.*))?$")
_ITEM = re.compile(r"\s*-\s+(.*)$")


def split(text: str) -> tuple[dict[str, str | list[str]], str]:
    """The fields, their names in lower case, and the text behind them."""
    lines = text.split("\n", MAX_LINES + 1)
    if lines[0].rstrip() != "---":
        return {}, text
    ends = (n for n, line in enumerate(lines[1 : MAX_LINES + 1], 1) if line.rstrip() in _ENDS)
    end = next(ends, None)
    if end is None:
        return {}, text
    return _fields(lines[1:end]), "\n".join(lines[end + 1 :]).lstrip("\n")


def words(value: str | list[str] | None) -> list[str]:
    """A list, however it was written."""
    if isinstance(value, str):
        value = value.split(",") if "," in value else value.split()
    return [word.strip() for word in value or () if word.strip()]


_ENDS = ("---", "...")


def _fields(lines: list[str]) -> dict[str, str | list[str]]:
    fields: dict[str, str | list[str]] = {}
    name = ""
    for line in lines:
        field, item = _FIELD.match(line), _ITEM.match(line)
        if item and name:
            held = fields[name]
            fields[name] = [*(held if isinstance(held, list) else []), _plain(item[1])]
        elif field:
            name = field[1].lower()
            fields[name] = _value((field[2] or "").strip())
    return fields


def _value(raw: str) -> str | list[str]:
    if raw.startswith("[") and raw.endswith("]"):
        return [_plain(one) for one in raw[1:-1].split(",") if one.strip()]
    return _plain(raw)


def _plain(raw: str) -> str:
    raw = raw.strip()
    if len(raw) > 1 and raw[0] == raw[-1] and raw[0] in "\"'":
        return raw[1:-1].replace('\\"', '"').replace("''", "'")
    return re.sub(r"\s+#.*$", "", raw)
