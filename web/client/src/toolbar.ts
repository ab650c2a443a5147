/** The toolbar: one tab stop, arrow keys inside (WAI-ARIA toolbar pattern). */

import type { EditorView } from "@codemirror/view";
import { insertCode, insertLink, setLines, toggleMark } from "./commands";
import { insertTable } from "./table-grid";

export interface Tool {
  label: string;
  sign: string;
  keys?: string;
  className?: string;
  run(view: EditorView): boolean;
}

const isMac = /Mac|iPhone|iPad/.test(globalThis.navigator?.userAgent ?? "");
const MOD = isMac ? "⌘" : "Ctrl+";
const ALT = isMac ? "⌥" : "Alt+";
const SHIFT = isMac ? "⇧" : "Shift+";

export function toolsWith(
  undo: (view: EditorView) => boolean,
  redo: (view: EditorView) => boolean,
  choosePicture: (view: EditorView) => boolean,
): Tool[] {
  return [
    { label: "Undo", sign: "↶", keys: `${MOD}Z`, run: undo },
    { label: "Redo", sign: "↷", keys: `${MOD}${SHIFT}Z`, run: redo },
    { label: "Heading", sign: "H", keys: `${MOD}${ALT}2`, run: setLines("heading2"), className: "gs-tool-strong" },
    { label: "Bold", sign: "B", keys: `${MOD}B`, run: toggleMark("**"), className: "gs-tool-strong" },
    { label: "Italic", sign: "I", keys: `${MOD}I`, run: toggleMark("*"), className: "gs-tool-italic" },
    { label: "Strikethrough", sign: "S", run: toggleMark("~~"), className: "gs-tool-strike" },
    { label: "Inline code", sign: "‹›", run: toggleMark("`") },
    { label: "Link", sign: "link", keys: `${MOD}K`, run: insertLink },
    { label: "List", sign: "•", keys: `${MOD}${SHIFT}8`, run: setLines("bullet") },
    { label: "Numbered list", sign: "1.", keys: `${MOD}${SHIFT}7`, run: setLines("number") },
    { label: "Task list", sign: "☑", keys: `${MOD}${SHIFT}9`, run: setLines("task") },
    { label: "Quote", sign: "❝", run: setLines("quote") },
    { label: "Code block", sign: "{ }", run: insertCode },
    { label: "Table", sign: "table", run: insertTable },
    { label: "Picture or file", sign: "picture", run: choosePicture },
  ];
}

export function toolbar(view: EditorView, tools: readonly Tool[]): HTMLElement {
  const bar = document.createElement("div");
  bar.className = "gs-toolbar";
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", "Formatting");
  const buttons = tools.map((tool, index) => button(view, tool, index === 0));
  bar.append(...buttons);
  bar.addEventListener("keydown", (event) => {
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const to = target(event.key, at, buttons.length, getComputedStyle(bar).direction === "rtl");
    if (at < 0 || to === null) return;
    event.preventDefault();
    buttons.forEach((each, index) => (each.tabIndex = index === to ? 0 : -1));
    buttons[to]?.focus();
  });
  return bar;
}

/** Which button a key goes to; null when it is none of ours. */
export function target(key: string, at: number, count: number, isRtl: boolean): number | null {
  const forward = isRtl ? "ArrowLeft" : "ArrowRight";
  const back = isRtl ? "ArrowRight" : "ArrowLeft";
  if (key === forward) return (at + 1) % count;
  if (key === back) return (at + count - 1) % count;
  if (key === "Home") return 0;
  return key === "End" ? count - 1 : null;
}

function button(view: EditorView, tool: Tool, isFirst: boolean): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.className = tool.className ?? "";
  made.dataset["sign"] = tool.sign; // drawn by the style sheet: the name is the label alone
  made.tabIndex = isFirst ? 0 : -1;
  made.title = tool.keys === undefined ? tool.label : `${tool.label} (${tool.keys})`;
  made.setAttribute("aria-label", tool.label);
  made.addEventListener("mousedown", (event) => event.preventDefault());
  made.addEventListener("click", () => {
    tool.run(view);
    view.focus();
  });
  return made;
}
