/**
 * Random histories of several authors and a server between them, by Yjs alone.
 *
 * The server here is a Y.Doc that takes frames tick by tick and hands out what it took, as ours
 * does. What reached it is told as events, so that ours can be given the same:
 *
 *     ["join", author, isStock]   ["leave", author]   ["frame", author, base64]   ["tick"]
 *
 * Authors send what honest clients may: in order within a socket, in frames of one or many changes,
 * twice, as the answer to a state vector after a break, and (stock) without waiting for that answer.
 */

import { Chance } from "./chance.mjs";
import { ROOT, Y, encoding } from "./libraries.mjs";
import { typeByChance } from "./typing.mjs";

const base64 = (bytes) => Buffer.from(bytes).toString("base64");

function frame(step, payload) {
  const out = encoding.createEncoder();
  encoding.writeVarUint(out, 0);
  encoding.writeVarUint(out, step);
  encoding.writeVarUint8Array(out, payload);
  return encoding.toUint8Array(out);
}

class Author {
  constructor(history, index) {
    Object.assign(this, { history, index, isOnline: false, sent: [] });
    this.doc = new Y.Doc();
    this.doc.clientID = history.chance.below(2 ** 32);
    this.text = this.doc.getText(ROOT);
    this.isStock = history.chance.next() < 0.3;
    this.doc.on("update", (update, origin) => origin !== "server" && this.unsent.push(update));
    this.unsent = [];
  }

  join() {
    Object.assign(this, { isOnline: true, isGreeted: false, isAsked: false, hasAnswered: false, incoming: [], outgoing: [] });
    this.history.events.push(["join", this.index, this.isStock]);
    this.vector = Y.encodeStateVector(this.doc);
    this.send(0, this.vector);
    if (!this.isStock) this.unsent = []; // the answer carries it
  }

  leave() {
    this.isOnline = false;
    this.history.events.push(["leave", this.index]);
  }

  /** Into the socket; it arrives at once or later, but in order. */
  send(step, payload) {
    this.outgoing.push([step, payload]);
  }

  type() {
    const { chance } = this.history;
    for (let left = 1 + chance.below(6); left > 0; left--) typeByChance(chance, this.doc, this.text);
  }

  flush() {
    const mayFlush = this.isOnline && (this.isStock || this.hasAnswered);
    if (!mayFlush || this.unsent.length === 0) return;
    const count = this.isStock ? 1 : 1 + this.history.chance.below(this.unsent.length);
    const update = Y.mergeUpdates(this.unsent.splice(0, count));
    this.send(2, update);
    this.sent.push(update);
  }

  /** Some of what waits in the socket is there now. */
  arrive() {
    const { chance, taken, events } = this.history;
    for (let left = chance.below(this.outgoing.length + 1); left > 0; left--) {
      const [step, payload] = this.outgoing.shift();
      events.push(["frame", this.index, base64(frame(step, payload))]);
      if (step > 0) taken.push([this.index, payload]);
    }
  }

  again() {
    if (this.isOnline && this.hasAnswered && this.sent.length) this.send(2, this.history.chance.of(this.sent));
  }

  hear() {
    if (!this.isOnline) return;
    for (let left = this.history.chance.below(this.incoming.length + 1); left > 0; left--) {
      const [vector, update] = this.incoming.shift();
      if (update) Y.applyUpdate(this.doc, update, "server");
      if (!vector) continue;
      this.send(1, Y.encodeStateAsUpdate(this.doc, vector));
      this.hasAnswered = true;
      this.unsent = [];
    }
  }
}

class History {
  constructor(seed) {
    this.chance = new Chance(seed);
    Object.assign(this, { events: [], taken: [], gaps: 0 });
    this.doc = new Y.Doc();
    this.doc.getText(ROOT);
    this.authors = Array.from({ length: 2 + this.chance.below(5) }, (_, index) => new Author(this, index));
  }

  /** What came is in the text, and everybody hears of it. */
  tick() {
    this.events.push(["tick"]);
    const before = Y.encodeStateVector(this.doc);
    const updates = this.taken.splice(0).filter(([index, update]) => this.takes(index, update));
    for (const author of this.authors) {
      if (!author.isOnline) continue;
      if (!author.isGreeted) {
        author.isGreeted = true;
        author.isAsked = false;
        const missing = Y.encodeStateAsUpdate(this.doc, author.vector);
        author.incoming.push([Y.encodeStateVector(this.doc), missing]);
      } else if (updates.length) {
        author.incoming.push([null, Y.encodeStateAsUpdate(this.doc, before)]);
      }
      if (author.isAsked) author.incoming.push([Y.encodeStateVector(this.doc), null]);
      author.isAsked = false;
    }
  }

  /** Whether `update` is in the text now; else it came too early, and its author is asked again. */
  takes(index, update) {
    const author = this.authors[index];
    if (author.isStock && !this.isComplete(update)) {
      this.gaps++;
      author.isAsked = true;
      return false;
    }
    Y.applyUpdate(this.doc, update);
    return true;
  }

  isComplete(update) {
    const trial = new Y.Doc();
    trial.getText(ROOT);
    for (const one of [Y.encodeStateAsUpdate(this.doc), update]) Y.applyUpdate(trial, one);
    return trial.store.pendingStructs === null && trial.store.pendingDs === null;
  }

  /** One step by chance. */
  step() {
    const author = this.chance.of(this.authors);
    const dice = this.chance.next();
    if (dice < 0.35) author.type();
    else if (dice < 0.55) author.flush();
    else if (dice < 0.7) author.isOnline ? author.arrive() : author.join();
    else if (dice < 0.82) author.hear();
    else if (dice < 0.85) author.again();
    else if (dice < 0.9) author.isOnline && author.leave();
    else this.tick();
  }

  /** Until all have been on line, undisturbed, and have heard everything. */
  settle() {
    for (const author of this.authors) if (!author.isOnline) author.join();
    for (let round = 0; round < 100_000; round++) {
      for (const author of this.authors) {
        author.hear();
        author.flush();
        author.arrive();
      }
      this.tick();
      const isDone = (one) => !one.unsent.length && !one.incoming.length && !one.outgoing.length && one.hasAnswered;
      if (this.authors.every(isDone)) break;
    }
  }

  told() {
    const [text, ...others] = [this.doc, ...this.authors.map((one) => one.doc)].map((doc) => String(doc.getText(ROOT)));
    if (others.some((other) => other !== text)) throw new Error("Yjs does not agree with itself.");
    return { authors: this.authors.length, gaps: this.gaps, events: this.events, text, vector: vectorOf(this.doc) };
  }
}

const vectorOf = (doc) => Object.fromEntries(Y.decodeStateVector(Y.encodeStateVector(doc)));

/** `count` histories, of seeds from `seed` on. */
export function histories({ seed, count }) {
  const found = [];
  for (let number = 0; number < count; number++) {
    const history = new History(seed + number);
    for (let left = 20 + history.chance.below(180); left > 0; left--) history.step();
    history.settle();
    found.push({ seed: seed + number, ...history.told() });
  }
  return found;
}

/** What real Yjs makes of updates (base64) that our server handed out, list by list. */
export function read({ updates }) {
  return updates.map((list) => {
    const doc = new Y.Doc();
    const text = doc.getText(ROOT);
    for (const update of list) Y.applyUpdate(doc, Buffer.from(update, "base64"));
    const isPending = doc.store.pendingStructs !== null || doc.store.pendingDs !== null;
    return { text: String(text), vector: vectorOf(doc), isPending };
  });
}
