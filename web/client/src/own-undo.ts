/** Undo of one's own edits only, with the selection as it was before them. */

import { EditorSelection, type Extension } from "@codemirror/state";
import { EditorView, ViewPlugin } from "@codemirror/view";
import { ySync, YSyncConfig, ySyncFacet } from "y-codemirror.next";
import type { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";

interface StackEvent {
  stackItem: { meta: Map<unknown, unknown> };
}

interface Marked {
  anchor: Y.RelativePosition;
  head: Y.RelativePosition;
}

export function undoFor(text: Y.Text): Y.UndoManager {
  return new Y.UndoManager(text, { trackedOrigins: new Set() });
}

/** Binds the view to `text`; only what this view changes is undone by `undo`. */
export function boundTo(text: Y.Text, presence: Awareness, undo: Y.UndoManager): Extension {
  const origin = new YSyncConfig(text, presence);
  undo.addTrackedOrigin(origin);
  return [ySyncFacet.of(origin), memory(text, undo), ySync, historyKeys(undo)];
}

/** Comes before `ySync`, so that it still knows the selection from before the change. */
function memory(text: Y.Text, undo: Y.UndoManager): Extension {
  return ViewPlugin.define((view) => {
    let before: Marked | null = null;
    const added = ({ stackItem }: StackEvent) => {
      if (before !== null && !stackItem.meta.has("selection")) stackItem.meta.set("selection", before);
    };
    const popped = ({ stackItem }: StackEvent) => {
      const selection = restored(text, stackItem.meta.get("selection") as Marked | undefined);
      if (selection !== null && selection.main.to <= view.state.doc.length) {
        view.dispatch({ selection, scrollIntoView: true });
      }
    };
    undo.on("stack-item-added", added);
    undo.on("stack-item-popped", popped);
    return {
      update({ docChanged, startState }) {
        if (!docChanged) return;
        const { anchor, head } = startState.selection.main;
        if (Math.max(anchor, head) > text.length) return;
        before = {
          anchor: Y.createRelativePositionFromTypeIndex(text, anchor),
          head: Y.createRelativePositionFromTypeIndex(text, head),
        };
      },
      destroy() {
        undo.off("stack-item-added", added);
        undo.off("stack-item-popped", popped);
      },
    };
  });
}

function restored(text: Y.Text, marked: Marked | undefined): EditorSelection | null {
  if (marked === undefined || text.doc === null) return null;
  const anchor = Y.createAbsolutePositionFromRelativePosition(marked.anchor, text.doc);
  const head = Y.createAbsolutePositionFromRelativePosition(marked.head, text.doc);
  return anchor === null || head === null ? null : EditorSelection.single(anchor.index, head.index);
}

/** The browser's own menu entries, and cells of tables, ask by these events. */
function historyKeys(undo: Y.UndoManager): Extension {
  return EditorView.domEventHandlers({
    beforeinput(event) {
      if (event.inputType === "historyUndo") undo.undo();
      else if (event.inputType === "historyRedo") undo.redo();
      else return false;
      event.preventDefault();
      return true;
    },
  });
}
