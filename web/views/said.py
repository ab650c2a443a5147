"""What people say about a page, as its section shows it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from markupsafe import Markup
from sqlalchemy import Connection

from web.site import Site
from wiki import people, talk, text, voice
from wiki.page import Page
from wiki.people import Person
from wiki.talk import Thread
from wiki.voice import Voice


@dataclass(frozen=True, slots=True)
class Said:
    """Everything that is said about a page; places are UTF-16 units of `body`."""

    threads: list[Thread]
    resolved: list[Thread]
    votes: list[Voice]
    sponsors: list[Voice]
    people: dict[str, Person]
    body: str

    def start(self, one: Thread) -> int:
        return text.utf16_offset(self.body, one.place.start) if one.place else -1

    def end(self, one: Thread) -> int:
        return text.utf16_offset(self.body, one.place.end) if one.place else -1

    def name(self, person_id: str | None) -> str:
        found = self.people.get(person_id or "")
        return found.display if found else "Somebody"

    def votes_for(self) -> list[Voice]:
        return [one for one in self.votes if one.value > 0]

    def votes_against(self) -> list[Voice]:
        return [one for one in self.votes if one.value < 0]

    def own_vote(self, person_id: str | None) -> int:
        return next((one.value for one in self.votes if one.person_id == person_id), 0)

    def is_sponsor(self, person_id: str | None) -> bool:
        return any(one.person_id == person_id for one in self.sponsors)


def said_of(conn: Connection, one: Page, body: str) -> Said:
    found = talk.threads(conn, one.id)
    votes, sponsors = voice.votes(conn, one.id), voice.sponsors(conn, one.id)
    ids = {voiced.person_id for voiced in (*votes, *sponsors)}
    ids |= {thread.person_id for thread in found}
    ids |= {reply.person_id for thread in found for reply in thread.replies}
    ids |= {thread.resolved_by or "" for thread in found}
    return Said(
        [thread for thread in found if not thread.is_resolved],
        [thread for thread in found if thread.is_resolved],
        votes,
        sponsors,
        people.several(conn, ids - {""}),
        body,
    )


async def bodies_of(site: Site, said: Said, space_slug: str) -> dict[str, Markup]:
    """Comments and answers as HTML, by id; their wiki links stay words."""
    bodies: dict[str, str] = {}
    for thread in (*said.threads, *said.resolved):
        bodies |= {thread.id: thread.body} | {reply.id: reply.body for reply in thread.replies}
    renderer = site.remarks.renderer
    made = await asyncio.gather(*(renderer.render(one, {}, space_slug) for one in bodies.values()))
    return {said_id: one.html for said_id, one in zip(bodies, made, strict=True)}
