/** What was said, in the text while it is edited: highlights that go with their words. */

import { StateEffect, StateField, type Range } from "@codemirror/state";
import { Decoration, EditorView, type DecorationSet } from "@codemirror/view";

export interface Spoken {
  readonly isMounted: boolean;
  selected(): { start: number; end: number; quote: string } | null;
  /** Names the text as the server does (`version` of a page). */
  version(): Promise<string>;
  mark(threads: readonly HTMLElement[]): void;
  show(thread: string): void;
}

const setSpoken = StateEffect.define<DecorationSet>();

const spoken = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    let moved = marks.map(transaction.changes);
    for (const effect of transaction.effects) if (effect.is(setSpoken)) moved = effect.value;
    return moved;
  },
  provide: (field) => EditorView.decorations.from(field),
});

export function spokenIn(view: EditorView): Spoken {
  view.dispatch({ effects: StateEffect.appendConfig.of(spoken) });
  return {
    get isMounted() {
      return view.dom.isConnected;
    },
    selected() {
      const { from, to } = view.state.selection.main;
      return from === to ? null : { start: from, end: to, quote: view.state.sliceDoc(from, to) };
    },
    async version() {
      const text = new TextEncoder().encode(view.state.doc.toString());
      if (!crypto.subtle) return ""; // not a secure address: the present text is meant
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", text));
      return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("").slice(0, 32);
    },
    mark(threads) {
      const size = view.state.doc.length;
      const ranges: Range<Decoration>[] = [];
      for (const { dataset } of threads) {
        const [start, end] = [Number(dataset["start"]), Math.min(Number(dataset["end"]), size)];
        const attributes = { "data-of": dataset["thread"] ?? "" };
        if (start < end) ranges.push(Decoration.mark({ class: "gs-spoken", attributes }).range(start, end));
      }
      view.dispatch({ effects: setSpoken.of(Decoration.set(ranges, true)) });
    },
    show(thread) {
      view.state.field(spoken).between(0, view.state.doc.length, (from, _, { spec }) => {
        if (spec.attributes["data-of"] !== thread) return;
        view.dispatch({ effects: EditorView.scrollIntoView(from, { y: "center" }) });
        return false;
      });
    },
  };
}
