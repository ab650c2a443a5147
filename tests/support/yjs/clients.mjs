/**
 * Many Yjs clients in one process, told what to do by lines of JSON on stdin; see `../yjs_clients.py`.
 *
 *     {"id": 1, "do": "open", "name": "eve", "url": "ws://…", "kind": "stock" | "counting"}
 *     {"id": 1, "result": …}  or  {"id": 1, "error": "…"}
 */

import { createInterface } from "node:readline";
import { Chance } from "./chance.mjs";
import { CountingClient } from "./counting_client.mjs";
import { histories, read } from "./histories.mjs";
import { Y } from "./libraries.mjs";
import { authors, replayAlone, replayOffline, replayTogether } from "./replay.mjs";
import { StockClient } from "./stock_client.mjs";
import { typeByChance } from "./typing.mjs";
import { until } from "./waiting.mjs";
import { verify } from "./witness.mjs";

const KINDS = { stock: StockClient, counting: CountingClient };
const LONG = 2000; // units; from there on rather less is typed than deleted
const AHEAD = 3; // frames
const AHEAD_OFFLINE = 5; // changes
const clients = new Map();
process.setMaxListeners(0); // y-websocket wants to hear of its end, once for each client

function of(name) {
  const client = clients.get(name);
  if (!client) throw new Error(`There is no client ${name}.`);
  return client;
}

const commands = {
  /** Joins a page; done once both have what the other has. */
  async open({ name, url, kind, ...given }) {
    const client = new KINDS[kind](url, given);
    clients.set(name, client);
    await until(client, () => client.isSynced, `${name} is synced`);
    return { clientId: client.doc.clientID };
  },

  /** `edits`: [UTF-16 offset, units deleted, text inserted], one transaction each. */
  edit({ name, edits }) {
    const { doc, text } = of(name);
    for (const [at, deleted, inserted] of edits) {
      doc.transact(() => {
        if (deleted) text.delete(at, deleted);
        if (inserted) text.insert(at, inserted);
      });
    }
  },

  /**
   * Types about every `every` milliseconds until `stop`, but, like a program that looks whether it is
   * saved, never far ahead of the acknowledgements. Numbered words if `isNumbered`.
   */
  type({ name, every, seed, isNumbered = false, deleting = 0.25 }) {
    const client = of(name);
    const chance = new Chance(seed);
    client.typed_count ??= 0;
    const again = () => {
      client.typing = setTimeout(again, every * (0.5 + chance.next()));
      if (client.sent - client.acked >= AHEAD || client.unsent?.length >= AHEAD_OFFLINE) return;
      client.typed_count++;
      const word = isNumbered ? `${name}:${client.typed_count} ` : null;
      typeByChance(chance, client.doc, client.text, {
        word,
        deleting: deleting > 0 && client.text.length > LONG ? 0.9 : deleting,
      });
    };
    client.typing = setTimeout(again, every * chance.next());
  },

  stop({ name }) {
    clearTimeout(of(name).typing);
  },

  /** Done once both have what the other has, or had just now. */
  async synced({ name }) {
    const client = of(name);
    const closes = () => JSON.stringify(client.closes.slice(-3));
    await until(client, () => client.isSynced, `${name} is synced`).catch((error) => {
      throw new Error(`${error.message} It was closed with ${closes()}, and is ${client.isOpen ? "" : "not "}open.`);
    });
  },

  /** How many frames of all of them are durable since they last connected. */
  acked: ({ names }) => names.reduce((sum, name) => sum + of(name).acked, 0),

  /** Done once nothing of it is unacknowledged. */
  async saved({ name }) {
    const client = of(name);
    await until(client, () => client.isSaved, `${name} is saved`);
    return this.state({ name });
  },

  /** Done once the client has a text, by its own sync alone. */
  async has({ name, text }) {
    const client = of(name);
    await until(client, () => String(client.text) === text, `${name} has the text`);
  },

  /** How far clients of one page are from each other. */
  alike({ names }) {
    const all = names.map(of);
    const texts = new Set(all.map(({ text }) => String(text)));
    const vectors = new Set(all.map(({ doc }) => Buffer.from(sortedVector(doc)).toString("base64")));
    const unsaved = all.filter(({ isSaved }) => !isSaved).length;
    return { texts: texts.size, vectors: vectors.size, unsaved };
  },

  /** How many have not caught up with the server since they last connected. */
  apart: ({ names }) => names.filter((name) => !of(name).isSynced).length,

  /** Those that have not, and why: their last closes, and how far they have come since. */
  stragglers: ({ names }) =>
    names.filter((name) => !of(name).isSynced).map((name) => {
      const { isOpen, isOnline, hasHeard, hasAnswered, closes, attempt } = of(name);
      return { name, isOpen, isOnline, hasHeard, hasAnswered, attempt, closes: closes.slice(-3) };
    }),

  state({ name }) {
    const { doc, text, isOpen, isSaved, closes, sent, acked, typed_count = 0 } = of(name);
    const vector = Object.fromEntries(Y.decodeStateVector(Y.encodeStateVector(doc)));
    return { text: String(text), vector, isOpen, isSaved, closes, sent, acked, typed: typed_count };
  },

  disconnect({ names }) {
    for (const name of names) of(name).disconnect();
  },

  connect({ names }) {
    for (const name of names) of(name).connect();
  },

  close({ names }) {
    for (const name of names) {
      clearTimeout(of(name).typing);
      of(name).destroy();
      clients.delete(name);
    }
  },

  verify: ({ url, names, page }) => verify(url, names.map(of), page),
  replayAlone: ({ name, ...given }) => replayAlone(of(name), given),
  replayTogether: ({ names, ...given }) => replayTogether(names.map(of), given),
  histories,
  read,
  replayOffline,
  authors: ({ name }) => authors(of(name).text),
};

function sortedVector(doc) {
  const entries = [...Y.decodeStateVector(Y.encodeStateVector(doc))];
  return JSON.stringify(entries.sort(([one], [other]) => one - other));
}

async function answer(line) {
  const { id, do: command, ...given } = JSON.parse(line);
  try {
    const result = (await commands[command](given)) ?? null;
    return { id, result };
  } catch (error) {
    return { id, error: String(error.stack ?? error) };
  }
}

const lines = createInterface({ input: process.stdin });
lines.on("line", async (line) => process.stdout.write(JSON.stringify(await answer(line)) + "\n"));
lines.on("close", () => process.exit(0));
