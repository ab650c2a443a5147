/** The CodeMirror view of one page: everything that a keystroke meets before the Y.Text. */

import { autocompletion } from "@codemirror/autocomplete";
import { indentLess, indentMore, moveLineDown, moveLineUp, standardKeymap } from "@codemirror/commands";
import { Compartment, EditorState, Prec, type Extension } from "@codemirror/state";
import { drawSelection, dropCursor, EditorView, keymap, placeholder } from "@codemirror/view";
import type { Awareness } from "y-protocols/awareness";
import type * as Y from "yjs";
import { continueLine, insertLink, setLines, toggleMark, type LineKind } from "./commands";
import { pageLinks, slashMenu } from "./completions";
import { markdown } from "./language";
import { livePreview } from "./live-preview";
import { boundTo } from "./own-undo";
import { isRich, markdownOf } from "./paste";
import { remoteCursors } from "./presence";
import { tableGrid } from "./table-grid";
import { upload, uploads } from "./upload";

export interface Page {
  space: string;
  uploadUrl: string;
  completeUrl: string;
}

export interface Surroundings {
  text: Y.Text;
  presence: Awareness;
  undo: Y.UndoManager;
  page: Page;
  mayEdit: boolean;
  leave(): boolean;
  stepOut(): boolean; // the focus goes to Done: Tab indents lists, so there must be a way out
  say(sentence: string): void;
  chooseFile(view: EditorView): boolean;
}

const access = new Compartment();

function accessOf(mayEdit: boolean): Extension {
  return [EditorState.readOnly.of(!mayEdit), EditorView.editable.of(mayEdit)];
}

export function setMayEdit(view: EditorView, mayEdit: boolean): void {
  view.dispatch({ effects: access.reconfigure(accessOf(mayEdit)) });
}

export function editorView(parent: HTMLElement, around: Surroundings): EditorView {
  const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
  const extensions: Extension = [
    EditorState.lineSeparator.of("\n"), // a \r stays a character: offsets must equal the Y.Text's
    EditorState.allowMultipleSelections.of(true),
    access.of(accessOf(around.mayEdit)),
    Prec.high(keymap.of(shortcuts(around))),
    tableGrid,
    keymap.of(standardKeymap),
    boundTo(around.text, around.presence, around.undo),
    remoteCursors(around.text, around.presence),
    drawSelection(),
    dropCursor(),
    EditorView.lineWrapping,
    EditorView.perLineTextDirection.of(true),
    EditorView.contentAttributes.of({ "aria-label": "Text of the page", spellcheck: "true" }),
    EditorView.cspNonce.of(nonce),
    placeholder("Write, or type / for blocks and [[ for links"),
    markdown,
    livePreview((target) => wikiAddress(target, around.page.space)),
    completions(around),
    uploads,
    transfers(around),
  ];
  const state = EditorState.create({ doc: around.text.toString(), extensions });
  return new EditorView({ state, parent });
}

function shortcuts({ undo, leave, stepOut }: Surroundings) {
  const line = (key: string, kind: LineKind) => ({ key, run: setLines(kind), preventDefault: true });
  return [
    { key: "Mod-z", run: () => undo.undo() !== null || true, preventDefault: true },
    { key: "Mod-Shift-z", run: () => undo.redo() !== null || true, preventDefault: true },
    { key: "Mod-y", run: () => undo.redo() !== null || true, preventDefault: true },
    { key: "Mod-b", run: toggleMark("**"), preventDefault: true },
    { key: "Mod-i", run: toggleMark("*"), preventDefault: true },
    { key: "Mod-k", run: (view: EditorView) => !view.state.selection.main.empty && insertLink(view) }, // else the quick switcher
    line("Mod-Alt-0", "text"),
    line("Mod-Alt-1", "heading1"),
    line("Mod-Alt-2", "heading2"),
    line("Mod-Alt-3", "heading3"),
    line("Mod-Shift-7", "number"),
    line("Mod-Shift-8", "bullet"),
    line("Mod-Shift-9", "task"),
    { key: "Mod-Enter", run: leave },
    { key: "Escape", run: stepOut },
    { key: "Alt-ArrowUp", run: moveLineUp },
    { key: "Alt-ArrowDown", run: moveLineDown },
    { key: "Enter", run: continueLine },
    { key: "Tab", run: inList(indentMore) },
    { key: "Shift-Tab", run: inList(indentLess) },
  ];
}

/** Elsewhere Tab leaves the text: a keyboard must never be trapped. */
function inList(command: (view: EditorView) => boolean): (view: EditorView) => boolean {
  return (view) => {
    const line = view.state.doc.lineAt(view.state.selection.main.head).text;
    return /^\s*([-*+]|\d+[.)])\s/.test(line) && command(view);
  };
}

function completions({ page, chooseFile }: Surroundings): Extension {
  return autocompletion({
    override: [pageLinks(page.completeUrl, page.space), slashMenu(chooseFile)],
    icons: false,
    aboveCursor: false,
  });
}

/** `space/Title` or `Title` as an address; the server resolves titles, aliases and what is missing. */
export function wikiAddress(target: string, space: string): string {
  const slash = target.indexOf("/");
  const [where, title] = slash < 0 ? [space, target] : [target.slice(0, slash), target.slice(slash + 1)];
  const slug = title.normalize("NFC").toLowerCase().replace(/[^\p{L}\p{N}\p{M}]+/gu, "-").replace(/^-|-$/g, "");
  return `/s/${encodeURIComponent(where)}/${encodeURIComponent(slug)}`;
}

/** Paste and drop: files are uploaded, rich text becomes Markdown. */
function transfers({ page, say }: Surroundings): Extension {
  const take = (view: EditorView, data: DataTransfer | null, at: number): boolean => {
    if (data === null || view.state.readOnly) return false;
    const html = data.getData("text/html");
    const files = [...data.files];
    if (files.length > 0 && (html === "" || files.every((file) => file.type.startsWith("image/")))) {
      for (const file of files) void upload(view, file, at, page.uploadUrl, say);
      return true;
    }
    const root = html === "" ? null : new DOMParser().parseFromString(html, "text/html").body;
    const text = root !== null && isRich(root) ? markdownOf(root) : "";
    if (text === "") return false;
    const { from, to } = view.state.selection.main;
    const range = at === view.state.selection.main.head ? { from, to } : { from: at, to: at };
    view.dispatch({
      changes: { ...range, insert: text },
      selection: { anchor: range.from + text.length },
      userEvent: "input.paste",
      scrollIntoView: true,
    });
    return true;
  };
  return EditorView.domEventHandlers({
    paste: (event, view) => {
      const isInCell = event.target instanceof Element && event.target.closest(".gs-grid") !== null;
      const done = !isInCell && take(view, event.clipboardData, view.state.selection.main.head);
      if (done) event.preventDefault();
      return done;
    },
    drop: (event, view) => {
      const files = event.dataTransfer?.files.length ?? 0;
      const at = view.posAtCoords({ x: event.clientX, y: event.clientY });
      if (files === 0 || at === null || !take(view, event.dataTransfer, at)) return false;
      event.preventDefault();
      return true;
    },
  });
}
