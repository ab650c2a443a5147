/**
 * Whether a page still has all that was promised: what clients were sent of others, and what of
 * theirs was acknowledged. Asked by a client that has nothing of its own, while all others are away.
 */

import { CountingClient } from "./counting_client.mjs";
import { Y } from "./libraries.mjs";
import { until } from "./waiting.mjs";

/** The page's state when it was last verified, by page: none of that may go either. */
const known = new Map();

/** `page` names the page between calls; the promises of `clients` are looked at once. */
export async function verify(url, clients, page) {
  const reader = new CountingClient(url);
  await until(reader, () => reader.isSynced, "the reader is synced");
  const found = new Y.Doc();
  Y.applyUpdate(found, Y.encodeStateAsUpdate(reader.doc));
  const state = Y.encodeStateAsUpdate(found);
  const before = Y.snapshot(found);
  reader.destroy();

  const promises = new Map();
  for (const client of clients) {
    for (const update of client.durable) promises.set(Buffer.from(update).toString("latin1"), update);
    client.durable = [];
  }
  if (known.has(page)) promises.set("state", known.get(page));
  for (const update of promises.values()) Y.applyUpdate(found, update);
  const { pendingStructs, pendingDs } = found.store;
  known.set(page, state);
  return {
    isWhole: Y.equalSnapshots(before, Y.snapshot(found)) && !pendingStructs && !pendingDs,
    text: String(reader.text),
    promises: promises.size,
    bytes: state.length,
  };
}
