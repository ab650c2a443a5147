/**
 * The editor island: `<gs-editor data-…>` around the rendered article. The article stays in view
 * until the server's text is here; then the editor takes its place, until Done.
 */

import type { EditorView } from "@codemirror/view";
import { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import { isSaved, type State, type StopReason } from "./connection";
import { editorView, setMayEdit, type Page } from "./editor-view";
import { LocalCopy, type Key } from "./local-copy";
import { Notices } from "./notices";
import { undoFor } from "./own-undo";
import { PresenceList } from "./presence";
import { PageSocket } from "./socket";
import { StatusLine } from "./status";
import { loadStyle } from "./style";
import { toolbar, toolsWith } from "./toolbar";
import { insertedText } from "./unsent";
import { upload } from "./upload";
import styleUrl from "./editor.css";

const ROOT = "content";
const FRESH_STARTS_ALLOWED = 5; // one after the other, until all is saved
const FRESH_START_MS = 500; // the second waits so long, each after it so much longer
const LEAVE_AFTER_MS = 4000; // what is unsaved by then is kept in this browser, and asked about

/** One joining of the room; a fresh start makes a new one, with a new client id. */
interface Joined {
  doc: Y.Doc;
  presence: Awareness;
  socket: PageSocket;
  people: PresenceList;
}

class EditorIsland {
  private readonly status = new StatusLine();
  private readonly notices = new Notices();
  private readonly bar = document.createElement("div");
  private readonly done = doneButton(() => this.leave());
  private readonly surface = document.createElement("div");
  private readonly page: Page;
  private readonly key: Key;
  private copy!: LocalCopy;
  private joined: Joined | null = null;
  private view: EditorView | null = null;
  private mayEdit: boolean;
  private freshStarts = 0;
  private trouble = "";
  private endTrouble = () => {};

  constructor(private readonly element: HTMLElement) {
    const { dataset } = element;
    this.mayEdit = !["", "0", "false"].includes(dataset["canEdit"] ?? "");
    this.page = {
      space: dataset["space"] ?? "",
      uploadUrl: dataset["uploadUrl"] ?? "",
      completeUrl: dataset["completeUrl"] ?? "",
    };
    this.key = {
      person: dataset["personId"] ?? "",
      page: dataset["pageId"] ?? "",
      epoch: Number(dataset["epoch"] ?? 0),
    };
  }

  async start(): Promise<void> {
    this.bar.className = "gs-editor-bar";
    this.surface.className = "gs-editor-text";
    this.bar.append(this.status.element, this.done);
    this.element.prepend(this.bar, this.notices.element);
    this.element.append(this.surface);
    this.element.classList.add("is-editing");
    this.copy = await LocalCopy.open(this.key);
    await this.showDrafts();
    this.join();
  }

  private join(): void {
    const { dataset } = this.element;
    const doc = new Y.Doc();
    const presence = new Awareness(doc);
    const color = dataset["colour"] ?? "#64748b";
    const user = { id: this.key.person, name: dataset["name"] ?? "", color, colorLight: `${color}33` };
    presence.setLocalStateField("user", user);
    const people = new PresenceList(presence);
    const socket = new PageSocket({
      url: dataset["syncUrl"] ?? `/sync/${this.key.page}`,
      epoch: this.key.epoch,
      doc,
      presence,
      copy: this.copy,
      onChange: (state) => this.changed(state),
      onKept: (state) => this.say(state),
      onStop: (reason, updates, rows) => void this.stopped(reason, updates, rows),
    });
    this.joined = { doc, presence, socket, people };
    this.bar.insertBefore(people.element, this.status.element);
  }

  private changed(state: State): void {
    this.say(state);
    if (isSaved(state)) this.freshStarts = 0;
    if (state.trouble !== this.trouble) {
      this.trouble = state.trouble;
      this.endTrouble();
      if (this.trouble) this.endTrouble = this.notices.show(this.trouble);
    }
    // The first effects run before `join` has stored the socket; the next change finds it.
    if (state.hasHeard && this.view === null && this.joined !== null) this.mount(this.joined);
  }

  private say(state: State): void {
    const isKept = this.copy.isKeeping && (this.joined?.socket.unsent.isKept ?? true);
    this.status.show({ state, mayEdit: this.mayEdit, isKept });
  }

  private mount({ doc, presence }: Joined): void {
    const text = doc.getText(ROOT);
    const undo = undoFor(text);
    this.surface.replaceChildren();
    this.element.classList.add("is-mounted"); // before the view measures where it is
    this.view = editorView(this.surface, {
      text,
      presence,
      undo,
      page: this.page,
      mayEdit: this.mayEdit,
      leave: () => this.leave(),
      stepOut: () => {
        this.done.focus();
        return true;
      },
      say: (sentence) => this.notices.say(sentence),
      chooseFile: (view) => this.chooseFile(view),
    });
    this.element.dispatchEvent(new CustomEvent("gs-mounted", { detail: this.view, bubbles: true }));
    if (!this.mayEdit) return;
    const run = (act: () => unknown) => () => {
      act();
      return true;
    };
    const tools = toolsWith(
      run(() => undo.undo()),
      run(() => undo.redo()),
      (view) => this.chooseFile(view),
    );
    this.bar.querySelector(".gs-toolbar")?.remove();
    this.bar.prepend(toolbar(this.view, tools));
    this.view.focus();
  }

  private chooseFile(view: EditorView): boolean {
    const input = document.createElement("input");
    input.type = "file";
    input.multiple = true;
    input.addEventListener("change", () => {
      const at = view.state.selection.main.head;
      const say = (sentence: string) => this.notices.say(sentence);
      for (const file of input.files ?? []) void upload(view, file, at, this.page.uploadUrl, say);
    });
    input.click();
    return true;
  }

  /** Back to the reading view, when all is saved or after a moment; the browser asks about the rest. */
  private leave(): boolean {
    const started = performance.now();
    const url = new URL(location.href);
    url.searchParams.delete("edit");
    const go = () => {
      const isWaiting = this.joined?.socket.hasUnacknowledged ?? false;
      if (isWaiting && performance.now() - started < LEAVE_AFTER_MS) return void setTimeout(go, 30);
      if (url.href === location.href) location.reload();
      else location.assign(url);
    };
    go();
    return true;
  }

  private async stopped(reason: StopReason, updates: Uint8Array[], rows: number[]): Promise<void> {
    switch (reason) {
      case "signed-out": {
        const next = encodeURIComponent(location.pathname + location.search);
        const run = () => location.assign(`/sign-in?next=${next}`);
        const sentence = "You are signed out. What you typed is kept; sign in to go on.";
        this.notices.show(sentence, [{ label: "Sign in", isMain: true, run }]);
        return this.freeze();
      }
      case "forbidden":
        this.notices.say("You may no longer change this page.");
        this.freeze();
        return this.draft(updates, rows, false);
      case "not-found":
        this.notices.say("This page was removed, or you may no longer see it.");
        this.freeze();
        return this.draft(updates, rows, false);
      case "too-large":
        this.notices.say("The last change is too large for one page. Undo it by loading the page again.");
        this.freeze();
        return this.draft(updates, rows, false);
      case "epoch":
        this.key.epoch = await currentEpoch(this.key.epoch);
        return this.startAfresh(updates, rows);
      case "refused":
        return this.startAfresh(updates, rows);
      case "left":
        return;
    }
  }

  private async startAfresh(updates: Uint8Array[], rows: number[]): Promise<void> {
    this.freeze();
    this.part();
    await this.draft(updates, rows, true);
    if (this.freshStarts === FRESH_STARTS_ALLOWED) {
      this.notices.say("The page could not be joined. Copy what you typed and load the page again.");
      return;
    }
    await new Promise((go) => setTimeout(go, FRESH_START_MS * this.freshStarts++));
    this.view?.destroy();
    this.view = null;
    this.join();
  }

  private part(): void {
    this.joined?.socket.leave();
    this.joined?.people.leave();
    this.joined?.people.element.remove();
    this.joined?.presence.destroy();
    this.joined?.doc.destroy();
    this.joined = null;
  }

  private freeze(): void {
    if (this.view !== null) setMayEdit(this.view, false);
  }

  /** Drafts of other epochs: what an earlier tab could not send before the page was started afresh. */
  private async showDrafts(): Promise<void> {
    const kept = await this.copy.kept().catch(() => []);
    const old = kept.filter((row) => row.epoch !== this.key.epoch);
    this.showDraft(old.map((row) => row.update), old.map((row) => row.id), this.mayEdit);
  }

  /** Kept as a draft: under no epoch, so that it is shown again until it is used or discarded. */
  private async draft(updates: Uint8Array[], rows: number[], mayInsert: boolean): Promise<void> {
    const kept: number[] = [];
    if (updates.length > 0) {
      const row = await this.copy.keep(Y.mergeUpdates(updates), DRAFT_EPOCH).catch(() => null);
      if (row !== null) kept.push(row);
    }
    await this.copy.forget(rows).catch(() => undefined);
    this.showDraft(updates, kept, mayInsert);
  }

  private showDraft(updates: Uint8Array[], rows: number[], mayInsert: boolean): void {
    const text = insertedText(updates);
    const discard = () => this.copy.forget(rows).catch(() => undefined);
    if (text.trim() === "") return void discard();
    const insert = () => {
      if (this.view === null) return;
      this.view.dispatch(this.view.state.replaceSelection(text));
      this.view.focus();
    };
    this.notices.draft(text, mayInsert ? insert : null, discard);
  }
}

const DRAFT_EPOCH = -1;

function doneButton(leave: () => void): HTMLButtonElement {
  const done = document.createElement("button");
  done.type = "button";
  done.className = "gs-button gs-button-main";
  done.textContent = "Done";
  done.title = "Back to reading";
  done.addEventListener("click", leave);
  return done;
}

/** The page's epoch as the server renders it now. */
async function currentEpoch(known: number): Promise<number> {
  try {
    const html = await (await fetch(location.href)).text();
    return Number(/ data-epoch="(\d+)"/.exec(html)?.[1] ?? known);
  } catch {
    return known;
  }
}

/** Starts editing in `element`; once. */
export async function edit(element: HTMLElement): Promise<void> {
  if (element.classList.contains("is-editing")) return;
  element.classList.add("is-editing");
  await loadStyle(new URL(styleUrl, import.meta.url));
  await new EditorIsland(element).start();
}
