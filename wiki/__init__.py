"""What is true: pages, people, rights, the record, history, storage. No network, no framework.

In reading order:

    errors      what can go wrong, grouped by what the caller can do
    names       titles, slugs, ids
    access      roles and `may(actor, action, thing)`
    people      accounts, invites, tokens, sign-ins
    space       a named set of pages with members and sharing
    page        pages as they are now: create, find, rename, move, archive
    links       what links where
    attachment  files that belong to pages
    gate        which updates may touch a page
    text        between Y.Doc, Markdown and offsets
    key         the site's signing key
    record      one signed entry: make, sign, verify
    log         the append-only log of records, and where its followers stand
    journal     accepted updates that are durable but not yet sealed
    seal        turning the journal into records
    fact        acts that are not text: rename, tags, archive …
    history     text at any revision, differences, who wrote what
    exchange    export, import, verify
    store       the database: one writer, many readers
"""
