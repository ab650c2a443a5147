"""Random histories of what a page is shared on: with or without its past, by its space or by
itself, to read, comment or edit, passed on, and with files.

    python -m tests.sync.federation.granted_histories --count 500 --seed 0

Records travel as couriers bring them (`owed`) and as peers ask for them: a request or its answer is
lost, and what was not confirmed is brought again. At the end all who have the page on terms that
hold agree as in `histories`, but for the talk of before where somebody has not got that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from sync.federation import owed
from sync.federation.gaps import have
from tests.support.sites import Site, Sites
from tests.sync.federation import histories
from tests.sync.federation.histories import History, Message
from wiki import awaited, bound, fact, foreign, grant, log, page, people, redaction
from wiki.accept import Outcome
from wiki.access import Role
from wiki.drain import HELD
from wiki.errors import Conflict, Forbidden, NotFound
from wiki.frame import Frame
from wiki.grant import COMMENTS, Terms
from wiki.record import BIRTHS, Record

EDITS = ("", Role.EDITOR.value)
STEPS = histories.STEPS | {"bring": 40, "attach": 3, "change": 2, "pass_on": 3}


@dataclass
class GrantedHistory(History):
    """`thing`: what is shared, the page or its space. `out`: who is not to agree: not invited, sent
    away, or allowed less than before."""

    steps_of = STEPS
    lengths = (30, 90)
    thing: str = field(init=False, default="")
    files: int = 0

    def begin(self, count: int) -> None:
        self.sites = Sites.named(*"abcde"[:count], seed=self.seed)
        self.home, *others = self.sites.all
        for one in self.sites.all:
            with one.open() as conn:
                told = {"name": one.name * 3, "is_admin": True, "now_ms": one.now_ms}
                people.create(conn, person_id=one.person, **told)
        self.page_id = self.home.found([])
        for _ in range(self.chance.randrange(4)):
            self._type(self.home, [])
            self.home.seal(self.page_id)
            self._act(self.home, [])
        with self.home.open() as conn:
            is_alone = self.chance.random() < 0.6
            self.thing = self.page_id if is_alone else page.by_id(conn, self.page_id).space_id
        self.out = set(others)
        for one in others:
            if self.chance.random() < 0.75:
                self.invite(one)
        for one in others:
            self.bring(self.home, one)

    # -- what happens

    def _type(self, site: Site, here: list[Site]) -> bool:
        return self.bound(site) in EDITS and super()._type(site, here)

    def _redact(self, site: Site, here: list[Site]) -> bool:
        if self.bound(site) not in EDITS:
            return False
        with site.open() as conn:
            mine = awaited.all_of(conn, [self.page_id])
        if mine and self.chance.random() < 0.5:
            return self.made(site, lambda: _take_out(site, self.page_id, mine[0].digest))
        return super()._redact(site, here)

    def _something(self, site: Site) -> dict[str, object]:
        told = super()._something(site)
        while self.bound(site) == Role.COMMENTER and told["name"] not in COMMENTS:
            told = super()._something(site)
        return told

    def _act(self, site: Site, here: list[Site]) -> bool:
        return self.bound(site) != Role.READER and super()._act(site, here)

    def _attach(self, site: Site, here: list[Site]) -> bool:
        if self.bound(site) not in EDITS:
            return False
        self.files += 1
        told = {
            "name": "attach",
            "id": f"file-{self.files:04}",
            "digest": f"{self.files:064x}",
            "file": f"{self.files}.txt",
            "media_type": "text/plain",
            "size": self.files,
        }
        if self.chance.random() < 0.5:
            self.say(site, f"[](/files/{told['id']})")
        return self.made(site, lambda: _attach(site, self.page_id, told))

    def say(self, site: Site, words: str) -> None:
        shown = site.type(self.page_id, 0, 0, words)
        if shown is not None:
            self.send(site, shown)

    def _bring(self, site: Site, here: list[Site]) -> bool:
        return self.bring(site, self.chance.choice(self.present()))

    def _vanish(self, site: Site, here: list[Site]) -> bool:
        """Not its home: who is granted the page by it alone, or its past, could not get that."""
        return site is not self.home and super()._vanish(site, here)

    def _change(self, site: Site, here: list[Site]) -> bool:
        """Somebody is to do more, or less. Who may do less may have done more meanwhile."""
        inside = [one for one in self.sites.all[1:] if one not in self.out]
        if self.home in self.gone or not inside:
            return False
        one = self.chance.choice(inside)
        before, role = self.terms(one), self.chance.choice(grant.ROLES)
        if before is None or before.role is role:
            return False
        if grant.ROLES.index(role) < grant.ROLES.index(before.role):
            self.out.add(one)
        return self.give(self.home, one, role)

    def _pass_on(self, site: Site, here: list[Site]) -> bool:
        others = [one for one in sorted(self.out, key=lambda one: one.name) if one is not site]
        if site is self.home or not others:
            return False
        one = self.chance.choice(others)
        try:
            is_given = self.give(site, one, self.chance.choice(grant.ROLES))
        except (Forbidden, ValueError):
            return False
        return is_given

    def _revoke(self, site: Site, here: list[Site]) -> bool:
        inside = [one for one in self.sites.all[1:] if one not in self.out]
        if self.home in self.gone or not inside:
            return False
        away = self.chance.choice(inside)
        self.out.add(away)
        return self.made(self.home, lambda: self._take_back(away))

    def _take_back(self, away: Site) -> None:
        with self.home.open() as conn:
            told = {"person_id": self.home.person, "now_ms": self.home.now_ms}
            grant.revoke(conn, self.home.key, self.thing, away.origin, **told)

    def invite(self, site: Site) -> bool:
        self.out.discard(site)
        return self.give(self.home, site, Role.EDITOR)

    def give(self, by: Site, to: Site, role: Role) -> bool:
        """On terms that go as far as `by` may."""
        had = self.terms(to)
        mine = self.terms(by, at=by)
        with_history = self.chance.random() < 0.6
        if mine is not None:
            with_history = mine.with_history
        if had is not None and had.with_history:
            if mine is not None and not mine.with_history:
                return False  # it has more from another than `by` could give
            with_history = True
        is_alone = self.thing == self.page_id
        may_on = is_alone and self.chance.random() < 0.5 and (mine is None or mine.may_share_on)
        terms = Terms(role, with_history=with_history, may_share_on=may_on)

        def act() -> None:
            with by.open() as conn:
                told = {"person_id": by.person, "now_ms": by.now_ms}
                grant.give(conn, by.key, self.thing, to.origin, terms, **told)

        return self.made(by, act)

    # -- the network

    def made(self, site: Site, act: Callable[[], object]) -> bool:
        """The courier brings it."""
        before = {one.id for one in site.records()}
        act()
        return bool({one.id for one in site.records()} - before)

    def send(self, site: Site, message: Message) -> None:
        assert isinstance(message, Frame)
        super().send(site, message)

    def leaves(self, site: Site, other: Site, message: Message) -> bool:
        with site.open() as conn:
            return owed.may_have(conn, self.page_id, other.origin, site.now_ms)

    def sees(self, to: Site, shown: Frame) -> bool:
        with to.open() as conn:
            found = page.several(conn, [shown.page]).get(shown.page)
            may = found is not None and grant.may_edit(
                conn, shown.page, found.space_id, shown.chain, to.origin, to.now_ms
            )
        return may and to.see(shown)

    def bring(self, site: Site, to: Site) -> bool:
        """What a courier brings at once."""
        if to is site or (site in self.split) != (to in self.split):
            return False
        if self.chance.randrange(100) < self.loss:
            return False
        with site.open() as conn:
            _begin(conn, site, to)
            told = (site.origin, to.origin, site.now_ms, log.last_position(conn))
            found = owed.owed(conn, *told, limit=self.chance.choice((3, 200)))
        to.learns_keys_of(site)
        self.take_all(to, found.records, site)
        if self.chance.randrange(100) >= self.loss:
            with site.open() as conn:
                owed.delivered(conn, to.origin, found)
        return not found.is_nothing

    def pull(self, to: Site, sender: Site) -> None:
        """What the other answers to what is asked; at the end also all that it brings."""
        if to is sender or (sender in self.split) != (to in self.split):
            return
        to.learns_keys_of(sender)
        with sender.open() as conn:
            _begin(conn, sender, to)
            theirs = owed.heads(conn, to.origin, sender.now_ms)
        for thing_id in sorted(theirs, key=lambda one: one == self.page_id):
            with to.open() as conn:
                known = have(conn, thing_id)
            with sender.open() as conn:
                found = owed.beyond(conn, thing_id, to.origin, known, 500)
            self.take_all(to, found, sender)
        while self.is_ending and self.bring(sender, to):
            pass

    def take_all(self, to: Site, found: Sequence[Record], sender: Site) -> None:
        with to.open() as conn:
            bare = [Record(one.header, one.signature, one.salt, one.body) for one in found]
            told = to.now_ms
            outcomes = to.acceptance.receive_all(conn, bare, sender.origin, told)
            for record, outcome in zip(bare, outcomes, strict=True):
                if outcome.verdict == HELD and record.kind in BIRTHS:
                    foreign.receive(conn, to.key, record, sender.name, told)
                    to.acceptance.drain(conn, record.page, told, outcome)
        for record, outcome in zip(bare, outcomes, strict=True):
            self.judge(to, record, sender, outcome)

    def judge(self, to: Site, record: Record, sender: Site, outcome: Outcome) -> None:
        self.did[outcome.verdict] += 1
        assert self.is_fair(outcome, record), (
            self.seed, to.name, sender.name, record.kind, record.seq, outcome.reason, outcome.why,
        )  # fmt: skip

    # -- who has what

    def bound(self, site: Site) -> str:
        """The most that its people may do on the page."""
        with site.open() as conn:
            bound.bind(conn, self.page_id, site.origin, site.now_ms)
            return page.by_id(conn, self.page_id).bound

    def terms(self, site: Site, at: Site | None = None) -> Terms | None:
        """On which the site has it, as far as another knows."""
        with (at or self.home).open() as conn:
            found = [one for one in grant.shares(conn, self.thing) if one.origin == site.origin]
        return found[0].terms if found else None

    def members(self) -> list[Site]:
        """Also those to whom it was passed on, where its home knows."""
        return [one for one in self.present() if self.is_member(one)]

    def is_member(self, site: Site) -> bool:
        if site is self.home:
            return True
        with self.home.open() as conn:
            found = [one for one in grant.shares(conn, self.thing) if one.origin == site.origin]
        is_open = bool(found) and found[0].is_open(0)
        is_counted = site not in self.out or (found and found[0].by)
        return bool(is_open and is_counted and self.is_known(site) and not self.is_left(site))

    def is_left(self, site: Site) -> bool:
        """Whether it may not adopt, and shows what a site wrote that vanished."""
        silent = {one.origin for one in self.sites.all if one in self.gone or one in self.out}
        return self.bound_here(site) not in EDITS and bool(silent & site.foreign_rows(self.page_id))

    def bound_here(self, site: Site) -> str:
        return self.bound(site) if self.has_page(site) else ""

    def adopts(self, site: Site, other: Site) -> bool:
        return self.bound_here(site) in EDITS and site.adopt(self.page_id, other) is not None

    def sheet_of(self, site: Site) -> dict[str, object]:
        told = site.sheet(self.page_id)
        with site.open() as conn:
            told["files"] = {one.digest for one in awaited.all_of(conn, [self.page_id])}
        if any(_begins_later(one, self.page_id) for one in self.members()):
            for name in ("talk", "status_reason", "files"):
                told.pop(name)
        return told


def _begins_later(site: Site, page_id: str) -> bool:
    with site.open() as conn:
        return bool(log.before(conn, page_id))


def _begin(conn: Connection, site: Site, to: Site) -> None:
    after = ""
    while True:
        _, after = owed.begin(conn, site.key, to.origin, site.now_ms, after)
        if not after:
            return


def _attach(site: Site, page_id: str, told: dict[str, object]) -> None:
    with site.open() as conn:
        awaited.learn(conn, page_id, site.person, told, site.now_ms)
        fact.act(conn, site.key, page_id, site.person, told, site.now_ms)
        site.acceptance.drain(conn, page_id, site.now_ms)


def _take_out(site: Site, page_id: str, digest: str) -> None:
    with site.open() as conn:
        found = conn.exec_driver_sql("SELECT id FROM attachment WHERE digest = ?", (digest,))
        identity = found.scalar()
        told = (site.person, "private", site.now_ms)
        try:
            with conn.begin_nested():
                of = redaction.of_file
                redaction.redact(
                    conn, site.key, page_id, lambda conn: of(conn, page_id, str(identity)), *told
                )
        except (Conflict, NotFound, Forbidden):
            return
        site.acceptance.drain(conn, page_id, site.now_ms)


if __name__ == "__main__":
    histories.main(GrantedHistory)
