"""Files that belong to pages: checked, stored under their digest, kept once however often added.

The type is told from the bytes, never from what the sender says; what no reader needs is refused.
"""

from __future__ import annotations

import hashlib
import struct
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, bindparam, func, select

from wiki import durable
from wiki.errors import BadInput, NotFound, TooLarge
from wiki.names import new_token
from wiki.store.tables import attachment as table
from wiki.store.tables import awaited_file

MAX_BYTES: Final = 25 * 1024 * 1024
MAX_NAME_CHARS: Final = 150
MAX_ZIP_ENTRIES: Final = 20_000  # listing more takes memory out of proportion
UNSHOWN: Final = frozenset(("Cc", "Cf", "Cs", "Co"))
JOINERS: Final = "\u200c\u200d"  # Persian and emoji are written with them
# Shown in the page; everything else is only ever downloaded.
INLINE: Final = frozenset(
    f"{family}/{kind}"
    for family, kinds in (
        ("image", ("png", "jpeg", "gif", "webp", "avif")),
        ("audio", ("mpeg", "ogg", "mp4")),
    )
    for kind in kinds
)
_OF_PAGE = (
    select(table)
    .where(table.c.page_id == bindparam("of"))
    .order_by(table.c.created_at_ms.desc(), table.c.name)
)
_OFFICE = "application/vnd.openxmlformats-officedocument"
_ZIPPED = {  # a member that each kind of ZIP has
    "word/document.xml": f"{_OFFICE}.wordprocessingml.document",
    "xl/workbook.xml": f"{_OFFICE}.spreadsheetml.sheet",
    "ppt/presentation.xml": f"{_OFFICE}.presentationml.presentation",
}
_TEXTS = {".txt": "text/plain", ".csv": "text/csv", ".md": "text/markdown"}
KINDS_IN_WORDS = (
    "pictures (png, jpeg, gif, webp, avif), sound (mp3, ogg, m4a), PDF, office files "
    "(docx, xlsx, pptx, odt), text (txt, csv, md) and zip"
)


@dataclass(frozen=True, slots=True)
class Attachment:
    """`digest` is the SHA-256 of the bytes, in hex; the file is named by it."""

    id: str
    page_id: str
    digest: str
    name: str
    media_type: str
    size_bytes: int
    person_id: str
    created_at_ms: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """On disk, but of no page yet."""

    digest: str
    name: str
    media_type: str
    size_bytes: int


def accept(folder: Path, name: str, data: bytes) -> Prepared:
    """Check the file and make it durable. Blocks. Raises BadInput, TooLarge."""
    if not data:
        raise BadInput("file", "it is empty; choose another one")
    if len(data) > MAX_BYTES:
        raise TooLarge("The file", len(data), MAX_BYTES)
    shown = check_name(name)
    media_type = sniff(shown, data)
    digest = hashlib.sha256(data).hexdigest()
    _write(folder / digest, data)
    return Prepared(digest, shown, media_type, len(data))


def add(
    conn: Connection,
    prepared: Prepared,
    page_id: str,
    person_id: str,
    now_ms: int,
    quota_bytes: int,
    attachment_id: str | None = None,
) -> Attachment:
    """The file is the page's now. Raises TooLarge when the site holds more than its quota."""
    check_quota(conn, prepared.size_bytes, quota_bytes)
    made = Attachment(
        attachment_id or new_token(),
        page_id,
        prepared.digest,
        prepared.name,
        prepared.media_type,
        prepared.size_bytes,
        person_id,
        now_ms,
    )
    values = {field: getattr(made, field) for field in Attachment.__slots__}
    conn.execute(table.insert().values(**values))
    return made


def check_quota(conn: Connection, size_bytes: int, quota_bytes: int) -> None:
    """Whether so much more has room. Raises TooLarge; ask before the file is on disk, too."""
    total = stored_bytes(conn) + size_bytes
    if total > quota_bytes:
        raise TooLarge("Storage for files, with this one,", total, quota_bytes)


