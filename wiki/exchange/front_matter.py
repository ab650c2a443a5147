"""The block of fields on top of a Markdown file, as far as people write it by hand. Pure.

---                              Not YAML, but what is common in it: `key: value`, quotes,
title: "Größere Ideen"           lists in brackets or with dashes. What is nested deeper is
tags: [one, two]                 taken as text.
---

Hugo's fields between +++ (TOML: `key = value`) are read the same way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

MAX_LINES = 200
Fields = Mapping[str, str | list[str]]
_FIELDS = {
    "---": re.compile(r"([\w][\w .-]*?)\s*:(?:\s+(.*))?$"),
    "+++": re.compile(r"\s*([\w][\w.-]*)\s*=\s*(.*)$"),
}
_ANCHOR = re.compile(r"&\w+(?:\s+|$)")
_FOLDED = re.compile(r"[>|][+-]?\d?(?:\s+#.*)?$")
_ITEM = re.compile(r"\s*-\s+(.*)$")


def split(text: str) -> tuple[dict[str, str | list[str]], str]:
    """The fields, their names in lower case, and the text behind them."""
    lines = text.split("\n", MAX_LINES + 1)
    begin = lines[0].rstrip()
    if begin not in _FIELDS:
        return {}, text
    closing = ("---", "...") if begin == "---" else (begin,)
    ends = (n for n, line in enumerate(lines[1 : MAX_LINES + 1], 1) if line.rstrip() in closing)
    end = next(ends, None)
    if end is None:
        return {}, text
    fields = _fields(lines[1:end], _FIELDS[begin])
    return fields, "\n".join(lines[end + 1 :]).lstrip("\n")


def words(value: str | list[str] | None) -> list[str]:
    """A list, however it was written."""
    if isinstance(value, str):
        value = value.split(",") if "," in value else value.split()
    return [word.strip() for word in value or () if word.strip()]


def _fields(lines: list[str], pattern: re.Pattern[str]) -> dict[str, str | list[str]]:
    fields: dict[str, str | list[str]] = {}
    name = ""
    for line in lines:
        field, item = pattern.match(line), _ITEM.match(line)
        held = fields.get(name, "")
        if item and name and (held == "" or isinstance(held, list)):
            fields[name] = [*held, _plain(item[1])]
        elif field:
            name = field[1].lower()
            raw = _ANCHOR.sub("", (field[2] or "").strip())
            fields[name] = "" if _FOLDED.match(raw) else _value(raw)
        elif line[:1] in (" ", "\t") and isinstance(held, str) and _is_more(held, line):
            fields[name] = f"{held} {_plain(line)}".strip()
        elif line.strip() and line[:1] not in ("#", " ", "\t"):
            name = ""
    return {one: _unquoted(value) for one, value in fields.items()}


def _is_more(held: str, line: str) -> bool:
    """Whether an indented line goes on with a text, rather than being fields of its own."""
    return bool(held) or not re.match(r"\s+[\w.-]+:(?:\s|$)", line)


def _unquoted(value: str | list[str]) -> str | list[str]:
    return _plain(value) if isinstance(value, str) else value


def _value(raw: str) -> str | list[str]:
    if raw.startswith("[") and raw.endswith("]"):
        return [_plain(one) for one in raw[1:-1].split(",") if one.strip()]
    return _plain(raw)


def _plain(raw: str) -> str:
    raw = raw.strip()
    if len(raw) > 1 and raw[0] == raw[-1] and raw[0] in "\"'":
        return raw[1:-1].replace('\\"', '"').replace("''", "'")
    return re.sub(r"\s+#.*$", "", raw)
