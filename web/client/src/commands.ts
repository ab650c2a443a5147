/** What the toolbar, the shortcuts and the slash menu do to the Markdown. */

import { EditorSelection, type ChangeSpec, type EditorState, type Line } from "@codemirror/state";
import type { EditorView } from "@codemirror/view";

type Command = (view: EditorView) => boolean;

export type LineKind = "bullet" | "number" | "task" | "quote" | "heading1" | "heading2" | "heading3" | "text";

const PREFIX = /^(\s*)((?:#{1,6} )|(?:> ?)|(?:[-*+] \[[ xX]\] )|(?:[-*+] )|(?:\d+[.)] ))?/;

/** Puts `mark` around each selected range, or takes it away when it is there. */
export function toggleMark(mark: string): Command {
  return (view) => {
    const { state } = view;
    const change = state.changeByRange((range) => {
      const { from, to } = wordOr(state, range.from, range.to);
      const before = state.sliceDoc(from - mark.length, from);
      const after = state.sliceDoc(to, to + mark.length);
      if (before === mark && after === mark && !isLonger(state, mark, from, to)) {
        return {
          changes: [
            { from: from - mark.length, to: from },
            { from: to, to: to + mark.length },
          ],
          range: EditorSelection.range(from - mark.length, to - mark.length),
        };
      }
      return {
        changes: [
          { from, insert: mark },
          { from: to, insert: mark },
        ],
        range: EditorSelection.range(from + mark.length, to + mark.length),
      };
    });
    view.dispatch(change, { userEvent: "input", scrollIntoView: true });
    return true;
  };
}

/** `*` next to another `*` belongs to `**`. */
function isLonger(state: EditorState, mark: string, from: number, to: number): boolean {
  if (mark !== "*") return false;
  const run = (text: string) => text.length;
  const before = /\**$/.exec(state.sliceDoc(Math.max(0, from - 3), from))?.[0] ?? "";
  const after = /^\**/.exec(state.sliceDoc(to, to + 3))?.[0] ?? "";
  return run(before) === 2 || run(after) === 2;
}

function wordOr(state: EditorState, from: number, to: number): { from: number; to: number } {
  if (from !== to) return { from, to };
  return state.wordAt(from) ?? { from, to };
}

/** Makes the selected lines of one kind; when all of them are already, plain text. */
export function setLines(kind: LineKind): Command {
  return (view) => {
    const { state } = view;
    const lines = selectedLines(state).filter((line, _, all) => line.length > 0 || all.length === 1);
    const wanted = lines.map((line, index) => prefixed(line.text, prefixOf(kind, index)));
    const isAlready = lines.every((line, index) => line.text === wanted[index]);
    const changes: ChangeSpec[] = lines.map((line, index) =>
      prefixChange(line, isAlready ? prefixed(line.text, "") : (wanted[index] ?? "")),
    );
    const set = state.changes(changes);
    const selection = state.selection.map(set, 1);
    view.dispatch({ changes: set, selection, userEvent: "input", scrollIntoView: true });
    return true;
  };
}

function prefixOf(kind: LineKind, index: number): string {
  switch (kind) {
    case "bullet":
      return "- ";
    case "number":
      return `${index + 1}. `;
    case "task":
      return "- [ ] ";
    case "quote":
      return "> ";
    case "text":
      return "";
    default:
      return `${"#".repeat(Number(kind.slice(-1)))} `;
  }
}

function prefixed(text: string, prefix: string): string {
  const [whole = "", indent = ""] = PREFIX.exec(text) ?? [];
  const kept = prefix.startsWith("#") ? "" : indent;
  return kept + prefix + text.slice(whole.length);
}

/** Only the part in front of the line's words is replaced. */
function prefixChange(line: Line, wanted: string): ChangeSpec {
  const words = line.text.length - (PREFIX.exec(line.text)?.[0].length ?? 0);
  return { from: line.from, to: line.to - words, insert: wanted.slice(0, wanted.length - words) };
}

function selectedLines(state: EditorState): Line[] {
  const lines = new Map<number, Line>();
  for (const { from, to } of state.selection.ranges) {
    for (let at = from; at <= to; ) {
      const line = state.doc.lineAt(at);
      lines.set(line.from, line);
      at = line.to + 1;
    }
  }
  return [...lines.values()];
}

/** `[words](address)`, with whichever is missing selected. */
export const insertLink: Command = (view) => {
  const { state } = view;
  const { from, to } = wordOr(state, state.selection.main.from, state.selection.main.to);
  const words = state.sliceDoc(from, to);
  const isAddress = /^https?:\/\/\S+$/.test(words);
  const insert = isAddress ? `[](${words})` : `[${words}](https://)`;
  const start = isAddress ? from + 1 : from + words.length + 3;
  const end = isAddress ? start : start + "https://".length;
  const selection = words === "" ? EditorSelection.cursor(from + 1) : EditorSelection.range(start, end);
  view.dispatch({ changes: { from, to, insert }, selection, userEvent: "input", scrollIntoView: true });
  return true;
};

/** Text on lines of its own below the cursor's line; `caret` counts from the text's start. */
export function insertBlock(text: string, caret: number): Command {
  return (view) => {
    const line = view.state.doc.lineAt(view.state.selection.main.head);
    const lead = line.text.trim() === "" ? "" : "\n\n";
    const from = lead === "" ? line.from : line.to;
    view.dispatch({
      changes: { from, to: line.to, insert: `${lead}${text}\n` },
      selection: EditorSelection.cursor(from + lead.length + caret),
      userEvent: "input",
      scrollIntoView: true,
    });
    return true;
  };
}

export const insertCode = insertBlock("```\n\n```", 4);
export const insertRule = insertBlock("---", 3);

/** Enter in a list, task or quote goes on with it; in an empty item it ends it. */
export const continueLine: Command = (view) => {
  const { state } = view;
  const { main } = state.selection;
  if (!main.empty || state.selection.ranges.length > 1) return false;
  const line = state.doc.lineAt(main.head);
  const [whole = "", indent = "", mark = ""] = PREFIX.exec(line.text) ?? [];
  if (mark === "" || mark.startsWith("#") || main.head < line.from + whole.length) return false;
  if (line.text.trim() === mark.trim()) {
    view.dispatch({ changes: { from: line.from, to: line.to }, userEvent: "delete" });
    return true;
  }
  const number = /^\d+/.exec(mark);
  const again = number ? mark.replace(number[0], String(Number(number[0]) + 1)) : mark.replace(/\[[xX]\]/, "[ ]");
  const insert = `\n${indent}${again}`;
  const selection = EditorSelection.cursor(main.head + insert.length);
  view.dispatch({ changes: { from: main.head, insert }, selection, userEvent: "input", scrollIntoView: true });
  return true;
};
