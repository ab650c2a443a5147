"""A space to play with on a new site: four ideas that a real company might have, and a guide.

It goes away with one click, like any sample should.
"""

from __future__ import annotations

from sqlalchemy import Connection

from wiki import page, space
from wiki.access import Openness, Role
from wiki.key import SiteKey
from wiki.space import Space

TITLE = "Ideas for learning programmes"
PURPOSE = (
    "Which learning programmes should exist? Write down what you would join or would like to "
    "teach. Start with [[How this space works]]."
)


def create_sample(conn: Connection, key: SiteKey, person_id: str, now_ms: int) -> Space:
    """Open to everyone who is signed in. Raises NameTaken when it is there already."""
    made = space.create(
        conn,
        key,
        title=TITLE,
        purpose=PURPOSE,
        openness=Openness.SIGNED_IN,
        open_role=Role.EDITOR,
        guests_allowed=True,
        created_by=person_id,
        now_ms=now_ms,
        is_sample=True,
    )
    for kind, title, tags, text in _PAGES:
        page.create(
            conn,
            key,
            space_id=made.id,
            title=title,
            kind=kind,
            text=text,
            tags=tags,
            person_id=person_id,
            now_ms=now_ms,
        )
    return made


_GUIDE = """\
Everything here can be changed by everyone who may edit, at the same time. Nothing is lost: every \
version stays in the history with its authors.

## Write

Press **Edit**, or the key `e`. Others who write on the page appear with their name at their \
cursor. There is no Save button: the word *Saved* says that the server has it.

- Type `/` on an empty line for headings, lists, tables, pictures.
- Type `[[` to link another page, for example [[Shadow a technician for a day]].
- A link to a page that does not exist yet, such as [[Maths for the warehouse]], offers to write it.
- Drop a picture into the text, or paste it.

## Propose

An idea says *for whom* it is, which *problem* it solves, what it *proposes*, what *speaks for it* \
and what it *takes*. Short is good. Half an idea is welcome: others will add the other half.

## Find

The search box (key `/`) looks into every page that you may read. Quotes find a phrase, \
`tag:safety` a tag.

## When you have seen enough

This is a sample. A steward can delete the whole space in one click on its front page.
"""

_SHADOW = """\
## For whom

About 340 people in planning, purchasing and product management who have never seen how our \
machines are repaired at the customer's.

## Problem

Last year 61 service calls needed a second visit because a part could not be reached without \
taking the housing off. The people who drew the housing heard of it from a spreadsheet, months \
later.

> I have replaced that bearing forty times. Nobody ever asked me how.
>
> — a technician, at the spring round table

## Proposal

Everyone who designs or plans spends **one day a year** with a technician: drives along, hands \
over tools, writes one page about what they saw. Technicians who take someone along choose the day.

| when | what |
|---|---|
| the evening before | a call of ten minutes: what is planned, what to wear |
| the day | two or three visits |
| within a week | one page here, with one thing to change |

## Evidence

The Lyon branch did this with nine people in the spring. It led to two changed drawings and one \
that was stopped before tooling. It would go well with [[Five-minute films from the workshop]].

## Effort

- [x] Insurance cover for guests in service cars (asked, it is included)
- [ ] Six technicians who would take someone along
- [ ] A list of days to choose from
"""

_FILMS = """\
## For whom

New people in assembly, in all four plants, in their first three months.

## Problem

The handbook has 214 pages and is read by auditors. What people need at 6 a.m. at station 12 is to \
*see* the hand movement, in their language.

## Proposal

Short films, at most five minutes, made by the people who do the work, with a phone and a clip-on \
microphone. One film, one movement. A QR code at the station leads to it.

1. Someone shows, someone films; no script.
2. The shift leader looks for safety, not for beauty.
3. Subtitles in Polish, Turkish, German and English.

## Evidence

Station 12 tried three films in September: the second-week error rate went from 7.1 % to 4.4 % \
(one line, four weeks; a small number, but the right direction).

## Effort

- [x] Three test films
- [ ] Two microphones and a tripod for each plant
- [ ] A place for the films that works without an account
"""

_EXCHANGE = """\
## For whom

Shift leaders of our suppliers and ours; five from each side to begin with.

## Problem

We measure our suppliers and they measure us, but we learn from each other only when something has \
gone wrong.

## Proposal

Two shift leaders change places for one week. They do not audit: they work. At the end each one \
names **one thing to copy** and **one thing to drop**, and both houses promise an answer within a \
month.

## Evidence

None yet; that is what the first five are for. A neighbour in the industrial park has done it for \
six years and would tell us how.

## Effort

- [ ] Two suppliers who want to
- [ ] One page of agreement on safety and secrecy
- [ ] Somebody who keeps the calendar
"""

_NUMBERS = """\
## For whom

Everyone who decides with numbers and was never shown how: team leaders, buyers, project offices.

## Problem

We compare months that had different numbers of working days, we celebrate noise, and we draw axes \
that do not begin at zero.

## Proposal

Six lunches of 45 minutes. Every time **one of our own charts**, brought by somebody from the \
group, and one question: *what would have to be true for this to be chance?*

## Evidence

The trial group of eleven found that two of its five monthly alarms were noise. See also \
[[Five-minute films from the workshop]], whose own numbers deserve the first lunch.

## Effort

- [ ] A room with a screen, six Thursdays
- [ ] Somebody from quality who likes to explain
"""

_PAGES = (
    ("note", "How this space works", ("guide",), _GUIDE),
    ("idea", "Shadow a technician for a day", ("service", "design"), _SHADOW),
    ("idea", "Five-minute films from the workshop", ("assembly", "onboarding"), _FILMS),
    ("idea", "Change places with a supplier for a week", ("partners",), _EXCHANGE),
    ("idea", "Lunch with a chart", ("numbers", "leadership"), _NUMBERS),
)
