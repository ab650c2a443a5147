/**
 * Tables as data: where each cell's text is in the Markdown, and the smallest change that does what
 * was asked. Nothing but the touched cell, row or column is rewritten.
 */

export interface Cell {
  from: number; // of the trimmed text; from === to when empty
  to: number;
  text: string; // with \| as |
  start: number; // just after the bar to its left
  end: number; // the bar to its right, or the line's end
  isClosed: boolean; // there is a bar to its right
}

export interface Table {
  from: number;
  to: number;
  rows: Cell[][]; // the first is the head; the delimiter row is not among them
  delimiter: Cell[];
  alignments: Alignment[];
  lines: { from: number; to: number }[]; // head, delimiter, body
}

export type Alignment = "" | "left" | "center" | "right";

export interface Change {
  from: number;
  to?: number;
  insert: string;
}

/** The table written in `source`, which starts at `offset` of the document; null if it is none. */
export function parseTable(source: string, offset: number): Table | null {
  const lines: Table["lines"] = [];
  let at = 0;
  for (const line of source.split("\n")) {
    lines.push({ from: offset + at, to: offset + at + line.length });
    at += line.length + 1;
  }
  const [head, delimiter, ...body] = lines.map(({ from, to }) =>
    cellsOf(source.slice(from - offset, to - offset), from),
  );
  if (head === undefined || delimiter === undefined) return null;
  if (!delimiter.every((cell) => /^:?-+:?$/.test(cell.text))) return null;
  const alignments = delimiter.map((cell) => alignmentOf(cell.text));
  return { from: offset, to: offset + source.length, rows: [head, ...body], delimiter, alignments, lines };
}

export function columnsOf(table: Table): number {
  return table.rows[0]?.length ?? 0;
}

/** A cell's text as it is written into a table. */
export function escapeCell(text: string): string {
  return text.replace(/\s*\n\s*/g, " ").replace(/\|/g, "\\|").trim();
}

/** Cell (`row`, `column`) says `text`. A short row gets the cells that it lacks. */
export function setCell(table: Table, row: number, column: number, text: string): Change[] {
  const cells = table.rows[row];
  if (cells === undefined) return [];
  const insert = escapeCell(text);
  const cell = cells[column];
  if (cell !== undefined) {
    if (cell.from === cell.to) return insert === "" ? [] : [fillCell(cell, insert)];
    return [{ from: cell.from, to: cell.to, insert }];
  }
  const line = table.lines[row === 0 ? 0 : row + 1];
  if (line === undefined || insert === "") return [];
  const isClosed = cells.at(-1)?.isClosed ?? true;
  const missing = "  |".repeat(Math.max(0, column - cells.length));
  return [{ from: line.to, insert: `${isClosed ? "" : " |"}${missing} ${insert} |` }];
}

/** A new empty row below row `row`; the head's new row comes under the delimiter. */
export function addRow(table: Table, row: number): Change[] {
  const line = table.lines[row + 1];
  if (line === undefined) return [];
  return [{ from: line.to, insert: "\n|" + "  |".repeat(columnsOf(table)) }];
}

/** A new empty column right of column `column`. */
export function addColumn(table: Table, column: number): Change[] {
  return table.lines.flatMap((_, index) => {
    const cell = cellsOfLine(table, index)[column];
    if (cell === undefined) return [];
    const fill = index === 1 ? " --- |" : "  |";
    if (cell.isClosed) return [{ from: cell.end + 1, insert: fill }];
    return [{ from: cell.end, insert: " |" + fill }];
  });
}

export function removeRow(table: Table, row: number): Change[] {
  const line = table.lines[row + 1];
  if (row === 0 || line === undefined) return [];
  return [{ from: line.from - 1, to: line.to, insert: "" }];
}

export function removeColumn(table: Table, column: number): Change[] {
  if (columnsOf(table) < 2) return [];
  return table.lines.flatMap((_, index) => {
    const cell = cellsOfLine(table, index)[column];
    if (cell === undefined) return [];
    return [{ from: cell.start, to: cell.isClosed ? cell.end + 1 : cell.end, insert: "" }];
  });
}

export function emptyTable(columns: number, rows: number): string {
  const line = "|" + "  |".repeat(columns);
  return [line, "|" + " --- |".repeat(columns), ...Array<string>(rows).fill(line)].join("\n");
}

/** What goes into an empty cell, with a space either side where there was none. */
function fillCell(cell: Cell, text: string): Change {
  const before = cell.from > cell.start ? "" : " ";
  const after = cell.end > cell.to ? "" : " ";
  return { from: cell.from, insert: before + text + after };
}

function cellsOfLine(table: Table, line: number): Cell[] {
  if (line === 1) return table.delimiter;
  return table.rows[line === 0 ? 0 : line - 1] ?? [];
}

/** The cells of one line that starts at `offset`. */
function cellsOf(line: string, offset: number): Cell[] {
  const bars: number[] = [];
  for (let at = 0; at < line.length; at++) {
    if (line[at] === "\\") at++;
    else if (line[at] === "|") bars.push(at);
  }
  const indent = line.length - line.trimStart().length;
  const edges = bars[0] === indent ? bars : [indent - 1, ...bars];
  const length = line.trimEnd().length;
  const cells: Cell[] = [];
  edges.forEach((edge, index) => {
    const bar = edges[index + 1];
    const start = edge + 1;
    if (bar === undefined && start >= length) return;
    cells.push(cellAt(line, offset, start, bar ?? length, bar !== undefined));
  });
  return cells;
}

function cellAt(line: string, offset: number, start: number, end: number, isClosed: boolean): Cell {
  const raw = line.slice(start, end);
  const text = raw.trim();
  // An empty cell's text goes after its first space.
  const lead = text === "" ? Math.min(1, raw.length) : raw.length - raw.trimStart().length;
  const from = offset + start + lead;
  const to = from + text.length;
  return { from, to, text: text.replace(/\\\|/g, "|"), start: offset + start, end: offset + end, isClosed };
}

function alignmentOf(delimiter: string): Alignment {
  const isLeft = delimiter.startsWith(":");
  if (delimiter.endsWith(":")) return isLeft ? "center" : "right";
  return isLeft ? "left" : "";
}
