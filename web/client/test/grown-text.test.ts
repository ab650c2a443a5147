import assert from "node:assert/strict";
import { test } from "node:test";
import { JSDOM } from "jsdom";
import { GrownText, type Change, type Piece } from "../src/grown-text";
import { matched, wordsOf } from "../src/words";

globalThis.document = new JSDOM("<main></main>").window.document;

function grown(): GrownText {
  const element = document.createElement("div");
  return new GrownText(element, (pieces) => pieces.map(({ text, gone }) => document.createTextNode(gone ?? text)));
}

function shown(text: GrownText): string {
  text.draw();
  return [...text.element.children].map((line) => line.textContent).join("\n");
}

test("a text that grew by random changes is the string that did, and so is what is shown", () => {
  let seed = 1;
  const below = (most: number) => (seed = (seed * 48271) % 2147483647) % most;
  const words = ["a", "bc\n", "\n\n", "# d", "😀"];
  const text = grown();
  text.set([]);
  let wanted = "";
  for (let step = 1; step <= 400; step++) {
    const at = below(wanted.length + 1);
    const removed = below(4) === 0 ? Math.min(below(6), wanted.length - at) : 0;
    const change: Change = [at, removed, below(5) === 0 ? "" : (words[below(words.length)] as string)];
    text.apply([change], step % 3, step, false);
    wanted = wanted.slice(0, at) + change[2] + wanted.slice(at + removed);
    assert.equal(text.text, wanted);
    if (step % 7 === 0) assert.equal(shown(text), wanted);
  }
});

test("authors stay with their words, and what went is seen until it is forgotten", () => {
  const text = grown();
  const pieces: Piece[] = [{ text: "one two\nthree", who: 0, step: 1 }];
  text.set(pieces);
  text.apply([[4, 3, "2"]], 1, 2, true);
  assert.equal(shown(text), "one two2\nthree");
  assert.deepEqual(text.pieces.map(({ text, who, gone }) => [gone ?? text, who]), [["one ", 0], ["two", 1], ["2", 1], ["three", 0]]);
  text.unmark();
  assert.equal(shown(text), "one 2\nthree");
});

test("a paragraph is the lines between two empty ones", () => {
  const text = grown();
  text.set([{ text: "one\n\ntwo\nthree\n\nfour", who: 0, step: 1 }]);
  shown(text);
  assert.deepEqual(text.paragraphAt(text.element.children[3] as HTMLElement), [5, 15]);
  assert.equal(text.text.slice(5, 15), "two\nthree\n");
});

test("rendered words are found in their Markdown, past the words of addresses", () => {
  const source = wordsOf("# Why\n\nA [night school](https://example.org/night/school) for **all**.");
  const rendered = wordsOf("Why A night school for all.");
  const found = matched(rendered, source).map((at) => source[at]?.start);
  assert.deepEqual(found, [2, 7, 10, 16, 58, 64]);
});
