/**
 * Comments beside the text: words are marked and spoken of, in the reading page and in the editor;
 * what was said stands out in the text; forms are sent without leaving the page.
 *
 * The section `[data-talk]` is made by the server and works without this.
 */

import type { EditorView } from "@codemirror/view";
import type { Spoken } from "./talk-in-editor";
import { matched, wordsOf, type Word } from "./words";

const SHORTCUT = "m"; // with Ctrl-Alt, as word processors have it

class Talk {
  private readonly article = document.querySelector<HTMLElement>("gs-editor > .article");
  private readonly button = document.createElement("button");
  private source = "";
  private version = "";
  private rendered: Word[] = [];
  private inSource: number[] = [];
  private sourceWords: Word[] = [];
  private nodes: { node: Text; start: number }[] = [];
  private editor: Spoken | null = null;

  constructor(private section: HTMLElement) {}

  async start(): Promise<void> {
    Object.assign(this.button, { type: "button", className: "button is-small comment-here", hidden: true });
    this.button.textContent = "Comment on this";
    this.button.addEventListener("pointerdown", (event) => event.preventDefault()); // the selection stays
    this.button.addEventListener("click", () => void this.begin());
    document.body.append(this.button);
    document.addEventListener("selectionchange", () => this.offer());
    document.addEventListener("keydown", (event) => this.pressed(event));
    document.addEventListener("submit", (event) => void this.sent(event));
    document.addEventListener("click", (event) => this.clicked(event));
    document.addEventListener("gs-mounted", (event) => void this.mounted((event as CustomEvent<EditorView>).detail));
    await this.read();
    this.mark();
  }

  private get form(): HTMLFormElement | null {
    return this.section.querySelector<HTMLFormElement>("[data-new-comment]");
  }

  private get isEditing(): boolean {
    return this.editor !== null && this.editor.isMounted;
  }

  /** The Markdown, and which of its words are which of the article. */
  private async read(): Promise<void> {
    const answer = await fetch(this.section.dataset["text"] ?? "").catch(() => null);
    if (answer === null || !answer.ok || this.article === null) return; // offline: marks stay as they are
    this.source = await answer.text();
    this.version = (answer.headers.get("ETag") ?? "").replaceAll('"', "");
    this.unmark();
    const walker = document.createTreeWalker(this.article, NodeFilter.SHOW_TEXT);
    let whole = "";
    this.nodes = [];
    while (walker.nextNode()) {
      const node = walker.currentNode as Text;
      this.nodes.push({ node, start: whole.length });
      whole += node.data;
    }
    this.rendered = wordsOf(whole);
    this.sourceWords = wordsOf(this.source);
    this.inSource = matched(this.rendered, this.sourceWords);
  }

  private get threads(): HTMLElement[] {
    return [...this.section.querySelectorAll<HTMLElement>("[data-thread][data-start]")];
  }

  /** What was said stands out in the article. */
  private mark(): void {
    for (const thread of this.threads) {
      const [start, end] = [Number(thread.dataset["start"]), Number(thread.dataset["end"])];
      const words = this.rendered.filter((_, at) => {
        const word = this.sourceWords[this.inSource[at] ?? -1];
        return word !== undefined && word.start < end && word.end > start;
      });
      const [first, last] = [words[0], words.at(-1)];
      if (first !== undefined && last !== undefined) this.wrap(first.start, last.end, thread.dataset["thread"] ?? "");
    }
  }

  private wrap(start: number, end: number, thread: string): void {
    for (const { node, start: at } of this.nodes) {
      const [from, to] = [Math.max(start - at, 0), Math.min(end - at, node.data.length)];
      if (from >= to || node.parentElement?.closest("mark.spoken") != null) continue;
      const range = document.createRange();
      range.setStart(node, from);
      range.setEnd(node, to);
      const mark = document.createElement("mark");
      mark.className = "spoken";
      mark.dataset["of"] = thread;
      try {
        range.surroundContents(mark);
      } catch {
        continue; // the article has changed meanwhile: it is read again at the next turn
      }
    }
    this.renumber();
  }

  /** Where text nodes are after some were cut. */
  private renumber(): void {
    if (this.article === null) return;
    const walker = document.createTreeWalker(this.article, NodeFilter.SHOW_TEXT);
    let start = 0;
    this.nodes = [];
    while (walker.nextNode()) {
      const node = walker.currentNode as Text;
      this.nodes.push({ node, start });
      start += node.data.length;
    }
  }

  private unmark(): void {
    for (const mark of this.article?.querySelectorAll("mark.spoken") ?? []) mark.replaceWith(...mark.childNodes);
    this.article?.normalize();
  }

  /** The selection in the source; null when there is none. */
  private selected(): { start: number; end: number; quote: string } | null {
    if (this.isEditing) return this.editor?.selected() ?? null;
    const selection = document.getSelection();
    if (selection === null || selection.isCollapsed || this.article === null) return null;
    const range = selection.getRangeAt(0);
    if (!this.article.contains(range.commonAncestorContainer)) return null;
    const [from, to] = [this.offsetOf(range.startContainer, range.startOffset), this.offsetOf(range.endContainer, range.endOffset)];
    const chosen = this.rendered.flatMap((word, at) => (word.start < to && word.end > from && this.inSource[at] !== -1 ? [this.inSource[at] ?? 0] : []));
    const [first, last] = [this.sourceWords[chosen[0] ?? -1], this.sourceWords[chosen.at(-1) ?? -1]];
    if (first === undefined || last === undefined) return null;
    return { start: first.start, end: last.end, quote: this.source.slice(first.start, last.end) };
  }

  private offsetOf(node: Node, offset: number): number {
    const range = document.createRange();
    range.setStart(this.article as Node, 0);
    range.setEnd(node, offset);
    return range.toString().length;
  }

