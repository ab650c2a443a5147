"""People by the name they sign in with."""

from __future__ import annotations

import sys

import click
from sqlalchemy import Connection

from wiki import people
from wiki.errors import BadInput, NotFound
from wiki.people import Person


def named(conn: Connection, name: str) -> Person:
    """Raises NotFound."""
    found = people.by_name(conn, name)
    if found is None:
        raise NotFound("person", name)
    return found


def named_or_first_admin(conn: Connection, name: str | None) -> Person:
    """Whoever is named; else the administrator who has been it longest. Raises NotFound, BadInput
    when there is none."""
    if name is not None:
        return named(conn, name)
    admins = [one for one in people.everyone(conn) if one.is_admin and not one.is_disabled]
    if not admins:
        raise BadInput(
            "person", "nobody administers the site yet; begin with: groundswell person add --admin"
        )
    return min(admins, key=lambda one: one.created_at_ms)


def new_password(from_stdin: bool) -> str:
    """The first line of stdin, or asked for twice. Raises UsageError where nobody can be asked."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise click.UsageError("Give the password on standard input and say --password-stdin.")
    asked: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return asked
