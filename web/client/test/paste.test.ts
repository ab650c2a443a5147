import assert from "node:assert/strict";
import { test } from "node:test";
import { JSDOM } from "jsdom";
import { isRich, markdownOf } from "../src/paste";

function body(html: string): Element {
  return new JSDOM(html).window.document.body;
}

const converted = (html: string) => markdownOf(body(html));

test("paragraphs, marks and links become Markdown", () => {
  const html = '<p>A <b>bold </b>and <i>it</i>, <s>gone</s>, <code>x*y</code>, <a href="https://e.org/a(b)">link</a></p><p>two</p>';
  assert.equal(converted(html), "A **bold** and *it*, ~~gone~~, `x*y`, [link](https://e.org/a%28b%29)\n\ntwo");
});

test("headings, rules, quotes and code keep their kind", () => {
  const html = '<h2>T</h2><hr><blockquote><p>a</p><p>b</p></blockquote><pre><code class="language-js">a\n  b</code></pre>';
  assert.equal(converted(html), "## T\n\n---\n\n> a\n>\n> b\n\n```js\na\n  b\n```");
});

test("lists nest, and number from where they start", () => {
  assert.equal(converted("<ul><li>a<ul><li>b</li></ul></li><li><p>c</p></li></ul>"), "- a\n  - b\n- c");
  assert.equal(converted('<ol start="3"><li>a</li><li>b</li></ol>'), "3. a\n4. b");
  assert.equal(converted('<ul><li><input type="checkbox" checked> a</li></ul>'), "- [x] a");
});

test("a table becomes one, bars escaped", () => {
  const html = "<table><tr><th>a</th><th>b|c</th></tr><tr><td>1</td></tr></table>";
  assert.equal(converted(html), "| a | b\\|c |\n| --- | --- |\n| 1 |  |");
});

test("what scripts and styles say is left out, and addresses that run something", () => {
  assert.equal(converted('<style>a{}</style><script>x()</script><p><a href="javascript:x()">t</a><img src="data:x"></p>'), "t");
});

test("text that looks like Markdown stays text", () => {
  assert.equal(converted("<p>2 * 3 [x] `a`</p><p>- no list</p><p>1. no</p>"), "2 \\* 3 \\[x\\] \\`a\\`\n\n\\- no list\n\n1\\. no");
});

test("word processors' spans are understood", () => {
  assert.equal(
    converted('<b style="font-weight:normal"><p><span style="font-weight:700">bold</span> not</p></b>'),
    "**bold** not",
  );
});

test("only what says more than its plain text is rich", () => {
  assert.equal(isRich(body("<div>plain</div>")), false);
  assert.equal(isRich(body("<p><b>x</b></p>")), true);
});
