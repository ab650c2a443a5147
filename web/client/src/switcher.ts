/**
 * The quick switcher: a dialog with a combobox over pages (those visited and changed last until
 * something is typed), then "Search for …" and "New idea …". The first row is chosen; Enter on
 * what was typed a moment ago waits for its answer rather than opening what stood there before.
 */

import { visited } from "./quick";
import { loadStyle } from "./style";
import { rows, type Answer, type Row } from "./switcher-rows";
import styleUrl from "./switcher.css";

const WAIT_MS = 60;
const NOTHING: Answer = { pages: [], spaces: [] };
const SIGNS = { seen: "M12 4a8 8 0 1 0 .01 0z M12 8v4.500l3 2", page: "M7 3.5h7l4.5 4.5v12.5h-11.5z M14 3.5v4.5h4.5", search: "M10.5 4.5a6 6 0 1 0 .01 0z M15 15l5 5", new: "M12 5v14 M5 12h14" };

let switcher: Switcher | null = null;

/** Opens it, or closes it; `early` tells what was typed until it is open, and whether it was entered. */
export async function openSwitcher(early: () => readonly [typed: string, entered: boolean]): Promise<void> {
  if (switcher?.dialog.open) return switcher.dialog.close();
  switcher ??= new Switcher();
  await loadStyle(new URL(styleUrl, import.meta.url));
  const [typed, entered] = early();
  switcher.open(typed);
  if (entered) void switcher.enter(false);
}

class Switcher {
  readonly dialog = make("dialog", { class: "gs-switcher", "aria-label": "Go to a page" });
  private readonly input = make("input", {
    type: "text", role: "combobox", placeholder: "Go to a page", autocomplete: "off", spellcheck: "false", enterkeyhint: "go",
    "aria-label": "Title of a page", "aria-autocomplete": "list", "aria-controls": "gs-switcher-rows", "aria-expanded": "true",
  });
  private readonly list = make("div", { id: "gs-switcher-rows", class: "gs-switcher__rows", role: "listbox", "aria-label": "Pages" });
  private readonly said = make("p", { class: "visually-hidden", role: "status" });
  private readonly space = document.querySelector<HTMLElement>("[data-space]")?.dataset["space"] ?? "";
  private answer = NOTHING;
  private chosen = 0;
  private moved = false; // by keys or pointer, since something was typed
  private timer: number | undefined;
  private asking: AbortController | null = null;
  private waiting: Promise<void> = Promise.resolve();

  constructor() {
    const keys = make("p", { class: "gs-switcher__keys", "aria-hidden": "true" });
    keys.append(key("↑"), key("↓"), " choose ", key("Enter"), " open ", key("Esc"), " close");
    const close = make("button", { type: "button", class: "gs-switcher__close" });
    close.textContent = "Close";
    const head = make("div", { class: "gs-switcher__head" });
    head.append(sign("search"), this.input, close);
    this.dialog.append(head, this.list, keys, this.said);
    document.body.append(this.dialog);
    close.addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
    this.dialog.addEventListener("keydown", (event) => this.pressed(event));
    this.input.addEventListener("input", () => this.typed());
    this.list.addEventListener("pointermove", (event) => this.pointed(event.target));
  }

  open(words: string): void {
    this.dialog.showModal();
    this.input.value = words;
    this.moved = false;
    this.answer = NOTHING;
    this.draw();
    this.waiting = this.ask();
  }

  private typed(): void {
    clearTimeout(this.timer);
    this.moved = false;
    this.draw();
    this.waiting = new Promise((done) => {
      this.timer = window.setTimeout(() => void this.ask().then(done), WAIT_MS);
    });
  }

