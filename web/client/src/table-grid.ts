/** Tables stay a grid while they are edited: a block widget whose cells write back to the Markdown. */

import { ensureSyntaxTree, syntaxTree } from "@codemirror/language";
import { EditorSelection, RangeSet, StateField, type EditorState, type Extension } from "@codemirror/state";
import { Decoration, EditorView, WidgetType, keymap, type DecorationSet } from "@codemirror/view";
import { cellNodes } from "./cell-text";
import * as tables from "./tables";

const PARSE_MS = 20;

class Grid extends WidgetType {
  constructor(readonly source: string) {
    super();
  }

  override eq(other: Grid): boolean {
    return other.source === this.source;
  }

  toDOM(view: EditorView): HTMLElement {
    const frame = document.createElement("div");
    frame.className = "gs-grid";
    frame.contentEditable = "false";
    const table = document.createElement("table");
    frame.append(table);
    if (!view.state.readOnly) frame.append(buttons(view, frame));
    draw(view, table, this.source);
    listen(view, frame);
    return frame;
  }

  /** Keeps the elements, so that the cell being typed in keeps its caret. */
  override updateDOM(frame: HTMLElement, view: EditorView): boolean {
    const table = frame.querySelector("table");
    if (table === null) return false;
    draw(view, table, this.source);
    return true;
  }

  override ignoreEvent(): boolean {
    return true;
  }
}

function draw(view: EditorView, element: HTMLTableElement, source: string): void {
  const table = tables.parseTable(source, 0);
  if (table === null) return;
  const columns = tables.columnsOf(table);
  const focused = placeOf(element.contains(document.activeElement) ? document.activeElement : null);
  while (element.rows.length > table.rows.length) element.deleteRow(-1);
  table.rows.forEach((cells, row) => {
    const line = element.rows[row] ?? element.insertRow();
    while (line.cells.length > columns) line.deleteCell(-1);
    for (let column = 0; column < columns; column++) {
      const cell = line.cells[column] ?? line.appendChild(newCell(view, row, column));
      const align = table.alignments[column] ?? "";
      if (cell.dataset["align"] !== align) cell.dataset["align"] = align;
      write(cell, cells[column]?.text ?? "");
    }
  });
  if (focused === null || focused.cell.isConnected || !element.isConnected) return;
  const row = Math.min(focused.row, table.rows.length - 1); // its own row or column is gone
  element.rows[row]?.cells[Math.min(focused.column, columns - 1)]?.focus();
}

function newCell(view: EditorView, row: number, column: number): HTMLTableCellElement {
  const cell = document.createElement(row === 0 ? "th" : "td");
  cell.dir = "auto";
  if (view.state.readOnly) return cell;
  cell.contentEditable = "plaintext-only";
  if (cell.contentEditable !== "plaintext-only") cell.contentEditable = "true";
  cell.setAttribute("aria-label", `Row ${row + 1}, column ${column + 1}`);
  return cell;
}

/** Sets a cell's text; in the cell that has the caret it is the Markdown, and the caret stays. */
function write(cell: HTMLElement, text: string): void {
  const isOwn = document.activeElement === cell;
  if (!isOwn) {
    if (cell.dataset["text"] !== text || cell.dataset["text"] === undefined) cell.replaceChildren(...cellNodes(text));
    cell.dataset["text"] = text;
    return;
  }
  cell.dataset["text"] = text;
  const shown = cell.textContent ?? "";
  if (shown === text || (isOwn && tables.escapeCell(shown) === tables.escapeCell(text))) return;
  const selection = document.getSelection();
  const caret = selection?.anchorOffset ?? 0;
  const common = commonStart(shown, text);
  cell.textContent = text;
  if (selection === null) return;
  const moved = caret <= common ? caret : caret + text.length - shown.length;
  const node = cell.firstChild;
  if (node !== null) selection.collapse(node, Math.max(0, Math.min(text.length, moved)));
}

function commonStart(one: string, other: string): number {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at++;
  return at;
}

interface Place {
  row: number;
  column: number;
}

function placeOf(target: EventTarget | null): (Place & { cell: HTMLTableCellElement }) | null {
  const element = target instanceof Node ? target : null;
  const cell = (element instanceof Element ? element : element?.parentElement)?.closest<HTMLTableCellElement>("td,th");
  const line = cell?.parentElement;
  if (!cell || !(line instanceof HTMLTableRowElement)) return null;
  return { row: line.rowIndex, column: cell.cellIndex, cell };
}