  private offer(): void {
    if (this.form === null) return;
    const chosen = this.selected();
    this.button.hidden = chosen === null;
    if (chosen === null) return;
    const box = document.getSelection()?.getRangeAt(0).getBoundingClientRect();
    if (box === undefined) return;
    this.button.style.top = `${scrollY + box.bottom + 6}px`;
    this.button.style.left = `${Math.max(8, Math.min(box.left, innerWidth - this.button.offsetWidth - 8))}px`;
  }

  private pressed(event: KeyboardEvent): void {
    if (event.key === "Escape") this.button.hidden = true;
    if (event.code !== `Key${SHORTCUT.toUpperCase()}` || !event.altKey || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    void this.begin();
  }

  /** The form is about the words that are marked. */
  private async begin(): Promise<void> {
    const { form } = this;
    const chosen = this.selected();
    if (form === null) return;
    this.button.hidden = true;
    const version = this.isEditing ? ((await this.editor?.version()) ?? "") : this.version;
    this.fill(form, chosen, version);
    form.scrollIntoView({ block: "nearest" });
    form.querySelector("textarea")?.focus();
  }

  private fill(form: HTMLFormElement, chosen: { start: number; end: number; quote: string } | null, version: string): void {
    const set = (name: string, value: string) => ((form.elements.namedItem(name) as HTMLInputElement).value = value);
    set("start", chosen === null ? "" : String(chosen.start));
    set("end", chosen === null ? "" : String(chosen.end));
    set("version", chosen === null ? "" : version);
    const quote = form.querySelector<HTMLElement>("[data-chosen]");
    const drop = form.querySelector<HTMLElement>("[data-drop]");
    const where = form.querySelector<HTMLElement>("[data-on-page]");
    if (quote !== null) Object.assign(quote, { textContent: chosen?.quote ?? "", hidden: chosen === null });
    if (drop !== null) drop.hidden = chosen === null;
    if (where !== null) where.textContent = chosen === null ? " on the page" : " on these words";
  }

  private clicked(event: Event): void {
    const target = event.target instanceof Element ? event.target : null;
    if (target?.closest("[data-drop]") && this.form !== null) this.fill(this.form, null, "");
    const said = target?.closest<HTMLElement>("[data-of]")?.dataset["of"];
    if (said !== undefined) this.open(said, true);
    const thread = target?.closest("a, button, textarea, summary") ? null : target?.closest<HTMLElement>("[data-thread][data-start]");
    if (thread != null) this.open(thread.dataset["thread"] ?? "", false);
  }

  /** A thread and its words are shown as belonging together. */
  private open(id: string, isFromText: boolean): void {
    for (const one of document.querySelectorAll(".thread.is-open, .spoken.is-open, .gs-spoken.is-open")) one.classList.remove("is-open");
    const thread = this.section.querySelector<HTMLElement>(`[data-thread="${id}"]`);
    const marks = document.querySelectorAll<HTMLElement>(`[data-of="${id}"]`);
    thread?.classList.add("is-open");
    for (const mark of marks) mark.classList.add("is-open");
    if (isFromText) {
      thread?.scrollIntoView({ block: "nearest" });
      thread?.focus({ preventScroll: true });
    } else if (this.isEditing) this.editor?.show(id);
    else marks[0]?.scrollIntoView({ block: "center" });
  }

  /** A form of the section, sent in place. */
  private async sent(event: SubmitEvent): Promise<void> {
    const form = event.target as HTMLFormElement;
    if (!this.section.contains(form)) return;
    event.preventDefault();
    const body = new FormData(form, event.submitter);
    const known = new Set([...this.section.querySelectorAll("[data-thread]")].map((one) => one.id));
    const button = [...form.querySelectorAll<HTMLElement>("button")].indexOf(event.submitter as HTMLElement);
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" } }).catch(() => null);
    if (answer === null) return this.complain(form, "The server cannot be reached. What you wrote stays here; send it again later.");
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector<HTMLElement>("[data-talk]");
    if (!answer.ok || fresh === null) {
      this.complain(form, page.querySelector(".empty-state p:not(.empty-state__code)")?.textContent ?? "That could not be sent. Try again.");
      return;
    }
    this.section.replaceWith(document.adoptNode(fresh));
    this.section = fresh;
    await this.read();
    this.mark();
    this.editor?.mark(this.threads);
    if (document.activeElement === document.body) this.next(form, known, button)?.focus();
  }

  /** Where one goes on after sending `form`: what was said just now, its thread, or the button pressed. */
  private next(form: HTMLFormElement, known: Set<string>, button: number): HTMLElement | null | undefined {
    const own = form.closest("[data-thread]")?.id;
    const all = [...this.section.querySelectorAll<HTMLElement>("[data-thread]")];
    const thread = all.find((one) => (own === undefined ? !known.has(one.id) : one.id === own));
    if (thread !== undefined) return thread.closest("details:not([open])")?.querySelector("summary") ?? thread;
    const same = [...this.section.querySelectorAll("form")].find((one) => one.action === form.action);
    return same?.querySelectorAll("button")[button];
  }

  private complain(form: HTMLFormElement, words: string): void {
    const old = form.querySelector(".field__error");
    const told = document.createElement("p");
    told.className = "field__error";
    told.setAttribute("role", "alert");
    told.textContent = words.trim();
    if (old !== null) old.replaceWith(told);
    else form.append(told);
  }

  private async mounted(view: EditorView): Promise<void> {
    const { spokenIn } = await import("./talk-in-editor");
    this.editor = spokenIn(view);
    this.editor.mark(this.threads);
  }
}

export async function beginTalk(section: HTMLElement): Promise<void> {
  await new Talk(section).start();
}
