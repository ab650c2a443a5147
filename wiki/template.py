"""What a new page begins with: questions that help to think, by kind of page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Template:
    """`asks` says in one line what the page wants to know."""

    name: str
    asks: str
    title_hint: str
    markdown: str


# Each begins with two empty lines: who types at once writes a paragraph, not into a heading.
_IDEA = """\


## For whom

Who would learn or gain from this? How many are they, and where?

## Problem

What happens today, and what does it cost? One real case says more than a rule.

## Proposal

What should exist? Describe the smallest version worth trying.

## Evidence

What makes you think that it works: numbers, a trial, somebody who did it.

## Effort

- [ ] Who is needed
- [ ] Time and money
- [ ] First step within two weeks
"""

_EPISODE = """\


## In one line

What will listeners take away?

## Guest

Who, and what they know from doing it.

## Notes

-
"""

_QUESTION = """\


## What I want to know

## What I tried or found so far
"""

_PROFILE = """\


## What I know from doing it

## Ask me about

## What I would like to learn
"""

TEMPLATES: Final[dict[str, Template]] = {
    "idea": Template(
        "Idea",
        "for whom, which problem, what to do, what speaks for it, what it takes",
        "A short name that says what should exist",
        _IDEA,
    ),
    "note": Template("Note", "anything worth keeping; no form to follow", "What it is about", ""),
    "post": Template("Post", "a leader's view, signed and dated", "What you want to say", ""),
    "episode": Template("Episode", "a talk with somebody who knows", "Guest: topic", _EPISODE),
    "question": Template(
        "Question", "what you want to know, what you tried", "Your question in one line", _QUESTION
    ),
    "profile": Template("Profile", "what somebody knows, and may be asked about", "Name", _PROFILE),
}


def for_kind(kind: str) -> str:
    """The text that a new page of `kind` begins with."""
    return TEMPLATES[kind].markdown
