import assert from "node:assert/strict";
import { test } from "node:test";
import { backoff, hasUnacknowledged, initial, isSaved, next, type Effect, type Event, type State } from "../src/connection";

const vector = Uint8Array.of(0);
const update = Uint8Array.of(0, 0);
const start: Event = { type: "start" };
const opened: Event = { type: "opened" };
const typed: Event = { type: "typed" };
const tick: Event = { type: "tick" };
const step1: Event = { type: "message", message: { kind: "step1", vector } };
const step2: Event = { type: "message", message: { kind: "step2", update } };
const ack = (count: number): Event => ({ type: "message", message: { kind: "ack", count } });
const closed = (code: number): Event => ({ type: "closed", code });

function play(...events: Event[]): { state: State; effects: Effect["do"][]; last: Effect["do"][] } {
  let state = initial();
  const effects: Effect["do"][] = [];
  let last: Effect["do"][] = [];
  for (const event of events) {
    const [after, wanted] = next(state, event);
    state = after;
    last = wanted.map((effect) => effect.do);
    effects.push(...last);
  }
  return { state, effects, last };
}

const synced = [start, opened, step1, step2, ack(1)];

test("joining asks for the state, answers the server's question and is saved once that is durable", () => {
  assert.deepEqual(play(...synced).effects, ["open", "ask", "show-presence", "answer", "apply", "durable"]);
  assert.equal(isSaved(play(...synced).state), true);
});

test("it is not saved before both halves of the sync are done", () => {
  assert.equal(isSaved(play(start, opened, step2).state), false);
  assert.equal(isSaved(play(start, opened, step1, ack(1)).state), false);
});

test("keystrokes between two ticks travel in one frame", () => {
  const { effects, state } = play(...synced, typed, typed, typed, tick);
  assert.equal(effects.filter((effect) => effect === "schedule-tick").length, 1);
  assert.equal(effects.filter((effect) => effect === "send").length, 1);
  assert.equal(state.sent, 2);
});

test("typed, sent and acknowledged are three different things", () => {
  assert.equal(isSaved(play(...synced, typed).state), false);
  assert.equal(isSaved(play(...synced, typed, tick).state), false);
  assert.equal(isSaved(play(...synced, typed, tick, ack(1)).state), false);
  assert.equal(isSaved(play(...synced, typed, tick, ack(2)).state), true);
  assert.equal(isSaved(play(...synced, typed, tick, typed, ack(2)).state), false);
});

test("nothing is sent before the server's question was answered; the answer carries it", () => {
  const { effects, state } = play(start, opened, typed, tick, step1);
  assert.equal(effects.includes("send"), false);
  assert.equal(state.hasUnsent, false);
  assert.equal(state.sent, 1);
});

test("a lost connection makes what was not acknowledged unsent again, and tries again later", () => {
  const { state, last } = play(...synced, typed, tick, closed(1006));
  assert.deepEqual([state.phase, state.hasUnsent, state.sent, state.acked], ["waiting", true, 0, 0]);
  assert.deepEqual(last, ["retry-in"]);
  assert.equal(hasUnacknowledged(play(...synced, closed(1012)).state), false);
});

test("waits grow to half a minute and start small again after a sync", () => {
  assert.deepEqual([0, 1, 2, 20].map(backoff), [500, 1000, 2000, 2000]);
  assert.equal(play(start, closed(1006), { type: "retry" }, closed(1006)).state.attempt, 2);
  assert.equal(play(start, closed(1006), { type: "retry" }, opened, step1, step2).state.attempt, 0);
});

test("coming back online connects at once, and never twice", () => {
  assert.deepEqual(play(start, closed(1006), { type: "wake" }).last, ["open"]);
  assert.deepEqual(play(...synced, { type: "wake" }).last, []);
});

test("each close code that trying again cannot mend stops it for its own reason", () => {
  const reasons = [4400, 4401, 4403, 4404, 4409, 4413, 4422, 4423].map((code) => play(...synced, closed(code)).state.stop);
  assert.deepEqual(reasons, ["refused", "signed-out", "forbidden", "not-found", "epoch", "too-large", "refused", "refused"]);
  assert.deepEqual(play(...synced, closed(4409), { type: "wake" }, { type: "retry" }).last, []);
  assert.equal(play(...synced, closed(4429)).state.phase, "waiting");
  assert.equal(play(...synced, closed(4503)).state.phase, "waiting");
});

test("an acknowledgement of more than was sent, or of less than before, changes nothing", () => {
  assert.equal(play(...synced, ack(9)).state.acked, 1);
  assert.equal(play(...synced, typed, tick, ack(2), ack(1)).state.acked, 2);
});

test("a server that takes nothing now says why, and is asked again soon, until it answers", () => {
  const full: Event = { type: "closed", code: 4503, reason: "read-only: The disk is full." };
  const retry: Event = { type: "retry" };
  const many = Array.from({ length: 9 }, () => [retry, full]).flat();
  const { state } = play(...synced, full, ...many);
  assert.equal(state.trouble, "The disk is full.");
  const [, effects] = next({ ...state, phase: "connecting" }, full);
  assert.deepEqual(effects, [{ do: "retry-in", milliseconds: 2000 }]);
  assert.equal(play(...synced, full, retry, closed(1006)).state.trouble, "The disk is full.");
  assert.equal(play(...synced, full, retry, opened, step1, step2).state.trouble, "");
});