function listen(view: EditorView, frame: HTMLElement): void {
  frame.addEventListener("input", (event) => {
    const place = placeOf(event.target);
    const table = tableOf(view, frame);
    if (place === null || table === null) return;
    const text = place.cell.textContent ?? "";
    if ((table.rows[place.row]?.[place.column]?.text ?? "") === text.trim()) return;
    apply(view, tables.setCell(table, place.row, place.column, text), "input.type");
  });
  frame.addEventListener("focusin", (event) => {
    const place = placeOf(event.target);
    if (place === null) return;
    frame.dataset["at"] = `${place.row},${place.column}`;
    place.cell.textContent = place.cell.dataset["text"] ?? "";
  });
  frame.addEventListener("focusout", (event) => {
    const cell = placeOf(event.target)?.cell;
    if (cell !== undefined) cell.replaceChildren(...cellNodes(cell.dataset["text"] ?? ""));
  });
  frame.addEventListener("keydown", (event) => {
    const place = placeOf(event.target);
    if (place !== null && pressed(view, frame, place, event)) event.preventDefault();
    event.stopPropagation();
  });
}

/** True when the key was one of ours. */
function pressed(view: EditorView, frame: HTMLElement, place: Place, event: KeyboardEvent): boolean {
  const table = tableOf(view, frame);
  if (table === null || event.isComposing) return false;
  const { row, column } = place;
  switch (event.key) {
    case "Tab":
      return step(view, frame, table, place, event.shiftKey ? -1 : 1);
    case "Enter":
      if (row + 1 === table.rows.length) apply(view, tables.addRow(table, row), "input");
      return focusCell(frame, row + 1, column) || true;
    case "ArrowDown":
      return focusCell(frame, row + 1, column) || leaveBelow(view, table);
    case "ArrowUp":
      return row > 0 ? focusCell(frame, row - 1, column) : leave(view, table.from - 1);
    case "Escape":
      return leaveBelow(view, table);
    case "z":
    case "y": {
      if (!event.metaKey && !event.ctrlKey) return false;
      const isRedo = event.key === "y" || event.shiftKey;
      const inputType = isRedo ? "historyRedo" : "historyUndo";
      view.contentDOM.dispatchEvent(new InputEvent("beforeinput", { inputType, cancelable: true }));
      return true;
    }
    default:
      return false;
  }
}

function step(view: EditorView, frame: HTMLElement, table: tables.Table, place: Place, by: number): boolean {
  const columns = tables.columnsOf(table);
  const index = place.row * columns + place.column + by;
  if (index < 0) return leave(view, table.from - 1);
  const row = Math.floor(index / columns);
  if (row >= table.rows.length) apply(view, tables.addRow(table, place.row), "input");
  return focusCell(frame, row, index % columns);
}

function focusCell(frame: HTMLElement, row: number, column: number): boolean {
  const cell = frame.querySelector("table")?.rows[row]?.cells[column];
  if (cell === undefined) return false;
  cell.focus();
  document.getSelection()?.selectAllChildren(cell);
  return true;
}

/** Puts the caret into the text at `position`. */
function leave(view: EditorView, position: number): boolean {
  if (position < 0) return false;
  view.focus();
  view.dispatch({ selection: { anchor: position }, scrollIntoView: true });
  return true;
}

/** To the line below the table; it is made where the document ends. */
function leaveBelow(view: EditorView, { to }: tables.Table): boolean {
  if (to === view.state.doc.length) view.dispatch({ changes: { from: to, insert: "\n" }, userEvent: "input" });
  return leave(view, to + 1);
}

function buttons(view: EditorView, frame: HTMLElement): HTMLElement {
  const bar = document.createElement("div");
  bar.className = "gs-grid-bar";
  const add = (label: string, change: (table: tables.Table, place: Place) => tables.Change[]) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.addEventListener("mousedown", (event) => event.preventDefault());
    button.addEventListener("click", () => {
      const table = tableOf(view, frame);
      const [row = 0, column = 0] = (frame.dataset["at"] ?? "0,0").split(",").map(Number);
      if (table !== null) apply(view, change(table, { row, column }), "input");
    });
    bar.append(button);
  };
  // The head's row is followed by the delimiter: a row below it is the first of the body.
  add("+ Row", (table, { row }) => tables.addRow(table, row));
  add("+ Column", (table, { column }) => tables.addColumn(table, column));
  add("− Row", (table, { row }) => tables.removeRow(table, row));
  add("− Column", (table, { column }) => tables.removeColumn(table, column));
  return bar;
}

