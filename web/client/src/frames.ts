/**
 * The frames of `/sync/{page id}`, one message each: y-protocols PROTOCOL.md, and message 120 (how
 * many of this connection's frames of sync steps 1 and 2 are durable). Mirrors `sync/protocol.py`.
 */

import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";

export type Message =
  | { kind: "step1"; vector: Uint8Array }
  | { kind: "step2"; update: Uint8Array }
  | { kind: "update"; update: Uint8Array }
  | { kind: "presence"; payload: Uint8Array }
  | { kind: "query-presence" }
  | { kind: "ack"; count: number }
  | { kind: "unknown" };

const SYNC = 0;
const PRESENCE = 1;
const QUERY_PRESENCE = 3;
const ACK = 120;

export function encode(message: Message): Uint8Array<ArrayBuffer> {
  const out = encoding.createEncoder();
  switch (message.kind) {
    case "step1":
      return withBytes(out, [SYNC, 0], message.vector);
    case "step2":
      return withBytes(out, [SYNC, 1], message.update);
    case "update":
      return withBytes(out, [SYNC, 2], message.update);
    case "presence":
      return withBytes(out, [PRESENCE], message.payload);
    case "query-presence":
      encoding.writeVarUint(out, QUERY_PRESENCE);
      return encoding.toUint8Array(out) as Uint8Array<ArrayBuffer>;
    case "ack":
      encoding.writeVarUint(out, ACK);
      encoding.writeVarUint(out, message.count);
      return encoding.toUint8Array(out) as Uint8Array<ArrayBuffer>;
    case "unknown":
      throw new Error("An unknown message has no frame.");
  }
}

/** The message in `frame`; what we do not know is `unknown`, never an error. */
export function decode(frame: Uint8Array): Message {
  const input = decoding.createDecoder(frame);
  switch (decoding.readVarUint(input)) {
    case SYNC: {
      const step = decoding.readVarUint(input);
      const bytes = decoding.readVarUint8Array(input);
      if (step === 0) return { kind: "step1", vector: bytes };
      if (step === 1) return { kind: "step2", update: bytes };
      return step === 2 ? { kind: "update", update: bytes } : { kind: "unknown" };
    }
    case PRESENCE:
      return { kind: "presence", payload: decoding.readVarUint8Array(input) };
    case QUERY_PRESENCE:
      return { kind: "query-presence" };
    case ACK:
      return { kind: "ack", count: decoding.readVarUint(input) };
    default:
      return { kind: "unknown" };
  }
}

function withBytes(out: encoding.Encoder, head: number[], bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  for (const number of head) encoding.writeVarUint(out, number);
  encoding.writeVarUint8Array(out, bytes);
  return encoding.toUint8Array(out) as Uint8Array<ArrayBuffer>;
}
