import assert from "node:assert/strict";
import { test } from "node:test";
import * as tables from "../src/tables";

const SOURCE = "| Plant | Months |\n|:--|--:|\n| Beans |5–9|\n| a \\| b | |";

function changed(source: string, act: (table: tables.Table) => tables.Change[]): string {
  const table = tables.parseTable(source, 0);
  assert.ok(table);
  let text = source;
  for (const { from, to = from, insert } of act(table).sort((one, other) => other.from - one.from)) {
    text = text.slice(0, from) + insert + text.slice(to);
  }
  return text;
}

test("cells are found whatever their spacing, and escaped bars are text", () => {
  const table = tables.parseTable(SOURCE, 0);
  assert.deepEqual(table?.rows.map((row) => row.map((cell) => cell.text)), [["Plant", "Months"], ["Beans", "5–9"], ["a | b", ""]]);
  assert.deepEqual(table?.alignments, ["left", "right"]);
  assert.equal(tables.parseTable("| a |\nno delimiter", 0), null);
});

test("a cell's change touches only that cell", () => {
  assert.equal(changed(SOURCE, (table) => tables.setCell(table, 1, 1, "6|7")), SOURCE.replace("5–9", "6\\|7"));
  assert.equal(changed(SOURCE, (table) => tables.setCell(table, 2, 1, "x")), SOURCE.replace("b | |", "b | x |"));
});

test("a row that is too short gets the cells that it lacks", () => {
  const source = "| a | b | c |\n| - | - | - |\n| 1 |";
  assert.equal(changed(source, (table) => tables.setCell(table, 1, 2, "3")), `${source}  | 3 |`);
});

test("rows and columns come and go without touching other cells", () => {
  assert.equal(changed(SOURCE, (table) => tables.addRow(table, 0)), SOURCE.replace("--:|\n", "--:|\n|  |  |\n"));
  const wider = changed(SOURCE, (table) => tables.addColumn(table, 1));
  assert.equal(wider, "| Plant | Months |  |\n|:--|--:| --- |\n| Beans |5–9|  |\n| a \\| b | |  |");
  assert.equal(changed(wider, (table) => tables.removeColumn(table, 2)), SOURCE);
  assert.equal(changed(SOURCE, (table) => tables.removeRow(table, 1)), SOURCE.replace("| Beans |5–9|\n", ""));
});

test("tables without outer bars can be edited too", () => {
  const source = "a | b\n- | -\n1 | 2";
  assert.deepEqual(tables.parseTable(source, 0)?.rows[1]?.map((cell) => cell.text), ["1", "2"]);
  assert.equal(changed(source, (table) => tables.setCell(table, 1, 1, "22")), `${source}2`);
  assert.equal(changed(source, (table) => tables.addColumn(table, 1)), "a | b |  |\n- | - | --- |\n1 | 2 |  |");
});

test("a new table is one", () => {
  assert.equal(tables.parseTable(tables.emptyTable(3, 2), 0)?.rows.length, 3);
});