function apply(view: EditorView, changes: tables.Change[], userEvent: string): void {
  if (changes.length > 0) view.dispatch({ changes, userEvent });
}

/** The table that `frame` shows, as it is in the document now. */
function tableOf(view: EditorView, frame: HTMLElement): tables.Table | null {
  const at = view.posAtDOM(frame);
  let found: tables.Table | null = null;
  view.state.field(grids).between(at, at, (from, to) => {
    found = tables.parseTable(view.state.sliceDoc(from, to), from);
  });
  return found;
}

function findGrids(state: EditorState): DecorationSet {
  const tree = ensureSyntaxTree(state, state.doc.length, PARSE_MS) ?? syntaxTree(state);
  const ranges = [];
  for (let node = tree.topNode.firstChild; node !== null; node = node.nextSibling) {
    if (node.name !== "Table") continue;
    const from = state.doc.lineAt(node.from).from;
    const to = state.doc.lineAt(node.to).to;
    const source = state.sliceDoc(from, to);
    if (tables.parseTable(source, 0) === null) continue;
    ranges.push(Decoration.replace({ widget: new Grid(source), block: true }).range(from, to));
  }
  return RangeSet.of(ranges);
}

const grids = StateField.define<DecorationSet>({
  create: findGrids,
  update(found, transaction) {
    const isParsed = syntaxTree(transaction.startState) !== syntaxTree(transaction.state);
    return transaction.docChanged || isParsed ? findGrids(transaction.state) : found;
  },
  provide: (field) => [
    EditorView.decorations.from(field),
    EditorView.atomicRanges.of((view) => view.state.field(field)),
  ],
});

/** Up and down go into a table's cells, Backspace and Delete never take a whole table away. */
function enter(by: -1 | 1, isDelete: boolean): (view: EditorView) => boolean {
  return (view) => {
    const { main } = view.state.selection;
    if (!main.empty) return false;
    const line = view.state.doc.lineAt(main.head);
    if (isDelete && main.head !== (by < 0 ? line.from : line.to)) return false;
    if (!isDelete) {
      const { head } = view.moveVertically(main, by > 0);
      if (head !== main.head && head >= line.from && head <= line.to) return false; // a wrapped line
    }
    const edge = by < 0 ? line.from - 1 : line.to + 1;
    if (edge < 0 || edge > view.state.doc.length) return false;
    let start: number | null = null;
    view.state.field(grids).between(edge, edge, (from) => void (start = from));
    if (start === null) return false;
    const frame = [...view.contentDOM.querySelectorAll<HTMLElement>(".gs-grid")].find(
      (candidate) => view.posAtDOM(candidate) === start,
    );
    const rows = frame?.querySelector("table")?.rows.length ?? 0;
    return frame !== undefined && focusCell(frame, by < 0 ? rows - 1 : 0, 0);
  };
}

/** What is typed on the line next to a table gets a blank line between: else it would join the table. */
const apart = EditorView.inputHandler.of((view, from, to, text) => {
  const line = view.state.doc.lineAt(from);
  if (line.length > 0 || from !== to || text === "\n") return false;
  const found = view.state.field(grids);
  let insert = text;
  let caret = from + text.length;
  found.between(Math.max(0, from - 1), from, (_start, end) => {
    if (end !== from - 1) return;
    insert = `\n${text}`;
    caret = from + insert.length;
  });
  found.between(from, Math.min(view.state.doc.length, from + 1), (start) => {
    if (start === from + 1) insert = `${insert}\n`;
  });
  if (insert === text) return false;
  view.dispatch({ changes: { from, insert }, selection: { anchor: caret }, userEvent: "input.type", scrollIntoView: true });
  return true;
});

export const tableGrid: Extension = [
  grids,
  apart,
  keymap.of([
    { key: "ArrowDown", run: enter(1, false) },
    { key: "ArrowUp", run: enter(-1, false) },
    { key: "Backspace", run: enter(-1, true) },
    { key: "Delete", run: enter(1, true) },
  ]),
];

/** Puts a new table on lines of its own and the caret after it. */
export function insertTable(view: EditorView): boolean {
  const line = view.state.doc.lineAt(view.state.selection.main.head);
  const lead = line.length > 0 ? "\n\n" : "";
  const text = `${lead}${tables.emptyTable(3, 2)}\n\n`;
  view.dispatch({
    changes: { from: line.to, insert: text },
    selection: EditorSelection.cursor(line.to + text.length),
    userEvent: "input",
    scrollIntoView: true,
  });
  return true;
}
