"""Ways to narrow what was found, and to take that back: each is an address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from search import Results
from search.hunt import HERE
from search.index import ORIGIN
from web.asked import NARROWING, Asked
from wiki.space import Space

CHOICES = 12
FACETS = {"from": ORIGIN}  # where a facet is called otherwise
TITLES = {
    "space": "Space",
    "kind": "Kind",
    "status": "Status",
    "tag": "Tag",
    "author": "Written by",
    "year": "Changed in",
    "from": "From",
}


class Choice(NamedTuple):
    label: str
    pages: int
    url: str


class Group(NamedTuple):
    name: str
    title: str
    choices: Sequence[Choice]


class Narrowed(NamedTuple):
    """`url` is the search without it."""

    title: str
    label: str
    url: str


def groups(
    asked: Asked,
    results: Results,
    spaces: Sequence[Space],
    names: Mapping[str, str],
    sites: Mapping[str, str],
) -> list[Group]:
    """What is not narrowed yet, with how much each choice would leave; one that would leave
    everything is none. `names` of people and `sites` are by their ids."""
    found = []
    names = {**names, **sites, HERE: "This site"}
    for name in NARROWING:
        counts = {} if name in asked.narrowed else results.facets.get(FACETS.get(name, name), {})
        if name == "from":
            counts = _by_site(counts, sites)
        choices = [
            Choice(_label(name, value, spaces, names), count, _narrow(asked, name, value, spaces))
            for value, count in _ordered(name, counts)
            if count < results.total
        ]
        if choices:
            found.append(Group(name, TITLES[name], choices[:CHOICES]))
    return found


def narrowed(
    asked: Asked, spaces: Sequence[Space], names: Mapping[str, str], sites: Mapping[str, str]
) -> list[Narrowed]:
    names = {**names, **sites, HERE: "This site"}
    return [
        Narrowed(TITLES[name], _label(name, value, spaces, names), asked.without(name).address())
        for name, value in asked.narrowed.items()
    ]


def _by_site(counts: Mapping[str, int], sites: Mapping[str, str]) -> Mapping[str, int]:
    """What is not from a site that is known is from this one."""
    found: Counter[str] = Counter()
    for origin, count in counts.items():
        found[origin if origin in sites else HERE] += count
    return found


def _ordered(name: str, counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Most frequent first; years by themselves, newest first."""
    if name == "year":
        return sorted(counts.items(), reverse=True)
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _label(name: str, value: str, spaces: Sequence[Space], names: Mapping[str, str]) -> str:
    if name == "space":
        return next((one.title for one in spaces if value in (one.id, one.slug)), value)
    if name == "author":
        return names.get(value, "Somebody")
    if name == "from":
        return names.get(value) or "Another site"
    return value


def _narrow(asked: Asked, name: str, value: str, spaces: Sequence[Space]) -> str:
    """Facets name spaces by their ids, addresses by their slugs."""
    if name == "space":
        value = next((one.slug for one in spaces if one.id == value), value)
    return asked.by(name, value).address()