  private async ask(): Promise<void> {
    this.asking?.abort();
    const asking = (this.asking = new AbortController());
    const words = this.words;
    const query = new URLSearchParams({ q: words, space: this.space, visited: words === "" ? visited().join(",") : "" });
    try {
      const reply = await fetch(`/api/v1/quick?${query.toString()}`, { headers: { Accept: "application/json" }, signal: asking.signal });
      if (!reply.ok) throw new Error(`answered with ${reply.status}`);
      this.answer = (await reply.json()) as Answer;
    } catch (error) {
      if (asking.signal.aborted) return;
      this.answer = NOTHING;
      this.said.textContent = "The pages cannot be asked for just now.";
      return this.draw();
    }
    if (asking.signal.aborted) return;
    this.draw();
    const { length } = this.answer.pages;
    this.said.textContent = length === 0 ? "No page is called so." : `${length} page${length === 1 ? "" : "s"}.`;
  }

  private get words(): string {
    return this.input.value.trim();
  }

  private draw(): void {
    const drawn = rows(this.answer, this.words, this.space);
    const kept = this.moved ? drawn.findIndex((row) => row.url === this.list.children[this.chosen]?.getAttribute("href")) : 0;
    this.list.replaceChildren(...drawn.map((row, index) => option(row, index)));
    this.list.hidden = drawn.length === 0;
    this.input.setAttribute("aria-expanded", String(drawn.length > 0));
    this.choose(kept);
  }

  private choose(index: number): void {
    this.chosen = Math.max(index, 0);
    [...this.list.children].forEach((row, at) => row.setAttribute("aria-selected", String(at === this.chosen)));
    const row = this.list.children[this.chosen];
    if (row === undefined) return this.input.removeAttribute("aria-activedescendant");
    this.input.setAttribute("aria-activedescendant", row.id);
    row.scrollIntoView({ block: "nearest" });
  }

  private move(index: number): void {
    this.moved = true;
    this.choose(index);
  }

  private pointed(target: EventTarget | null): void {
    const row = target instanceof Element ? target.closest(".gs-switcher__row") : null;
    const index = row === null ? -1 : [...this.list.children].indexOf(row);
    if (index >= 0 && index !== this.chosen) this.move(index);
  }

  private pressed(event: KeyboardEvent): void {
    const { length } = this.list.children;
    if (event.isComposing) return;
    if (event.key === "ArrowDown") this.move((this.chosen + 1) % length);
    else if (event.key === "ArrowUp") this.move((this.chosen + length - 1) % length);
    else if (event.key === "Enter" && event.target === this.input) void this.enter(event.ctrlKey || event.metaKey);
    else return;
    event.preventDefault();
  }

  async enter(isApart: boolean): Promise<void> {
    await this.waiting;
    const row = this.list.children[this.chosen];
    if (!(row instanceof HTMLAnchorElement)) return;
    if (isApart) window.open(row.href, "_blank", "noopener");
    else location.assign(row.href);
    this.dialog.close();
  }
}

function option(row: Row, index: number): HTMLElement {
  const link = make("a", { id: `gs-switcher-${index}`, class: `gs-switcher__row is-${row.kind}`, role: "option", tabindex: "-1", href: row.url });
  const words = make("span", { class: "gs-switcher__words" });
  for (const part of row.title) {
    const piece = part.isHit ? make("mark", {}) : document.createElement("span");
    piece.textContent = part.text;
    words.append(piece);
  }
  const about = make("small", {});
  about.textContent = row.about;
  link.append(sign(row.isSeen ? "seen" : row.kind), words, about);
  if (row.isSeen) about.append(hidden(", seen lately"));
  return link;
}

function hidden(words: string): HTMLElement {
  const made = make("span", { class: "visually-hidden" });
  made.textContent = words;
  return made;
}

function key(name: string): HTMLElement {
  const made = document.createElement("kbd");
  made.textContent = name;
  return made;
}

function sign(kind: keyof typeof SIGNS): SVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", SIGNS[kind]);
  svg.append(path);
  return svg;
}

function make<Name extends keyof HTMLElementTagNameMap>(name: Name, attributes: Record<string, string>): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
