/** Recorded editing histories, typed again through clients. Positions count characters there. */

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { ROOT, Y } from "./libraries.mjs";
import { until } from "./waiting.mjs";

const AT_ONCE = 25; // transactions typed before frames go out

const read = (file) => JSON.parse(gunzipSync(readFileSync(file)));

/** UTF-16 offset of the `characters`-th character of `text`. */
function utf16(text, characters) {
  let at = 0;
  for (let left = characters; left > 0; left--) at += text.codePointAt(at) > 0xffff ? 2 : 1;
  return at;
}

const isAstral = /[\u{10000}-\u{10ffff}]/u;

function type(doc, text, patches) {
  doc.transact(() => {
    for (const [position, deleted, inserted] of patches) {
      let [from, length] = [position, deleted];
      const whole = doc.isAstral ? String(text) : null;
      if (whole !== null) {
        from = utf16(whole, position);
        length = utf16(whole.slice(from), deleted);
      }
      if (length) text.delete(from, length);
      if (inserted) text.insert(from, inserted);
      doc.isAstral ||= isAstral.test(inserted);
    }
  });
}

/**
 * A sequential history by one client, `AT_ONCE` transactions a frame. Behind each transaction of
 * `marks` the text so far is named on the server.
 */
export async function replayAlone(client, { file, limit = Infinity, marks = [], naming }) {
  const { startContent, txns } = read(file);
  if (startContent) type(client.doc, client.text, [[0, 0, startContent]]);
  const count = Math.min(limit, txns.length);
  const [marked, names] = [new Set(marks), []];
  for (let at = 0; at < count; at++) {
    type(client.doc, client.text, txns[at].patches);
    if (at % AT_ONCE === 0) await new Promise(setImmediate);
    if (marked.has(at)) names.push({ revision: await named([client], naming, at), has: [at] });
    if (client.sent - client.acked > 100) await until(client, () => client.sent - client.acked < 10, "it keeps up");
  }
  await until(client, () => client.isSaved, "the history is saved");
  return { transactions: count, names };
}

/** Gives what the server has of `clients` a name; the revision's id. */
async function named(clients, { url, token }, at) {
  const isThere = (client) => client.isSynced && client.sent === client.acked;
  for (const client of clients) {
    if (!client.isHolding) client.flush();
    await until(client, () => isThere(client), `${at} is on the server`);
  }
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify({ label: `after ${at}` }) });
  if (answer.status !== 201) throw new Error(await answer.text());
  return (await answer.json()).id;
}

/**
 * A concurrent history by two clients. What one typed travels when the other's next transaction was
 * made after it, and not before: so each types in exactly the text of its transaction's parents.
 */
export async function replayTogether(clients, { file, limit = Infinity, marks = [], naming }) {
  const waiting = clients.map(() => []); // transactions whose update is still unsent
  for (const client of clients) client.isHolding = true;
  const [marked, names] = [new Set(marks), []];
  let merges = 0;
  for (const { at, agent, patches, since } of history(file, limit)) {
    const [client, other] = [clients[agent], clients[1 - agent]];
    const due = waiting[1 - agent].filter((one) => one <= since).length;
    if (due > 0) {
      waiting[1 - agent].splice(0, due);
      const { heard } = client;
      other.flush(due);
      await until(client, () => client.heard > heard, `${at} may be typed`);
      merges++;
    }
    const before = client.unsent.length;
    type(client.doc, client.text, patches);
    if (client.unsent.length > before) waiting[agent].push(at);
    if (!marked.has(at)) continue;
    const has = waiting.map((unsent) => (unsent[0] ?? at + 1) - 1);
    names.push({ revision: await named(clients, naming, at), has });
  }
  for (const client of clients) {
    client.flush();
    client.isHolding = false;
  }
  for (const client of clients) await until(client, () => client.isSaved, "the history is saved");
  return { merges, names };
}

/**
 * The same without any server: the text that Yjs alone makes of it, and who wrote what in it; also
 * for each of `marks` (the newest transaction of each agent that counts there).
 */
export function replayOffline({ file, limit = Infinity, clientIds, marks = [] }) {
  const docs = clientIds.map((clientId) => Object.assign(new Y.Doc(), { clientID: clientId }));
  const texts = docs.map((doc) => doc.getText(ROOT));
  const waiting = docs.map(() => []);
  const typed = docs.map(() => []);
  let at = -1;
  docs.forEach((doc, agent) => {
    doc.on("update", (update, origin) => {
      if (origin === "other") return;
      waiting[agent].push([at, update]);
      typed[agent].push([at, update]);
    });
  });
  const { startContent } = read(file);
  if (startContent) type(docs[0], texts[0], [[0, 0, startContent]]);
  for (const one of history(file, limit)) {
    ({ at } = one);
    receive(one.agent, one.since);
    type(docs[one.agent], texts[one.agent], one.patches);
  }
  receive(0, Infinity);
  receive(1, Infinity);
  const [text, other] = texts.map(String);
  if (text !== other) throw new Error("Yjs does not agree with itself.");
  return { text, authors: authors(texts[0]), marks: seen() };

  /** What a third one had seen at each mark. */
  function seen() {
    const doc = new Y.Doc();
    const text = doc.getText(ROOT);
    return marks.map((newest) => {
      newest.forEach((last, agent) => {
        const theirs = typed[agent];
        while (theirs.length > 0 && theirs[0][0] <= last) Y.applyUpdate(doc, theirs.shift()[1]);
      });
      return { text: String(text), authors: authors(text) };
    });
  }

  function receive(agent, through) {
    const theirs = waiting[1 - agent];
    while (theirs.length > 0 && theirs[0][0] <= through) {
      Y.applyUpdate(docs[agent], theirs.shift()[1], "other");
    }
  }
}

/** Each transaction, with the newest one of the other agent (`since`) that it was made after. */
function* history(file, limit) {
  const { txns } = read(file);
  const heads = []; // transaction -> the newest of each agent in its history
  for (let at = 0; at < Math.min(limit, txns.length); at++) {
    const { agent = 0, parents = at > 0 ? [at - 1] : [], patches } = txns[at];
    const head = [-1, -1];
    for (const parent of parents) heads[parent].forEach((seen, one) => (head[one] = Math.max(head[one], seen)));
    yield { at, agent, patches, since: head[1 - agent] };
    head[agent] = at;
    heads.push(head);
  }
}

/** Who wrote what: [client id, text] from the front, joined. */
export function authors(text) {
  const found = [];
  for (let item = text._start; item !== null; item = item.right) {
    if (item.deleted || !item.countable) continue;
    const last = found.at(-1);
    if (last?.[0] === item.id.client) last[1] += item.content.str;
    else found.push([item.id.client, item.content.str]);
  }
  return found;
}
