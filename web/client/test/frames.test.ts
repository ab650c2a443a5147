import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, encode, type Message } from "../src/frames";

test("every message survives encode and decode", () => {
  const bytes = Uint8Array.from({ length: 300 }, (_, index) => index % 256);
  const messages: Message[] = [
    { kind: "step1", vector: bytes },
    { kind: "step2", update: bytes },
    { kind: "update", update: bytes },
    { kind: "presence", payload: bytes },
    { kind: "query-presence" },
    { kind: "ack", count: 70_000 },
  ];
  for (const message of messages) assert.deepEqual(decode(encode(message)), message);
});

test("the bytes are those that the server names", () => {
  assert.deepEqual([...encode({ kind: "update", update: Uint8Array.of(7) })], [0, 2, 1, 7]);
  assert.deepEqual([...encode({ kind: "ack", count: 300 })], [120, 0xac, 2]);
  assert.equal(decode(Uint8Array.of(99)).kind, "unknown");
});
