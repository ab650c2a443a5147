"""Pieces of Markdown that are made of something else: escaped, marked, fenced, tidied. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

CODE_LINE: Final = "\ue000"  # in front of a line that is code, until `tidy`
_SPECIAL = re.compile(r"([\\`*\[\]])|(?<!\w)_|_(?!\w)|<(?=[A-Za-z/!?])")
_STARTS = re.compile(r"^(?:[-+>]|#{1,6})(?=\s)|^(\d+)(?=[.)]\s)", re.MULTILINE)
_BLOCK = re.compile(r"\s*(?:[-*] |\d+\. |> )")


def escaped(plain: str) -> str:
    """Text that Markdown would read otherwise gets a backslash."""
    shown = _SPECIAL.sub(lambda found: f"\\{found[0]}", plain)
    return _STARTS.sub(lambda found: f"{found[1]}\\" if found[1] else f"\\{found[0]}", shown)


def marked(inside: str, mark: str) -> str:
    """`inside` between marks, which stand close to it, each paragraph by itself."""
    if "\n\n" in inside:
        return "\n\n".join(marked(part, mark) for part in inside.split("\n\n"))
    bare = inside.strip()
    if not bare:
        return inside
    head = inside[: len(inside) - len(inside.lstrip())]
    tail = inside[len(inside.rstrip()) :]
    return f"{head}{mark}{bare}{mark}{tail}"


def code(raw: str) -> str:
    """As code in a line."""
    ticks = "`" * (max(map(len, re.findall("`+", raw)), default=0) + 1)
    pad = " " if raw.startswith("`") or raw.endswith("`") else ""
    return f"{ticks}{pad}{raw}{pad}{ticks}" if raw.strip() else raw


def fenced(raw: str, language: str = "") -> str:
    """As a block of code."""
    ticks = "`" * max(3, max(map(len, re.findall("`+", raw)), default=0) + 1)
    return f"{ticks}{language}\n{raw.strip(chr(10))}\n{ticks}"


def tidy(body: str) -> str:
    """Lines that began with a blank become code; lists and quotes end with an empty line, and no
    more than one stands anywhere."""
    out: list[str] = []
    for is_code, line in _lines(body):
        is_block = bool(_BLOCK.match(line))
        if not is_code and line.strip():
            ends = bool(out) and bool(_BLOCK.match(out[-1])) and not is_block
            begins = (
                bool(out)
                and bool(out[-1].strip())
                and line.startswith("|") != out[-1].startswith("|")
            )
            if ends or (begins and not is_block):
                out.append("")
        if is_code or line.strip() or (out and out[-1]):
            out.append(line if is_code else line.rstrip())
    whole = "\n".join(out).strip("\n")
    return f"{whole}\n" if whole.strip() else ""


def _lines(body: str) -> Iterator[tuple[bool, str]]:
    """Each line, and whether it is in a block of code."""
    fence, block = "", list[str]()
    for line in [*body.split("\n"), ""]:
        if line.startswith(CODE_LINE):
            block.append(line[1:])
            continue
        if block:
            yield from ((True, one) for one in fenced("\n".join(block)).split("\n"))
            block = []
        opening = re.match("`{3,}", line)
        was_in = bool(fence)
        if opening and not fence:
            fence = opening[0]
        elif fence and line.strip() == fence:
            fence = ""
        yield was_in or bool(fence), line.replace(CODE_LINE, " ")
