/** Who wrote what: colours, a legend with shares, and whose each sentence is on hover and focus. */

import type { Piece } from "./grown-text";
import { timeOf, wayOf, type PagePast } from "./history-data";

const COLOURS = 10; // of history.css

export class Authorship {
  readonly legend = document.createElement("section");
  readonly switch = document.createElement("div");
  readonly card = document.createElement("div");
  onChange: () => void = () => {};
  private chosen: number | null = null;
  private shown = 0;
  private readonly restore = document.querySelector("form[data-restore]") !== null ? restoreButton() : null;

  constructor(
    private readonly past: PagePast,
    private readonly surface: HTMLElement,
    private isColoured: boolean,
  ) {
    this.legend.className = "legend";
    this.legend.setAttribute("aria-label", "Who wrote it");
    this.switch.className = "segmented";
    this.switch.setAttribute("role", "group");
    this.switch.setAttribute("aria-label", "What is shown");
    this.switch.append(this.view("Text", false), this.view("Who wrote what", true));
    this.card.className = "who-card";
    this.card.setAttribute("role", "status");
    this.card.hidden = true;
    surface.addEventListener("pointerover", (event) => this.point(event.target));
    surface.addEventListener("pointerleave", () => (this.card.hidden = true));
    surface.addEventListener("focusin", (event) => this.point(event.target));
    surface.addEventListener("focusout", () => (this.card.hidden = true));
    document.addEventListener("keydown", (event) => event.key === "Escape" && (this.card.hidden = true));
    surface.addEventListener("keydown", (event) => this.move(event));
    this.apply();
  }

  /** A line as elements: sentences, and in them what one person wrote in one step. */
  drawn(pieces: readonly Piece[], start: number, shown: number): Node[] {
    this.shown = shown;
    const nodes: Node[] = [];
    let sentence = made("span", "sentence");
    for (const piece of pieces) {
      if (piece.gone !== undefined) {
        const gone = made("del", "");
        gone.textContent = piece.gone;
        sentence.append(gone);
        continue;
      }
      for (const part of piece.text.split(/(?<=[.!?…。！？]["”»’)]?\s+)/u)) {
        if (part === "") continue;
        const span = made("span", `by by-${piece.who % COLOURS}`);
        if (piece.step === shown && shown > 0) span.classList.add("is-new");
        if (this.chosen !== null && this.chosen !== piece.who) span.classList.add("is-dim");
        Object.assign(span.dataset, { who: piece.who, step: piece.step });
        span.textContent = part;
        sentence.append(span);
        if (!/[.!?…。！？]["”»’)]?\s+$/u.test(part)) continue;
        nodes.push(sentence);
        sentence = made("span", "sentence");
      }
    }
    if (sentence.hasChildNodes()) nodes.push(sentence);
    for (const node of nodes) (node as HTMLElement).tabIndex = -1;
    if (start === 0 && nodes.length > 0) (nodes[0] as HTMLElement).tabIndex = 0;
    return nodes;
  }

  /** The legend: who has how much of the text. */
  tell(pieces: readonly Piece[]): void {
    const totals = new Map<number, number>();
    for (const { who, text } of pieces) if (text !== "" && who >= 0) totals.set(who, (totals.get(who) ?? 0) + text.length);
    const whole = [...totals.values()].reduce((sum, units) => sum + units, 0);
    const list = document.createElement("ul");
    for (const [who, units] of [...totals].sort((a, b) => b[1] - a[1])) {
      const button = made("button", `by-${who % COLOURS}`) as HTMLButtonElement;
      button.type = "button";
      button.setAttribute("aria-pressed", String(this.chosen === who));
      const share = made("span", "muted");
      share.textContent = `${Math.round((100 * units) / whole)} %`;
      button.append(made("span", `swatch by-${who % COLOURS}`), this.name(who), share);
      button.addEventListener("click", () => {
        this.chosen = this.chosen === who ? null : who;
        this.onChange();
        this.legend.querySelector<HTMLElement>(`.by-${who % COLOURS}`)?.focus();
      });
      const item = document.createElement("li");
      item.append(button);
      list.append(item);
    }
    this.legend.replaceChildren(list);
  }

  private name(who: number): string {
    return this.past.people[who]?.name || "Somebody";
  }

  private view(words: string, isColoured: boolean): HTMLButtonElement {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", textContent: words });
    button.addEventListener("click", () => {
      this.isColoured = isColoured;
      if (!isColoured && this.chosen !== null) {
        this.chosen = null;
        this.onChange();
      }
      this.apply();
    });
    return button;
  }

  private apply(): void {
    this.surface.classList.toggle("is-plain", !this.isColoured);
    this.legend.hidden = !this.isColoured;
    [...this.switch.children].forEach((button, at) => button.setAttribute("aria-pressed", String(this.isColoured === (at === 1))));
  }

  /** Whose the sentence is. */
  private point(target: EventTarget | null): void {
    const sentence = target instanceof Element ? target.closest<HTMLElement>(".sentence") : null;
    if (sentence === null) {
      this.card.hidden = true;
      return;
    }
    if (this.restore !== null && this.shown < this.past.last) sentence.parentElement?.append(this.restore);
    const found = new Map<string, HTMLElement>();
    for (const part of sentence.querySelectorAll<HTMLElement>("[data-who]")) {
      const { who = "0", step = "0" } = part.dataset;
      if (!found.has(`${who} ${step}`) && part.textContent?.trim()) found.set(`${who} ${step}`, this.line(Number(who), Number(step)));
    }
    this.card.replaceChildren(...[...found.values()].slice(0, 6));
    if (found.size > 6) this.card.append(`and ${found.size - 6} more changes`);
    this.card.hidden = found.size === 0;
    const box = sentence.getBoundingClientRect();
    const top = box.bottom + 8;
    const isBelow = top + this.card.offsetHeight < innerHeight;
    this.card.style.top = `${isBelow ? top : Math.max(8, box.top - this.card.offsetHeight - 8)}px`;
    this.card.style.left = `${Math.max(8, Math.min(box.left, innerWidth - this.card.offsetWidth - 8))}px`;
  }

  private line(who: number, step: number): HTMLElement {
    const told = this.past.steps[step - 1];
    const line = made("p", "");
    const at = told === undefined ? "" : `, ${timeOf(told.at)}`;
    const way = wayOf(told?.via ?? "");
    const words = document.createElement("span");
    words.textContent = `${this.name(who)}${at}${way}`;
    line.append(made("span", `swatch by-${who % COLOURS}`), words);
    return line;
  }

  /** From sentence to sentence by arrow keys. */
  private move(event: KeyboardEvent): void {
    const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    const now = event.target instanceof Element ? event.target.closest<HTMLElement>(".sentence") : null;
    if (by === undefined || now === null) return;
    const all = [...this.surface.querySelectorAll<HTMLElement>(".sentence")];
    const next = all[all.indexOf(now) + by];
    if (next === undefined) return;
    event.preventDefault();
    now.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }
}

function restoreButton(): HTMLElement {
  const button = made("button", "restore-one button is-small") as HTMLButtonElement;
  button.type = "button";
  button.textContent = "Restore this paragraph";
  return button;
}

function made(tag: string, className: string): HTMLElement {
  const element = document.createElement(tag);
  if (className !== "") element.className = className;
  return element;
}
