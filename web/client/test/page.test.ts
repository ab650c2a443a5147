import assert from "node:assert/strict";
import { test } from "node:test";
import { relativeTime } from "../src/page";
import { initialsOf, inkOn, personOf } from "../src/presence";
import { target } from "../src/toolbar";

test("times are told in the language and unit that fit", () => {
  const now = Date.UTC(2026, 0, 2);
  assert.equal(relativeTime(now - 20_000, now, "en"), "now");
  assert.equal(relativeTime(now - 3 * 3_600_000, now, "en"), "3 hours ago");
  assert.equal(relativeTime(now - 86_400_000, now, "de"), "gestern");
});

test("initials work in any script, and ink is readable on any colour", () => {
  assert.equal(initialsOf("Ann Maria Smith"), "AS");
  assert.equal(initialsOf("דנה"), "ד");
  assert.deepEqual([inkOn("#ffffff"), inkOn("#1d4ed8")], ["#000", "#fff"]);
});

test("a presence that is not what it should be is somebody all the same", () => {
  assert.deepEqual(personOf(null), { id: "", name: "Someone", color: "#64748b" });
  assert.equal(personOf({ user: { color: "red; x" } }).color, "#64748b");
});

test("arrow keys go round the toolbar, the other way in right-to-left pages", () => {
  assert.equal(target("ArrowRight", 2, 3, false), 0);
  assert.equal(target("ArrowRight", 0, 3, true), 2);
  assert.equal(target("End", 0, 3, false), 2);
  assert.equal(target("x", 0, 3, false), null);
});
