import assert from "node:assert/strict";
import { test } from "node:test";
import { Text } from "@codemirror/state";
import { pieces } from "../src/cell-text";
import { markdownParser } from "../src/language";
import { previewRanges, type PreviewRange } from "../src/preview-ranges";
import { taskMarkers } from "../src/task-markers";

const FAR = 100_000;

function ranges(source: string, cursor = FAR): PreviewRange[] {
  const doc = Text.of(source.split("\n"));
  const selection = [{ from: cursor, to: cursor }];
  return previewRanges(markdownParser.parse(source), doc, selection, 0, doc.length);
}

/** What is left to see. */
function seen(source: string, cursor = FAR): string {
  let text = source;
  const hidden = ranges(source, cursor).filter(({ kind }) => kind === "hide");
  for (const { from, to } of hidden.sort((one, other) => other.from - one.from)) {
    text = text.slice(0, from) + text.slice(to);
  }
  return text;
}

test("marks are hidden away from the cursor", () => {
  assert.equal(seen("# Title"), "Title");
  assert.equal(seen("a **b** *c* ~~d~~ `e`"), "a b c d e");
  assert.equal(seen('see [words](https://e.org "why") now'), "see words now");
  assert.equal(seen("> quoted\n> more"), "quoted\nmore");
  assert.equal(seen("[[Title]] and [[space/Page|words]]"), "Title and words");
  assert.equal(seen("1\\. no list"), "1. no list");
});

test("marks show where the cursor is, and only there", () => {
  assert.equal(seen("# Title\n\n# Other", 3), "# Title\n\nOther");
  assert.equal(seen("a **b** *c*", 4), "a **b** c");
  assert.equal(seen("**b**x", 5), "**b**x");
  assert.equal(seen("**b**xy", 6), "bxy");
});

test("checkboxes, bullets, rules and pictures are shown as such", () => {
  const kinds = (source: string) => ranges(source).map(({ kind }) => kind).filter((kind) => !/hide|line|mark/.test(kind));
  assert.deepEqual(kinds("- [ ] one\n- [x] two"), ["checkbox", "checkbox"]);
  assert.deepEqual(kinds("- one"), ["bullet"]);
  assert.deepEqual(kinds("one\n\n---"), ["rule"]);
  assert.deepEqual(kinds("![alt](/a.png)"), ["picture"]);
});

test("code is left as it is", () => {
  assert.equal(seen("```js\n**a** [[b]]\n```"), "js\n**a** [[b]]\n");
  assert.equal(seen("`**a**`"), "**a**");
});

test("link targets are known for words and pages", () => {
  const targets = ranges("[a](/x) [[s/T|w]]").flatMap((range) => (range.kind === "link" ? [range.target] : []));
  assert.deepEqual(targets, ["/x", "s/T"]);
});

test("a table's cell shows its text without marks", () => {
  assert.deepEqual(pieces("a **b**"), [
    { text: "a ", classes: [] },
    { text: "b", classes: ["gs-strong"] },
  ]);
});

test("task markers are those of lists, not those in code", () => {
  const source = "- [ ] a\n\n```\n- [ ] no\n```\n\n1. [x] b";
  assert.deepEqual(taskMarkers(source), [2, source.indexOf("[x]")]);
});
