/** Files become attachments of the page, and Markdown at the place where they were dropped. */

import { StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, WidgetType, type DecorationSet } from "@codemirror/view";

interface Uploaded {
  url: string;
  name: string;
  media_type: string;
  markdown: string;
}

class Placeholder extends WidgetType {
  constructor(private readonly name: string) {
    super();
  }
  toDOM(): HTMLElement {
    const note = document.createElement("span");
    note.className = "gs-uploading";
    note.textContent = `Uploading ${this.name} …`;
    return note;
  }
}

const started = StateEffect.define<{ id: object; at: number; name: string }>();
const ended = StateEffect.define<object>();

/** Where each running upload will go; moves with the text. */
export const uploads = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(running, transaction) {
    let moved = running.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (effect.is(started)) {
        const { id, at, name } = effect.value;
        const widget = Decoration.widget({ widget: new Placeholder(name), id, side: 1 });
        moved = moved.update({ add: [widget.range(at)] });
      } else if (effect.is(ended)) {
        moved = moved.update({ filter: (_from, _to, value) => value.spec.id !== effect.value });
      }
    }
    return moved;
  },
  provide: (field) => EditorView.decorations.from(field),
});

export async function upload(
  view: EditorView,
  file: File,
  at: number,
  url: string,
  say: (sentence: string) => void,
): Promise<void> {
  const id = {};
  view.dispatch({ effects: started.of({ id, at, name: file.name }) });
  let markdown = "";
  try {
    markdown = (await post(url, file)).markdown;
  } catch (error) {
    say(error instanceof Error ? error.message : "The file could not be uploaded. Try again.");
  }
  const running = view.state.field(uploads).iter();
  while (running.value !== null && running.value.spec.id !== id) running.next();
  const changes = { from: running.value === null ? view.state.doc.length : running.from, insert: markdown };
  view.dispatch({ changes, effects: ended.of(id), userEvent: "input.paste" });
}

async function post(url: string, file: File): Promise<Uploaded> {
  const body = new FormData();
  body.append("file", file, file.name);
  const token = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";
  const reply = await fetch(url, { method: "POST", body, headers: { "X-CSRF-Token": token, Accept: "application/json" } });
  if (reply.ok) return (await reply.json()) as Uploaded;
  throw new Error(await whyNot(reply, file.name));
}

async function whyNot(reply: Response, name: string): Promise<string> {
  const fallback = `${name} could not be uploaded (${reply.status}). Try again, or choose another file.`;
  try {
    const { message, detail } = (await reply.json()) as { message?: unknown; detail?: unknown };
    return [message, detail].find((text) => typeof text === "string") ?? fallback;
  } catch {
    return fallback;
  }
}
