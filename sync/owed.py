"""What one connection is owed at the end of a tick, as frames; from then on it is owed nothing.
Pure."""

from __future__ import annotations

from collections.abc import Mapping

from sync import protocol
from sync.connection import Connection
from sync.presence import Presence, serialise
from wiki import text
from wiki.gate import encode_state_vector


def frames(
    connection: Connection,
    update: bytes,
    changed: bytes,
    *,
    doc: text.Document,
    vector: Mapping[int, int],
    presence: Presence,
) -> list[bytes]:
    """`update` and `changed` are what the tick brought that it has not sent itself, of the text and
    of who is there; `vector` is the document's."""
    found = _of_text(connection, update, doc, vector)
    found += _of_presence(connection, changed, presence)
    if connection.wants_acks and connection.acked_frames != connection.taken_frames:
        connection.acked_frames = connection.taken_frames
        found.append(protocol.encode(protocol.Ack(connection.acked_frames)))
    return found


def _of_text(
    connection: Connection, update: bytes, doc: text.Document, vector: Mapping[int, int]
) -> list[bytes]:
    found = []
    if not connection.is_greeted or connection.wants_our_vector:
        found.append(protocol.encode(protocol.SyncStep1(encode_state_vector(vector))))
        connection.wants_our_vector = False
    if connection.wants_state_since is not None:
        missing = text.diff_since(doc, connection.wants_state_since)
        found.append(protocol.encode(protocol.SyncStep2(missing)))
    elif connection.missed_from is not None:
        missing = text.diff_since(doc, connection.missed_from)
        found.append(protocol.encode(protocol.Update(missing)))
    elif update:
        found.append(update)
    connection.wants_state_since = connection.missed_from = None
    return found


def _of_presence(connection: Connection, changed: bytes, presence: Presence) -> list[bytes]:
    wants_all = connection.wants_everyone or connection.missed_presence or not connection.is_greeted
    connection.wants_everyone = connection.missed_presence = False
    connection.is_greeted = True
    if not wants_all:
        return [changed] if changed else []
    everyone = presence.entries()
    return [protocol.encode(protocol.Awareness(serialise(everyone)))] if everyone else []
