"""What is true: pages, people, rights, the record, history, storage. No network, no framework.

In reading order:

    errors      what can go wrong, grouped by what the caller can do
    names       titles, slugs, ids
    access      roles and `may(actor, action, thing)`
    people      accounts, invites, tokens, sign-ins
    space       a named set of pages with members and sharing
    page        pages as they are now: create, find, rename, move, archive
    links       what links where
    saved_search  searches kept under a name, and the secrets of their feeds
    attachment  files that belong to pages
    gate        which updates may touch a page
    text        between Y.Doc, Markdown and offsets
    key         the site's signing key
    record      one signed entry: make, sign, verify
    log         the append-only log of records, and where its followers stand
    journal     accepted updates that are durable but not yet sealed
    seal        turning the journal into records
    form        what a kind of fact looks like: its fields, its rights, what it does
    anchor      places in a text that stay with their words
    talk        comments that stick to their words, and answers
    voice       votes and sponsors
    label       what moments of a page are called
    version     which page was made from which, and what is offered back
    fact        acts that are not text: rename, tags, archive, comment, vote …
    history     revisions, and the text at any of them
    naming      giving a moment a name, another one, or none
    readership  who could read a text in one space who cannot in another
    handover    a text goes over into a page together with its authors
    versioning  making a version, offering its changes, answering an offer
    sitting     a list of revisions by day and sitting
    weave       every character that a page ever had, with when it came and went
    woven       a page's weave, and what each of its steps is
    spool       a weave put away, so that it is at hand after a start
    loom        pages' weaves, carried on as pages grow
    contribution  how much of each page is whose, for lists
    moment      text, authors and changes at any moment, by way of the weave
    phrase      where words stood in a page's history, however they came about
    blanking    an update with some of its text taken out
    hiding      a fact with some of its words taken out
    quoted      which comments quote what is taken out of the text
    views       what the tables say of a page, told again from its record
    redaction   taking words, a person's text, a file out of the record
    erasure     a person leaves, and everything that says who it was
    forgetting  what was made of the record elsewhere has to go, too
    deep        whether all that is made from the record still says what it says
    backup      a copy of the whole folder while people write, and a folder made of it
    exchange    export, import, verify
    store       the database: one writer, many readers
"""
