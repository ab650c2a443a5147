/**
 * The history island: `<gs-history data-api data-url data-moment data-view>` around the text at a
 * moment. It makes the text move: a slider over every step, playback at any speed, who wrote what.
 * Addresses, restoring and comparing stay links and forms of the page.
 */

import { GrownText, type Piece } from "./grown-text";
import { PagePast, answered, piecesOf, type Moment } from "./history-data";
import { Authorship } from "./authorship";
import { Player } from "./player";
import { Trouble } from "./trouble";

const ASK_AFTER_MS = 250; // of rest, for the address of a moment

class HistoryIsland {
  private readonly past: PagePast;
  private readonly text: GrownText;
  private readonly who: Authorship;
  private readonly player: Player;
  private readonly trouble: Trouble;
  private readonly surface = document.createElement("div");
  private step = 0;
  private moment = "now";
  private wanted = 0;
  private isSeeking = false;
  private timer: number | undefined;

  constructor(private readonly element: HTMLElement) {
    this.past = new PagePast(element.dataset["api"] ?? "");
    this.surface.className = "grown";
    this.who = new Authorship(this.past, this.surface, element.dataset["view"] === "who");
    this.text = new GrownText(this.surface, (pieces, start) => this.who.drawn(pieces, start, this.step));
    this.player = new Player({
      past: this.past,
      seek: (step) => void this.seek(step),
      play: (after) => this.frames(after),
      shown: () => this.step,
      failed: (error, again) => this.trouble.say("text", error, again),
    });
    const head = (): Element | null => element.querySelector(".moment");
    this.trouble = new Trouble((said) => head()?.after(said), () => this.surface.focus({ preventScroll: true }));
  }

  start(): Promise<void> {
    return this.trouble.attempt("text", () => this.begin());
  }

  private async begin(): Promise<void> {
    const told = await this.past.moment(this.element.dataset["moment"] ?? "now");
    if (told.last === 0) return;
    this.takeTheirPlace();
    this.show(told, this.element.dataset["view"] === "who");
    void this.trouble.attempt("times", () => this.past.timeline(() => this.player.drawTimes()));
    this.listen();
  }

  private takeTheirPlace(): void {
    const { element } = this;
    element.querySelector("[data-player]")?.replaceWith(this.player.element);
    element.querySelector("section.legend")?.remove();
    element.querySelector("[data-source]")?.remove();
    element.querySelector("[data-text]")?.replaceWith(this.who.legend, this.surface);
    element.querySelector("[data-views]")?.replaceWith(this.who.switch);
    this.surface.tabIndex = -1;
    document.body.append(this.who.card);
  }

