"""How a text of the wiki is cited: as a sentence, and as BibTeX. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

_BIBTEX = str.maketrans(  # a brace counts for BibTeX also behind a backslash: it has to be a word
    {char: f"\\{char}" for char in "&%$#_"}
    | {"{": "\\textbraceleft{}", "}": "\\textbraceright{}"}
    | {"~": "\\~{}", "^": "\\^{}", "\\": "/"}
)


@dataclass(frozen=True, slots=True)
class Citation:
    """`moment` names the text in addresses that last, `url` leads to it; `called` is the name that
    people gave it."""

    title: str
    authors: Sequence[str]
    site: str
    moment: str
    at_ms: int
    url: str
    called: str = ""

    @property
    def plain(self) -> str:
        at = self._at
        who = ", ".join(self.authors) or self.site
        day = f"{at.day} {at:%B %Y, %H:%M:%S} UTC"
        text = f"revision {self.moment}" + (f" (“{self.called}”)" if self.called else "")
        return f"{who}: “{self.title}”. {self.site}, {text}, {day}. {self.url}"

    @property
    def bibtex(self) -> str:
        """An entry of type misc, as BibLaTeX and BibTeX both read it."""
        at = self._at
        called = f" ({_escaped(self.called)})" if self.called else ""
        lines = {
            "author": " and ".join(f"{{{_escaped(name)}}}" for name in self.authors or [self.site]),
            "title": f"{{{_escaped(self.title)}}}",
            "howpublished": _escaped(self.site),
            "year": str(at.year),
            "month": f"{at:%b}".lower(),
            "date": f"{at:%Y-%m-%d}",
            "version": self.moment,
            "note": f"Revision {self.moment}{called}, {at:%Y-%m-%d %H:%M:%S} UTC",
            "url": self.url,
        }
        fields = ",\n".join(f"  {name} = {{{value}}}" for name, value in lines.items())
        return f"@misc{{{self._key},\n{fields}\n}}"

    @property
    def _at(self) -> datetime:
        return datetime.fromtimestamp(self.at_ms / 1000, UTC)

    @property
    def _key(self) -> str:
        first = "".join(char for char in self.title.lower() if char.isascii() and char.isalnum())
        return f"{first[:24] or 'page'}{self._at.year}"


def _escaped(words: str) -> str:
    return words.translate(_BIBTEX)
