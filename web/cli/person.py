"""`groundswell person`: accounts."""

from __future__ import annotations

import click
from sqlalchemy import Connection

from web import setup
from web.cli import who
from web.cli.cleaning import cleaned
from web.cli.folder import now_ms, read, with_config, write, write_signed
from web.cli.telling import counted, give_table, say
from web.config import Config
from wiki import erasure, people, signin
from wiki.erasure import Erased
from wiki.key import SiteKey
from wiki.people import Person

_password_stdin = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input."
)


@click.group()
def person() -> None:
    """Accounts of people."""


@person.command()
@click.argument("name")
@click.option("--display", default="", help="What others read; the name if not given.")
@click.option("--admin", is_flag=True, help="An administrator; the site counts as set up.")
@_password_stdin
@with_config
def add(config: Config, name: str, display: str, admin: bool, password_stdin: bool) -> None:
    """A new person who signs in with NAME."""
    name = people.check_name(name)
    hashed = people.hash_password(who.new_password(password_stdin))

    def make(conn: Connection) -> Person:
        made = people.create(
            conn,
            name=name,
            display=display,
            password_hash=hashed,
            is_admin=admin,
            now_ms=now_ms(),
        )
        if admin:
            setup.mark_done(conn)
        return made

    made = write(config, make, may_begin=True)
    say(f"{made.display} can sign in as {made.name}.")


@person.command("list")
@with_config
def list_people(config: Config) -> None:
    """Everybody, by the name that others read."""
    rows = [
        (one.name, one.display, _standing(one), one.id) for one in read(config, people.everyone)
    ]
    give_table(("name", "shown as", "is", "id"), rows)


@person.command()
@click.argument("name")
@_password_stdin
@with_config
def password(config: Config, name: str, password_stdin: bool) -> None:
    """A new password for NAME, whose browsers are signed out."""
    one = read(config, lambda conn: who.named(conn, name))
    hashed = people.hash_password(who.new_password(password_stdin))

    def change(conn: Connection) -> None:
        people.set_password(conn, one.id, hashed)
        signin.sign_out_everywhere(conn, one.id)

    write(config, change)
    say(f"{one.display} has a new password and is signed out everywhere.")


@person.command()
@click.argument("name")
@with_config
def disable(config: Config, name: str) -> None:
    """Shut the account of NAME; what the person wrote stays."""

    def shut(conn: Connection) -> Person:
        one = who.named(conn, name)
        people.disable(conn, one.id, now_ms())
        return one

    say(f"{write(config, shut).display} can no longer sign in.")


@person.command()
@click.argument("name")
@with_config
def enable(config: Config, name: str) -> None:
    """Open the account of NAME again."""

    def reopen(conn: Connection) -> Person:
        one = who.named(conn, name)
        people.enable(conn, one.id)
        return one

    say(f"{write(config, reopen).display} can sign in again.")


@person.command()
@click.argument("name")
@click.option("--with-text", is_flag=True, help="Also all that the person wrote and uploaded.")
@click.option("--why", default="Erased on request", show_default=True, help="Public; stays.")
@click.option("--by", metavar="PERSON", help="Who does it; else the first administrator.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_config
def erase(config: Config, name: str, with_text: bool, why: str, by: str | None, yes: bool) -> None:
    """Erase NAME: the account, the name, sign-ins, memberships; for good.

    What the person wrote stays, by nobody, unless --with-text: then it is taken out of every page,
    its history and every file of the folder, and others' text stays as it is."""
    if not yes:
        click.confirm(f"Erase {name} for good?", abort=True, err=True)

    def do(conn: Connection, key: SiteKey) -> Erased:
        one = who.named(conn, name)
        steward = who.named_or_first_admin(conn, by).id
        return erasure.erase(conn, key, one.id, steward, why, now_ms(), is_with_text=with_text)

    erased = write_signed(config, do)
    cleaned(config)
    taken = f"; {counted(erased.records, 'record')} lost their text" if with_text else ""
    say(f"{erased.person.display} is erased{taken}.")


def _standing(one: Person) -> str:
    claims = {"admin": one.is_admin, "guest": one.is_guest, "disabled": one.is_disabled}
    return ", ".join(word for word, holds in claims.items() if holds)