  private listen(): void {
    document.addEventListener("click", (event) => {
      const link = event.target instanceof Element ? event.target.closest<HTMLAnchorElement>("a[data-go]") : null;
      if (link === null || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      void this.go(link.dataset["go"] ?? "now");
    });
    window.addEventListener("popstate", (event) => void this.go((event.state as { moment?: string } | null)?.moment ?? "now", false));
    this.who.onChange = () => {
      this.text.redraw();
      this.draw();
    };
    this.surface.addEventListener("click", (event) => this.restoreOne(event));
  }

  /** To a moment of the list, with an address of its own. */
  private go(name: string, isNew = true): Promise<void> {
    this.player.pause();
    return this.trouble.attempt("text", async () => this.arrive(await this.past.moment(name), isNew));
  }

  private arrive(told: Moment, isNew: boolean): void {
    this.show(told, false);
    if (isNew) this.name(told, true);
    this.surface.focus({ preventScroll: true });
    this.surface.scrollIntoView({ block: "nearest" });
  }

  private show(told: Moment, isFirst: boolean): void {
    this.step = told.step;
    this.moment = told.moment;
    this.text.set(piecesOf(told));
    this.draw();
    if (!isFirst) this.name(told, false);
  }

  /** Where the slider is: a near step forward by its changes, others by their text. */
  private async seek(step: number): Promise<void> {
    this.wanted = step;
    if (this.isSeeking) return;
    if (step !== this.step) await this.sought();
    this.rest();
  }

  private async sought(): Promise<void> {
    this.isSeeking = true;
    try {
      while (this.wanted !== this.step) {
        const target = this.wanted;
        if (target === this.step + 1) await this.forward();
        else {
          const told = await this.past.moment(target);
          this.step = told.step;
          this.text.set(piecesOf(told));
          this.draw();
        }
      }
      this.trouble.end("text");
    } catch (error) {
      const step = this.wanted;
      this.player.pause();
      this.wanted = this.step;
      this.player.draw(true);
      this.trouble.say("text", error, () => void this.seek(step));
    } finally {
      this.isSeeking = false;
    }
  }

  private async forward(): Promise<void> {
    const { frames } = await this.past.frames(this.step);
    this.text.unmark();
    this.step++;
    const frame = frames.find(([step]) => step === this.step);
    if (frame !== undefined) this.text.apply(frame[3], frame[2], frame[0], true);
    this.draw();
  }

  /** For the player: puts in what comes behind `after`, as far as it is asked to. */
  private async frames(after: number): Promise<(through: number) => void> {
    const { frames } = await this.past.frames(after);
    this.trouble.end("text");
    return (through) => {
      this.text.unmark();
      for (const [step, , who, changes] of frames) {
        if (step > this.step && step <= through) this.text.apply(changes, who, step, through - this.step <= 3);
      }
      this.step = through;
      this.draw();
      this.rest();
    };
  }

  private draw(): void {
    this.text.draw();
    this.who.tell(this.text.pieces);
    this.player.draw();
  }

  /** Once it rests the moment gets its address. */
  private rest(): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.trouble.attempt("address", () => this.ask()), ASK_AFTER_MS);
  }

  private async ask(): Promise<void> {
    const step = this.step;
    if (this.player.isPlaying) return;
    const told = await this.past.moment(step);
    if (step === this.step) this.name(told, false);
  }

  /** Links, forms and words of the page speak of this moment from now on. */
  private name(told: Moment, isNew: boolean): void {
    this.moment = told.moment;
    const isNow = told.step === told.last;
    const url = this.element.dataset["url"] ?? "";
    const address = isNow ? `${url}/history` : `${url}/history/${encodeURIComponent(told.moment)}`;
    const state = { moment: isNow ? "now" : told.moment };
    if (isNew) history.pushState(state, "", address);
    else history.replaceState(state, "", address + (isNow ? location.search : ""));
    void this.trouble.attempt("head", () => this.renewHead(address, isNow));
  }

  /** The page itself says who, when, and how to cite it. */
  private async renewHead(address: string, isNow: boolean): Promise<void> {
    const moment = this.moment;
    const told = await answered(address, "text/html", (answer) => answer.text());
    if (moment !== this.moment) return;
    const page = new DOMParser().parseFromString(told, "text/html");
    for (const part of [".moment", ".moment__tools .actions"]) {
      const [old, fresh] = [this.element.querySelector(part), page.querySelector(part)];
      if (old !== null && fresh !== null && !old.contains(document.activeElement)) old.replaceWith(document.adoptNode(fresh));
    }
    document.title = page.title;
    const record = isNow ? "now" : moment.split(".")[0];
    for (const entry of document.querySelectorAll<HTMLElement>(".entry")) {
      const go = entry.querySelector<HTMLElement>("[data-go]")?.dataset["go"];
      const isShown = isNow ? entry === document.querySelector(".entry") : go === record;
      entry.classList.toggle("is-shown", isShown && entry.parentElement?.querySelector(":scope > details") === null);
    }
  }

  /** One paragraph as it was, by the page's own form. */
  private restoreOne(event: Event): void {
    const button = event.target instanceof Element ? event.target.closest<HTMLElement>(".restore-one") : null;
    const line = button?.closest("p") ?? null;
    const form = this.element.querySelector<HTMLFormElement>("form[data-restore]");
    if (line === null || form === null) return;
    const range = this.text.paragraphAt(line);
    if (range === null) return;
    const fields: [string, string][] = [["record", this.moment], ["from", String(range[0])], ["to", String(range[1])]];
    for (const [name, value] of fields) {
      const field = form.querySelector<HTMLInputElement>(`input[name=${name}]`) ?? document.createElement("input");
      Object.assign(field, { type: "hidden", name, value });
      form.append(field);
    }
    form.requestSubmit();
  }
}

export type { Piece };

export async function showHistory(element: HTMLElement): Promise<void> {
  await new HistoryIsland(element).start();
}
