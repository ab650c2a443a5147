import assert from "node:assert/strict";
import { test } from "node:test";
import * as Y from "yjs";
import { insertedText, Unsent } from "../src/unsent";

function updatesOf(act: (text: Y.Text) => void): Uint8Array[] {
  const doc = new Y.Doc();
  const updates: Uint8Array[] = [];
  doc.on("update", (update: Uint8Array) => updates.push(update));
  act(doc.getText("content"));
  return updates;
}

test("a draft is what was typed and not deleted again, emoji included", () => {
  const updates = updatesOf((text) => {
    text.insert(0, "Hello 👩‍🌾");
    text.insert(11, " שלום");
    text.delete(0, 6);
  });
  assert.equal(insertedText(updates), "👩‍🌾 שלום");
  assert.equal(insertedText([]), "");
});

test("a frame carries all that waited, and its acknowledgement forgets just that", async () => {
  const unsent = new Unsent();
  const updates = updatesOf((text) => ["a", "b", "c"].forEach((letter, at) => text.insert(at, letter)));
  updates.slice(0, 2).forEach((update, row) => unsent.add(update, Promise.resolve(row)));
  const doc = new Y.Doc();
  Y.applyUpdate(doc, unsent.take(1));
  assert.equal(doc.getText("content").toString(), "ab");
  unsent.add(updates[2] as Uint8Array, Promise.resolve(2));
  assert.deepEqual(await unsent.durable(1), [0, 1]);
  assert.equal(unsent.isEmpty, false);
});

test("after a new connection the answer to sync step 1 carries everything", async () => {
  const unsent = new Unsent();
  updatesOf((text) => text.insert(0, "x")).forEach((update) => unsent.add(update, Promise.resolve(5)));
  unsent.take(4);
  unsent.rewind();
  assert.deepEqual(await unsent.durable(9), []);
  unsent.allIn(1);
  assert.deepEqual(await unsent.durable(1), [5]);
});

test("what was typed counts as kept only when this browser has written it down", async () => {
  const unsent = new Unsent();
  const [update] = updatesOf((text) => text.insert(0, "x"));
  let written = (_row: number | null): void => undefined;
  const added = unsent.add(update as Uint8Array, new Promise<number | null>((resolve) => (written = resolve)));
  assert.equal(unsent.isKept, false);
  written(1);
  await added;
  assert.equal(unsent.isKept, true);
  await unsent.add(update as Uint8Array, Promise.resolve(null));
  assert.equal(unsent.isKept, false);
});
