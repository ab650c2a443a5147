import assert from "node:assert/strict";
import { test } from "node:test";
import { initial, type State } from "../src/connection";
import { statusOf } from "../src/status";

const synced: State = { ...initial(), phase: "open", hasHeard: true, hasAnswered: true, sent: 3, acked: 3 };
const word = (state: State, mayEdit = true, isKept = true) => statusOf({ state, mayEdit, isKept }).word;

test("Saved needs the two integers equal and nothing waiting", () => {
  assert.equal(word(synced), "Saved");
  assert.equal(word({ ...synced, acked: 2 }), "Saving");
  assert.equal(word({ ...synced, hasUnsent: true }), "Saving");
  assert.equal(word({ ...synced, hasAnswered: false }), "Saving");
});

test("without a connection it says Offline, and whether what is unsent is kept", () => {
  const waiting: State = { ...synced, phase: "waiting", attempt: 1 };
  assert.equal(word(waiting), "Offline");
  assert.equal(word({ ...waiting, hasUnsent: true }), "Offline – kept in this browser");
  assert.equal(word({ ...waiting, hasUnsent: true }, true, false), "Offline");
});

test("a reader is told so, and a stop names its reason", () => {
  assert.equal(word(synced, false), "Read-only");
  assert.equal(word({ ...synced, phase: "stopped", stop: "signed-out" }), "Signed out");
  assert.equal(word({ ...synced, phase: "stopped", stop: "forbidden", hasUnsent: true }), "Read-only – kept in this browser");
});

test("a server that takes nothing now is told in its own words", () => {
  const waiting: State = { ...synced, phase: "waiting", attempt: 1, trouble: "The disk is full." };
  const { word: said, explanation } = statusOf({ state: waiting, mayEdit: true, isKept: true });
  assert.deepEqual([said, explanation], ["Not saving", "The disk is full."]);
  assert.equal(word({ ...waiting, phase: "open", hasUnsent: true }), "Not saving – kept in this browser");
});
