"""Exports of sites that wrote pages together (`sites`), and what comes of them in a new one."""

from __future__ import annotations

import zipfile
from pathlib import Path

from tests.support.exports import Taken
from tests.support.sites import START_MS, Site, Sites
from wiki import people
from wiki.exchange.export import export_zip
from wiki.exchange.import_zip import import_zip


def name_people(site: Site, others: list[Site]) -> None:
    """As they are called there."""
    with site.open() as conn:
        people.create(conn, name=site.name, person_id=site.person, now_ms=START_MS)
        for other in others:
            if other is not site:
                person_id = f"{other.person}@{other.origin}"
                people.keep_foreign(conn, person_id, other.name.title(), "Their site", START_MS)


def exported(site: Site, out: Path) -> Path:
    out.parent.mkdir(exist_ok=True)
    with site.open() as conn:
        told = {"site_name": "Test", "now_ms": site.now_ms, "space_ids": None}
        export_zip(conn, site.key, out.parent / "files", out, **told)
    return out


def taken_in(path: Path, name: str) -> Site:
    """A new site that holds the export, and is connected with nobody."""
    new = Site(name)
    with new.open() as conn:
        import_zip(conn, path, path.parent / "files", START_MS)
    return new


def unpacked(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def as_taken(site: Site, out: Path) -> Taken:
    path = exported(site, out)
    return Taken(path.read_bytes(), unpacked(path), site.key)


def entangled(sites: Sites) -> str:
    """A page with two records, each of which builds on text of the other."""
    acme, birch, cedar = sites.all
    page_id = sites.shared_page()
    for _ in range(2):  # under each other's live frames, nothing sealed
        for site, other in ((acme, birch), (birch, acme)):
            shown = site.type(page_id, len(site.text(page_id)), 0, f"{site.name} ")
            assert shown and other.see(shown)
    for site in (acme, birch):
        site.seal(page_id)
    ours, theirs = acme.records(page_id)[-1], birch.records(page_id)[-1]
    for site, record in ((cedar, ours), (cedar, theirs), (birch, ours), (acme, theirs)):
        site.receive(record)
    return page_id


def adopted(sites: Sites) -> str:
    """A page where acme took over what birch had typed before it went away."""
    acme, birch, _ = sites.all
    page_id = sites.shared_page()
    shown = birch.type(page_id, 0, 0, "Last words. ")
    assert shown and acme.see(shown)
    acme.type(page_id, 5, 0, "(well) ")
    acme.seal(page_id)
    assert acme.adopt(page_id, birch)
    return page_id
