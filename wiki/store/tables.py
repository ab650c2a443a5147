"""The tables. Truth is `record`, `journal`, people and rights; `page`, `link` and the like are
views of it that are kept in the same transaction, so that reading is one query.

Times ending in `_ms` are milliseconds since 1970, UTC. Ids are explained in `names`.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

setting = (
    Table(  # facts about the site that are not configuration: its name, set-up state, counters
        "setting",
        metadata,
        Column("name", String, primary_key=True),
        Column("value", Text, nullable=False),
    )
)

person = Table(
    "person",
    metadata,
    Column("id", String, primary_key=True),  # u:…, opaque; the only thing records hold
    Column("name", String, nullable=False, unique=True),  # what one signs in with, lower case
    Column("display", String, nullable=False),
    Column("password_hash", String),  # None: guests, imported people
    Column("is_admin", Boolean, nullable=False, default=False),
    Column("is_guest", Boolean, nullable=False, default=False),
    Column("colour", String, nullable=False),  # #rrggbb of the cursor
    Column("origin", String, nullable=False, default="", server_default=""),  # "" ours; a peer's id
    Column("created_at_ms", Integer, nullable=False),
    Column("disabled_at_ms", Integer),
)

sign_in = Table(  # a browser that is signed in; only the hash of its cookie is kept
    "sign_in",
    metadata,
    Column("token_hash", String, primary_key=True),
    Column("person_id", ForeignKey("person.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("user_agent", String, nullable=False, default=""),
    Column("created_at_ms", Integer, nullable=False),
    Column("expires_at_ms", Integer, nullable=False),
)

token = Table(  # for programs: Authorization: Bearer …
    "token",
    metadata,
    Column("token_hash", String, primary_key=True),
    Column("person_id", ForeignKey("person.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("scope", String, nullable=False),  # "read" or "write"
    Column("label", String, nullable=False, default=""),
    Column("created_at_ms", Integer, nullable=False),
)

saved_search = Table(  # a person's own; `query` is the search as its address says it
    "saved_search",
    metadata,
    Column("id", String, primary_key=True),
    Column("person_id", ForeignKey("person.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String, nullable=False),
    Column("query", Text, nullable=False),
    Column("created_at_ms", Integer, nullable=False),
    Column("feed_hash", String, unique=True),  # of the secret in the feed's address; None: no feed
    UniqueConstraint("person_id", "name"),
)

invite = Table(  # links that let people in: the set-up link, invitations, guest links
    "invite",
    metadata,
    Column("token_hash", String, primary_key=True),
    Column("kind", String, nullable=False),  # setup | member | guest
    Column("space_id", ForeignKey("space.id", ondelete="CASCADE")),
    Column("role", String),
    Column("created_by", String),
    Column("created_at_ms", Integer, nullable=False),
    Column("expires_at_ms", Integer, nullable=False),
    Column("uses_left", Integer, nullable=False),
)

space = Table(
    "space",
    metadata,
    Column("id", String, primary_key=True),  # base32 hash of its create record
    Column("slug", String, nullable=False, unique=True),
    Column("title", String, nullable=False),
    Column("purpose", Text, nullable=False, default=""),
    Column("openness", String, nullable=False),
    Column("open_role", String, nullable=False),
    Column("guests_allowed", Boolean, nullable=False, default=False),
    Column("is_sample", Boolean, nullable=False, default=False),
    Column("created_at_ms", Integer, nullable=False),
    Column("archived_at_ms", Integer),
    Column("bound", String, nullable=False, default="", server_default=""),  # as of a page
)

member = Table(
    "member",
    metadata,
    Column("space_id", ForeignKey("space.id", ondelete="CASCADE"), primary_key=True),
    Column("person_id", ForeignKey("person.id", ondelete="CASCADE"), primary_key=True),
    Column("role", String, nullable=False),
)

page = Table(
    "page",
    metadata,
    Column("id", String, primary_key=True),  # base32 hash of its create record
    Column("space_id", ForeignKey("space.id", ondelete="CASCADE"), nullable=False),
    Column("kind", String, nullable=False),
    Column("title", String, nullable=False),
    Column("slug", String, nullable=False),
    Column("status", String, nullable=False, default=""),
    Column("epoch", Integer, nullable=False, default=1),
    Column("created_by", String, nullable=False),
    Column("created_at_ms", Integer, nullable=False),
    Column("modified_by", String, nullable=False),
    Column("modified_at_ms", Integer, nullable=False),
    Column("archived_at_ms", Integer),
    # The site-wide change counter when anything of the page last changed: what followers of
    # "pages as they are" resume from. Never reused.
    Column("change", Integer, nullable=False),
    Column("status_reason", Text, nullable=False, default="", server_default=""),
    Column("protection", String, nullable=False, default="", server_default=""),  # a role, or ""
    # Which language it was said to be in (ISO 639-1); "" when that is told from the text.
    Column("language", String, nullable=False, default="", server_default=""),
    # The most that our people may do with what another site shares: a role, "" for our own.
    Column("bound", String, nullable=False, default="", server_default=""),
    UniqueConstraint("space_id", "slug"),
    Index("page_by_change", "change"),
    Index("page_by_recency", "space_id", text("modified_at_ms DESC"), "id"),
)

alias = Table(  # old addresses of a page; they keep working
    "alias",
    metadata,
    Column("space_id", ForeignKey("space.id", ondelete="CASCADE"), primary_key=True),
    Column("slug", String, primary_key=True),
    Column("page_id", ForeignKey("page.id", ondelete="CASCADE"), nullable=False, index=True),
)

page_tag = Table(
    "page_tag",
    metadata,
    Column("page_id", ForeignKey("page.id", ondelete="CASCADE"), primary_key=True),
    Column("tag", String, primary_key=True, index=True),
)

link = Table(  # kept by the link follower from each page's current text
    "link",
    metadata,
    Column("page_id", ForeignKey("page.id", ondelete="CASCADE"), primary_key=True),
    Column("space_slug", String, primary_key=True),  # of the target, resolved at writing time
    Column("slug", String, primary_key=True, index=True),
)

lease = Table(  # which Yjs client ids belong to whom on a page (gate, rule 5)
    "lease",
    metadata,
    Column("page_id", ForeignKey("page.id", ondelete="CASCADE"), primary_key=True),
    Column("client", Integer, primary_key=True),
    Column("person_id", String, nullable=False),
)

journal = Table(  # accepted bytes, durable, not yet sealed
    "journal",
    metadata,
    Column("n", Integer, primary_key=True, autoincrement=True),
    Column("page_id", ForeignKey("page.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("person_id", String, nullable=False),
    Column("at_ms", Integer, nullable=False),
    Column("via", String, nullable=False, default=""),  # "" typed; api | import | restore
    Column("update", LargeBinary, nullable=False),
    Column("crc32", Integer, nullable=False),  # of `update`: a record has a hash, this has not yet
    # Whose chain will hold it: "" ours, else the origin of a live frame. `seq`: of ours, the number
    # of the record that it is sealed in but which waits for others; of theirs, of the one to come.
    Column("chain", String, nullable=False, default="", server_default=""),
    Column("seq", Integer, nullable=False, default=0, server_default="0"),
    Column("evidence", Text, nullable=False, default="", server_default=""),  # of a live frame
    sqlite_autoincrement=True,
)

record = Table(  # the record of RECORD.md: append only
    "record",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=True),
    Column("id", String, nullable=False, unique=True),
    Column("page", String, nullable=False),  # the page or space whose chain it is in
    Column("chain", String, nullable=False),  # the site (origin) whose chain it is
    Column("seq", Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column("ts", Integer, nullable=False),
    Column("header", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    # Records that build on each other are applied in one go: the position of the first of them.
    Column("batch", Integer),
    UniqueConstraint("page", "chain", "seq"),
    Index("record_by_page", "page", "position"),
    Index("record_by_kind", "kind", "chain"),  # births and grants: few among many
    sqlite_autoincrement=True,
)

checkpoint = Table(  # a page's whole state after the records up to `position`: rebuildable
    "checkpoint",
    metadata,
    Column("page_id", ForeignKey("page.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("state", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),  # SHA-256 of `state`
)

comment = Table(  # what people say about a page, and the answers (`parent`); a view of the record
    "comment",
    metadata,
    Column("page_id", ForeignKey("page.id", ondelete="CASCADE"), primary_key=True),
    Column("id", String, primary_key=True),
    Column("parent", String),  # the comment that it answers
    Column("person_id", String, nullable=False, index=True),
    Column("at_ms", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("anchor", Text),  # JSON, as in the fact; None: about the whole page
    Column("resolved_by", String),
    Column("resolved_at_ms", Integer),
    Column("resolved_reason", Text, nullable=False, default=""),
)

voice = Table(  # who is for or against a page, who sponsors it; a view of the record
    "voice",
    metadata,
    Column("page_id", ForeignKey("page.id", ondelete="CASCADE"), primary_key=True),
    Column("person_id", String, primary_key=True, index=True),
    Column("kind", String, primary_key=True),  # vote | sponsor
    Column("value", Integer, nullable=False),
    Column("at_ms", Integer, nullable=False),
)

label = Table(  # what moments of a page's history are called; a view of the record
    "label",
    metadata,
    Column("page_id", ForeignKey("page.id", ondelete="CASCADE"), primary_key=True),
    Column("record_id", String, primary_key=True),
    Column("part", Integer, primary_key=True),  # so many parts into the record; 0: all of it
    Column("label", String, nullable=False),
    Column("person_id", String, nullable=False),
    Column("at_ms", Integer, nullable=False),
)

fork = Table(  # which page was made from which, as it was when; a view of the record
    "fork",
    metadata,
    Column("page_id", ForeignKey("page.id", ondelete="CASCADE"), primary_key=True),
    Column("parent_id", String, nullable=False, index=True),
    Column("moment", String, nullable=False),  # of the parent
    Column("person_id", String, nullable=False),
    Column("at_ms", Integer, nullable=False),
)

offer = Table(  # changes that a version offers to the page it was made from; a view of the record
    "offer",
    metadata,
    Column("page_id", ForeignKey("page.id", ondelete="CASCADE"), primary_key=True),
    Column("id", String, primary_key=True),
    Column("child_id", String, nullable=False, index=True),
    Column("moment", String, nullable=False),  # of the child
    Column("base", String, nullable=False),  # the moment of the page that the child began with
    Column("person_id", String, nullable=False, index=True),
    Column("at_ms", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", String, nullable=False, index=True),  # see wiki.version.State
    Column("answered_by", String),
    Column("answered_at_ms", Integer),
    Column("answer_reason", Text, nullable=False),
    Column("edits", Text, nullable=False),  # JSON: the records that acceptance made
)

weave = Table(  # what a page ever held, woven through the record at `position`: rebuildable
    "weave",
    metadata,
    Column("page_id", ForeignKey("page.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),  # SHA-256 of `data`
)

contribution = Table(  # how much of a page's sealed text is whose; kept by a follower
    "contribution",
    metadata,
    Column("page_id", ForeignKey("page.id", ondelete="CASCADE"), primary_key=True),
    Column("person_id", String, primary_key=True, index=True),
    Column("units", Integer, nullable=False),  # UTF-16
)

follower = Table(
    "follower",
    metadata,
    Column("name", String, primary_key=True),
    Column("position", Integer, nullable=False),
)

attachment = Table(
    "attachment",
    metadata,
    Column("id", String, primary_key=True),  # random; the file is named by `digest`
    Column("page_id", ForeignKey("page.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("digest", String, nullable=False, index=True),  # sha-256, hex
    Column("name", String, nullable=False),
    Column("media_type", String, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("person_id", String, nullable=False),
    Column("created_at_ms", Integer, nullable=False),
)

awaited_file = Table(  # files of pages whose bytes are not here yet; fetched from other sites
    "awaited_file",
    metadata,
    Column("digest", String, primary_key=True),
    Column("since_ms", Integer, nullable=False),
    Column("trouble", Text, nullable=False, default="", server_default=""),  # of the last try
    Column("is_refused", Boolean, nullable=False, default=False, server_default="0"),  # for good
)

peer = Table(  # another site
    "peer",
    metadata,
    Column("origin", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("address", String, nullable=False),
    Column("contact", String, nullable=False, default=""),
    Column("state", String, nullable=False),  # see wiki.peer.PeerState
    Column("created_at_ms", Integer, nullable=False),
    Column("contact_at_ms", Integer),  # when it last answered or called
    Column("skew_ms", Integer, nullable=False, default=0),  # its clock less ours
    Column("trouble", Text, nullable=False, default=""),  # why it was not reached last time
)

peer_key = Table(  # whose signatures we can check; also of sites that we know through others
    "peer_key",
    metadata,
    Column("origin", String, primary_key=True),
    Column("kid", String, primary_key=True),
    Column("public", String, nullable=False),  # base64url
)

held = Table(  # records that are whole, but wait for others: logged, not applied
    "held",
    metadata,
    Column("n", Integer, primary_key=True, autoincrement=True),
    Column("id", String, nullable=False, unique=True),
    Column("page", String, nullable=False),
    Column("chain", String, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("header", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("received_at_ms", Integer, nullable=False),
    Column("why", String, nullable=False, default=""),
    # Our own, come back after a fire or a restore: what it did to the tables is to be done again.
    Column("is_back", Boolean, nullable=False, default=False, server_default="0"),
    UniqueConstraint("page", "chain", "seq"),
    sqlite_autoincrement=True,
)

voucher = Table(  # `redact` records that wait, but sign what stands in the log
    "voucher",
    metadata,
    Column("id", String, primary_key=True),
    Column("page", String, nullable=False, index=True),
    Column("header", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

stopped = Table(  # chains that go no further here, and the proof of what is wrong with them
    "stopped",
    metadata,
    Column("page", String, primary_key=True),
    Column("chain", String, primary_key=True),
    Column("reason", String, nullable=False),
    Column("why", Text, nullable=False),
    Column("at_ms", Integer, nullable=False),
    Column("proofs", Text, nullable=False, default="[]"),  # [[header, signature in base64url], …]
)

refusal = Table(  # the last records that were refused, and why
    "refusal",
    metadata,
    Column("n", Integer, primary_key=True, autoincrement=True),
    Column("origin", String, nullable=False, index=True),
    Column("page", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("why", Text, nullable=False),
    Column("at_ms", Integer, nullable=False),
    sqlite_autoincrement=True,
)

share = Table(  # what `grant` records say: which site may do what in a space or page
    "share",
    metadata,
    Column("thing_id", String, primary_key=True),
    Column("origin", String, primary_key=True),
    Column("role", String, nullable=False),  # reader | commenter | editor
    Column("until_ms", Integer),
    Column("with_history", Boolean, nullable=False),
    Column("with_names", Boolean, nullable=False),
    Column("may_share_on", Boolean, nullable=False),
    Column("granted_at_ms", Integer, nullable=False),
    Column("revoked_at_ms", Integer),
    Column("by", String, nullable=False, default="", server_default=""),  # who passed it on
    Column("last", Text, nullable=False, default="{}"),  # page -> chain -> last number accepted
)

beginning = Table(  # from which record on a site gets what it was granted without its past
    "beginning",
    metadata,
    Column("thing_id", String, primary_key=True),
    Column("origin", String, primary_key=True),
    Column("position", Integer, nullable=False),  # 0: all of it is younger than the grant
)

compliance = Table(  # what sites say has become of a redaction: this one to others, they to us
    "compliance",
    metadata,
    Column("record_id", String, primary_key=True),  # of the `redact` record
    Column("origin", String, primary_key=True),  # who says so
    Column("is_done", Boolean, nullable=False),  # else kept, by policy
    Column("at_ms", Integer, nullable=False),
    Column("is_told", Boolean, nullable=False),
)

past = Table(  # what revisions took away and facts said, kept by the follower `past`
    "past",
    metadata,
    Column("n", Integer, primary_key=True, autoincrement=True),
    Column("page_id", ForeignKey("page.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("position", Integer, nullable=False),  # of the record
    Column("record_id", String, nullable=False),
    Column("before_id", String, nullable=False),  # the revision before it, "" for none
    Column("person_id", String, nullable=False),
    Column("at_ms", Integer, nullable=False),
    Column("act", String, nullable=False),  # edit | title | the name of a fact
    Column("text", Text, nullable=False),
    Column("reason", Text, nullable=False, default=""),
)

past_page = Table(  # up to where the follower `past` has read each page's record
    "past_page",
    metadata,
    Column("page_id", ForeignKey("page.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, nullable=False),
)

file_text = Table(  # what attached files say, by their digest
    "file_text",
    metadata,
    Column("digest", String, primary_key=True),
    Column("text", Text, nullable=False),
    Column("note", String, nullable=False, default=""),  # why there is none, or not all
)

repair = Table(  # pages that were built anew, and why: for whoever runs the site
    "repair",
    metadata,
    Column("n", Integer, primary_key=True, autoincrement=True),
    Column("page_id", ForeignKey("page.id", ondelete="CASCADE"), nullable=False),
    Column("at_ms", Integer, nullable=False),
    Column("what", Text, nullable=False),
    Column("epoch", Integer, nullable=False),  # the one that began
)

edition = Table("edition", metadata, Column("number", Integer, nullable=False))  # one row
