"""What a search asks for, as it stands in an address: what was typed, and what narrows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import Connection

from search import Results, Search
from search.index import Order
from wiki.access import Actor

NARROWING = ("space", "kind", "status", "tag", "author", "year", "from")
NEWEST = "newest"
MAX_PAGE = 100
MAX_MOMENT = 20
MAX_CHARS = 1000  # more than the search looks at; each link of the page carries it


@dataclass(frozen=True, slots=True)
class Asked:
    """`is_newest`: what changed last first, instead of the best. `narrowed`: by name, only what
    is given; `space` is a slug, `author` a person's
    id, `year` as in 2026, `from` a site's id or "here"."""

    text: str
    narrowed: Mapping[str, str]
    is_newest: bool = False

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Asked:
        """What parameters or the fields of a form ask for."""
        found = {name: given.get(name, "").strip()[:MAX_CHARS] for name in ("q", *NARROWING)}
        narrowed = {name: found[name] for name in NARROWING if found[name]}
        return cls(found["q"], narrowed, given.get("order") == NEWEST)

    @classmethod
    def read(cls, query: str) -> Asked:
        """What `query` wrote."""
        return cls.of(dict(parse_qsl(query)))

    @property
    def query(self) -> str:
        """One text for the same question, in whatever order the answer comes: what is kept."""
        return urlencode({"q": self.text} | dict(sorted(self.narrowed.items())))

    def address(self, page: int = 1, moment: str = "") -> str:
        """`moment`: of the results that the page goes on with."""
        order = f"&order={NEWEST}" if self.is_newest else ""
        further = f"&page={page}" if page > 1 else ""
        return f"/search?{self.query}{order}{further}" + (f"&moment={moment}" if moment else "")

    def by(self, name: str, value: str) -> Asked:
        return replace(self, narrowed={**self.narrowed, name: value})

    def saying(self, text: str) -> Asked:
        return replace(self, text=text)

    def ordered(self, *, is_newest: bool) -> Asked:
        return replace(self, is_newest=is_newest)

    def without(self, name: str) -> Asked:
        left = {one: by for one, by in self.narrowed.items() if one != name}
        return replace(self, narrowed=left)

    def everywhere(self) -> Asked:
        return Asked(self.text, {})

    async def find(
        self,
        search: Search,
        actor: Actor,
        page: int,
        per_page: int,
        moment: str = "",
        beside: Callable[[Connection, Results], object] = lambda conn, results: None,
    ) -> Results:
        """See `Search.find`."""
        return await search.find(
            self.text,
            actor,
            space_slug=self.narrowed.get("space"),
            kind=self.narrowed.get("kind"),
            tag=self.narrowed.get("tag"),
            status=self.narrowed.get("status"),
            author=self.narrowed.get("author"),
            year=self.narrowed.get("year"),
            origin=self.narrowed.get("from"),
            order=Order.MODIFIED if self.is_newest else Order.RELEVANCE,
            page=page,
            per_page=per_page,
            moment=moment[:MAX_MOMENT],
            beside=beside,
        )
