import assert from "node:assert/strict";
import { test } from "node:test";
import { marked, rows, type Answer } from "../src/switcher-rows";

const text = (title: readonly { text: string }[]) => title.map((part) => part.text).join("");
const hits = (title: string, words: string) => marked(title, words).filter((part) => part.isHit).map((part) => part.text);
const page = { title: "Night shift lamps", url: "/s/a/night-shift-lamps", space_title: "Alpha", status: "declined", why: "visited" } as const;
const answer: Answer = { pages: [page], spaces: [{ slug: "a", title: "Alpha" }, { slug: "b", title: "Beta" }] };

test("words are marked where they begin with what was typed, and the title stays as it is", () => {
  assert.deepEqual(hits("Night shift lamps", "la NIGHT"), ["Night", "la"]);
  assert.deepEqual(hits("Élan & élégance", "él"), ["Él", "él"]);
  assert.deepEqual(hits("Clamps", "la"), []);
  assert.equal(text(marked("A  <b>odd</b> title…", "odd t")), "A  <b>odd</b> title…");
});

test("pages come first, then the search and the new idea, in the space that one is in", () => {
  const drawn = rows(answer, "lamps & co", "b");
  assert.deepEqual(drawn.map((row) => row.kind), ["page", "search", "new"]);
  assert.deepEqual([drawn[0]?.about, drawn[0]?.isSeen], ["Alpha · declined", true]);
  assert.equal(drawn[1]?.url, "/search?q=lamps+%26+co");
  assert.deepEqual([text(drawn[2]!.title), drawn[2]?.about, drawn[2]?.url], ["New idea “lamps & co”", "Beta", "/s/b/new?kind=idea&title=lamps+%26+co"]);
});

test("in no space, each that may be meant is offered; nothing typed is nothing to search for", () => {
  const drawn = rows(answer, "", "");
  assert.deepEqual(drawn.map((row) => row.kind), ["page", "new", "new"]);
  assert.equal(drawn[1]?.url, "/s/a/new?kind=idea");
  assert.deepEqual(rows({ pages: [], spaces: [] }, "", ""), []);
});