def by_id(conn: Connection, attachment_id: str) -> Attachment:
    """Raises NotFound."""
    row = conn.execute(select(table).where(table.c.id == attachment_id)).first()
    if row is None:
        raise NotFound("file", attachment_id)
    return Attachment(**row._mapping)


def of_page(conn: Connection, page_id: str) -> list[Attachment]:
    """Newest first."""
    return [Attachment(**row._mapping) for row in conn.execute(_OF_PAGE, {"of": page_id})]


def stored_bytes(conn: Connection) -> int:
    """What all files that are here take, each content counted once."""
    each = select(table.c.digest, func.max(table.c.size_bytes).label("size")).where(
        table.c.digest.not_in(select(awaited_file.c.digest))
    )
    each_once = each.group_by(table.c.digest).subquery()
    return int(conn.scalar(select(func.coalesce(func.sum(each_once.c.size), 0))) or 0)


def path(folder: Path, attachment: Attachment) -> Path:
    return folder / attachment.digest


_NOT_WHOLE = (  # what zipfile raises for archives that are damaged, or made to look like ones
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
    struct.error,
)


def check_name(name: str) -> str:
    """The last part of `name`, as it can stand in an address. Raises BadInput."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1].strip(" .")
    if not last or any(
        unicodedata.category(char) in UNSHOWN for char in last if char not in JOINERS
    ):
        raise BadInput("file", "its name is empty or cannot be shown; rename it")
    stem, dot, suffix = last.rpartition(".")
    if len(last) > MAX_NAME_CHARS and dot:
        suffix = suffix[:20]
        return f"{stem[: MAX_NAME_CHARS - len(suffix) - 1]}.{suffix}"
    return last[:MAX_NAME_CHARS]


def sniff(name: str, data: bytes) -> str:
    """The media type that the bytes show. Raises BadInput for what is not taken."""
    found = _by_magic(data) or _by_zip(data) or _by_text(name, data)
    if found is None:
        raise BadInput("file", f"this kind of file is not taken; send {KINDS_IN_WORDS}")
    return found


def _by_magic(data: bytes) -> str | None:
    head = data[:16]
    if head.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        return {b"avif": "image/avif", b"avis": "image/avif", b"M4A ": "audio/mp4"}.get(brand)
    if head.startswith(b"\xff") and len(data) > 3 and data[1] in (0xFB, 0xF3, 0xF2, 0xFA):
        return "audio/mpeg"
    for start, media_type in (
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"%PDF-", "application/pdf"),
        (b"OggS", "audio/ogg"),
        (b"ID3", "audio/mpeg"),
    ):
        if head.startswith(start):
            return media_type
    return None


def _by_zip(data: bytes) -> str | None:
    if not data.startswith(b"PK\x03\x04"):
        return None
    if data.count(b"PK\x01\x02") > MAX_ZIP_ENTRIES:
        return "application/zip"
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            members = set(archive.namelist())
            if "mimetype" in members and _is_short(archive.getinfo("mimetype")):
                kind = archive.read("mimetype").decode("ascii", "replace")
                if kind.startswith("application/vnd.oasis.opendocument."):
                    return kind
    except _NOT_WHOLE:
        return None
    found = (kind for member, kind in _ZIPPED.items() if member in members)
    return next(found, "application/zip")


def _is_short(member: zipfile.ZipInfo) -> bool:
    """What others than these unpack may want gigabytes of memory, whatever its size."""
    is_plain = member.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    return is_plain and member.file_size < 100


def _by_text(name: str, data: bytes) -> str | None:
    media_type = _TEXTS.get(Path(name).suffix.casefold())
    if media_type is None or b"\0" in data:
        return None
    try:
        data.decode()
    except UnicodeDecodeError:
        return None
    return media_type


def _write(target: Path, data: bytes) -> None:
    """Durably, its name too, also when it was there: whoever put it may have died before that."""
    if target.exists() and target.stat().st_size == len(data):
        durable.sync(target)
    else:
        durable.make_folder(target.parent)
        draft = target.with_name(f"{target.name}.{new_token()[:8]}.new")
        durable.write(draft, data)
        draft.replace(target)
    durable.sync(target.parent)
