/** Who is here: initials in a list, and cursors with names in the text. */

import { RangeSet, StateEffect, StateField, type Extension, type Range } from "@codemirror/state";
import { Decoration, EditorView, ViewPlugin, WidgetType, type DecorationSet } from "@codemirror/view";
import type { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";

interface Person {
  id: string;
  name: string;
  color: string;
}

const PLAIN_COLOUR = "#64748b";
const CURSOR_DELAY_MS = 40; // coalesces our own cursor's moves

/** The person a presence state names; colours that are not #rrggbb are not used. */
export function personOf(state: unknown): Person {
  const user = ((state as { user?: Partial<Person> } | null)?.user ?? {}) as Partial<Person>;
  const color = /^#[0-9a-f]{6}$/i.test(user.color ?? "") ? (user.color as string) : PLAIN_COLOUR;
  return { id: user.id ?? "", name: user.name || "Someone", color };
}

export function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/u);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return letters.map((word) => [...(word ?? "")][0] ?? "").join("").toUpperCase();
}

/** Black or white, whichever reads better on `color` (#rrggbb). */
export function inkOn(color: string): string {
  const channel = (at: number) => {
    const value = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  const luminance = 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
  return luminance > 0.179 ? "#000" : "#fff";
}

export class PresenceList {
  readonly element = document.createElement("ul");

  constructor(private readonly presence: Awareness) {
    this.element.className = "gs-people";
    this.element.setAttribute("aria-label", "Who is here");
    presence.on("change", this.draw);
    this.draw();
  }

  leave(): void {
    this.presence.off("change", this.draw);
  }

  private readonly draw = (): void => {
    const people = new Map<string, Person>();
    for (const [client, state] of this.presence.getStates()) {
      const person = personOf(state);
      people.set(person.id || String(client), person);
    }
    this.element.replaceChildren(...[...people.values()].map(badge));
  };
}

function badge(person: Person): HTMLElement {
  const item = document.createElement("li");
  item.title = person.name;
  item.style.backgroundColor = person.color;
  item.style.color = inkOn(person.color);
  const initials = document.createElement("span");
  initials.setAttribute("aria-hidden", "true");
  initials.textContent = initialsOf(person.name);
  const name = document.createElement("span");
  name.className = "gs-hidden";
  name.textContent = person.name;
  item.append(initials, name);
  return item;
}

class Caret extends WidgetType {
  constructor(private readonly person: Person) {
    super();
  }

  override eq(other: Caret): boolean {
    return other.person.name === this.person.name && other.person.color === this.person.color;
  }

  toDOM(): HTMLElement {
    const caret = document.createElement("span");
    caret.className = "gs-caret";
    caret.setAttribute("aria-hidden", "true");
    caret.style.borderColor = this.person.color;
    const name = document.createElement("span");
    name.className = "gs-caret-name";
    name.textContent = this.person.name;
    name.style.backgroundColor = this.person.color;
    name.style.color = inkOn(this.person.color);
    caret.append("\u2060", name, "\u2060");
    return caret;
  }

  override ignoreEvent(): boolean {
    return true;
  }
}

const setCursors = StateEffect.define<DecorationSet>();

const cursorField = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(cursors, transaction) {
    let moved = cursors.map(transaction.changes);
    for (const effect of transaction.effects) if (effect.is(setCursors)) moved = effect.value;
    return moved;
  },
  provide: (field) => EditorView.decorations.from(field),
});

/** Others' cursors and selections in the text; tells others about ours. */
export function remoteCursors(text: Y.Text, presence: Awareness): Extension {
  const plugin = ViewPlugin.define((view) => {
    let timer: number | undefined;
    let isAlive = true;
    const draw = () => {
      if (isAlive) view.dispatch({ effects: setCursors.of(cursorsOf(view, text, presence)) });
    };
    const onChange = ({ added, updated, removed }: Record<string, number[]>) => {
      const own = text.doc?.clientID;
      const others = [...(added ?? []), ...(updated ?? []), ...(removed ?? [])];
      if (others.some((client) => client !== own)) queueMicrotask(draw);
    };
    const tell = () => {
      timer = undefined;
      if (isAlive) tellCursor(view, text, presence);
    };
    presence.on("change", onChange);
    queueMicrotask(draw);
    return {
      update(update) {
        if (update.docChanged || update.selectionSet || update.focusChanged) {
          timer ??= window.setTimeout(tell, CURSOR_DELAY_MS);
        }
      },
      destroy() {
        isAlive = false;
        window.clearTimeout(timer);
        presence.off("change", onChange);
      },
    };
  });
  return [cursorField, plugin];
}

function tellCursor(view: EditorView, text: Y.Text, presence: Awareness): void {
  if (presence.getLocalState() === null) return;
  const { anchor, head } = view.state.selection.main;
  const cursor = view.hasFocus
    ? {
        anchor: Y.createRelativePositionFromTypeIndex(text, anchor),
        head: Y.createRelativePositionFromTypeIndex(text, head),
      }
    : null;
  presence.setLocalStateField("cursor", cursor);
}

function cursorsOf(view: EditorView, text: Y.Text, presence: Awareness): DecorationSet {
  const ranges: Range<Decoration>[] = [];
  for (const [client, state] of presence.getStates()) {
    if (client === text.doc?.clientID) continue;
    const anchor = indexOf(text, state["cursor"]?.anchor);
    const head = indexOf(text, state["cursor"]?.head);
    if (anchor === null || head === null || Math.max(anchor, head) > view.state.doc.length) continue;
    const person = personOf(state);
    if (anchor !== head) {
      const attributes = { style: `background-color: ${person.color}33` };
      const mark = Decoration.mark({ class: "gs-selection", attributes });
      ranges.push(mark.range(Math.min(anchor, head), Math.max(anchor, head)));
    }
    const side = head > anchor ? -1 : 1;
    ranges.push(Decoration.widget({ widget: new Caret(person), side }).range(head));
  }
  return RangeSet.of(ranges, true);
}

function indexOf(text: Y.Text, json: unknown): number | null {
  if (json === null || typeof json !== "object" || text.doc === null) return null;
  try {
    const relative = Y.createRelativePositionFromJSON(json);
    const absolute = Y.createAbsolutePositionFromRelativePosition(relative, text.doc);
    return absolute?.type === text ? absolute.index : null;
  } catch {
    return null; // another client's JSON: anything may be in it
  }
}
