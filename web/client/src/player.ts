/** A slider over the steps of a page, and playback: pauses in the writing take a second at most. */

import { timeOf, wayOf, type PagePast } from "./history-data";

const SPEEDS = [1, 3, 10, 30, 100, 1000];
const PAUSE_MS = 1000; // the longest that nothing happens, at 1×
const STRIPS = 240; // stretches of the picture of who wrote when
const KEYS = "Space plays, ← → one step, ↑ ↓ ten, < > the speed, Home and End the first and the last";

interface Driven {
  past: PagePast;
  seek: (step: number) => void;
  /** Makes ready what follows a step; the result puts it in, through a step. */
  play: (after: number) => Promise<(through: number) => void>;
  shown: () => number;
  /** It did not come; `again` asks once more. */
  failed: (error: unknown, again: () => void) => void;
}

export class Player {
  readonly element = document.createElement("div");
  private readonly strip = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  private readonly slider = document.createElement("input");
  private readonly button = document.createElement("button");
  private readonly speed = document.createElement("select");
  private readonly now = document.createElement("output");
  private run = 0; // counts plays; an old one ends when it is not the present one
  isPlaying = false;

  constructor(private readonly driven: Driven) {
    this.element.className = "player";
    this.element.setAttribute("role", "group");
    this.element.setAttribute("aria-label", "Playback");
    this.strip.setAttribute("class", "player__strip");
    this.strip.setAttribute("viewBox", `0 0 ${STRIPS} 10`);
    this.strip.setAttribute("preserveAspectRatio", "none");
    this.strip.setAttribute("aria-hidden", "true");
    Object.assign(this.slider, { type: "range", min: "0", step: "1", className: "player__slider" });
    this.slider.setAttribute("aria-label", "Moment");
    this.slider.addEventListener("input", () => {
      this.pause();
      driven.seek(Number(this.slider.value));
    });
    Object.assign(this.button, { type: "button", className: "button button--primary is-small" });
    this.button.addEventListener("click", () => this.toggle());
    for (const times of SPEEDS) this.speed.add(new Option(`${times}×`, String(times), times === 10, times === 10));
    const speed = document.createElement("label");
    speed.className = "player__speed";
    const words = document.createElement("span");
    words.className = "visually-hidden";
    words.textContent = "Speed";
    speed.append(words, this.speed);
    const steps = document.createElement("span");
    steps.className = "player__steps";
    steps.append(this.stepButton("One step back", "‹", -1), this.stepButton("One step on", "›", 1));
    this.now.className = "player__now";
    const row = document.createElement("div");
    row.className = "player__row";
    row.append(this.button, steps, speed, this.now);
    const keys = document.createElement("p");
    keys.className = "player__keys";
    keys.textContent = KEYS;
    this.element.append(this.strip, this.slider, row, keys);
    this.element.addEventListener("keydown", (event) => this.pressed(event));
    this.label();
  }

  toggle(): void {
    if (this.isPlaying) this.pause();
    else void this.play();
  }

  pause(): void {
    if (!this.isPlaying) return;
    this.isPlaying = false;
    this.run++;
    this.label();
    this.driven.seek(this.driven.shown());
  }

  /** A slider that is held stays where it is, unless it must go `back`. */
  draw(back = false): void {
    const { past, shown } = this.driven;
    const step = shown();
    this.slider.max = String(past.last);
    if (back || document.activeElement !== this.slider || this.isPlaying) this.slider.value = String(step);
    const told = past.steps[step - 1];
    const who = told === undefined ? "" : past.people[told.who]?.name || "Somebody";
    const at = told === undefined ? "" : timeOf(told.at);
    const way = wayOf(told?.via ?? "");
    const place = `step ${step.toLocaleString()} of ${past.last.toLocaleString()}`;
    const name = past.names.get(step);
    const called = name === undefined ? "" : `“${name}” · `;
    this.now.value = told === undefined ? place : `${called}${at} · ${who}${way} · ${place}`;
    this.slider.setAttribute("aria-valuetext", this.now.value);
  }

  /** Who wrote when, as stretches in the authors' colours. */
  drawTimes(): void {
    const { steps } = this.driven.past;
    const count = Math.min(STRIPS, steps.length);
    const width = STRIPS / count;
    this.strip.replaceChildren();
    for (let at = 0; at < count; at++) {
      const [from, to] = [Math.floor((at * steps.length) / count), Math.floor(((at + 1) * steps.length) / count)];
      const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      const busiest = most(steps.slice(from, Math.max(to, from + 1)).map((step) => step.who));
      rect.setAttribute("class", `by-${busiest % 10}`);
      rect.setAttribute("fill", "var(--by)");
      rect.setAttribute("x", String(at * width));
      rect.setAttribute("width", String(width + 0.2));
      rect.setAttribute("height", "10");
      this.strip.append(rect);
    }
    for (const step of this.driven.past.names.keys()) this.strip.append(mark((step / this.driven.past.last) * STRIPS));
    this.draw();
  }

  private async play(): Promise<void> {
    const { past, shown, seek, play } = this.driven;
    const run = ++this.run;
    this.isPlaying = true;
    this.label();
    try {
      if (shown() >= past.last) {
        seek(0);
        await until(() => shown() === 0 || run !== this.run);
      }
      while (run === this.run && shown() < past.last) {
        const from = shown();
        const put = await play(from);
        const end = Math.min(past.last, (Math.floor(from / 400) + 1) * 400);
        await this.through(from, end, put, run);
      }
    } catch (error) {
      this.driven.failed(error, () => void this.play());
    } finally {
      if (run === this.run) this.pause();
    }
  }

  /** As time goes by, the steps behind `from` up to `end`. */
  private async through(from: number, end: number, put: (through: number) => void, run: number): Promise<void> {
    const { steps } = this.driven.past;
    let [step, due, last] = [from, 0, performance.now()];
    while (step < end && run === this.run) {
      const now = await frame();
      due += (now - last) * Number(this.speed.value);
      last = now;
      let next = step;
      while (next < end) {
        const gap = Math.min(PAUSE_MS, Math.max(40, (steps[next]?.at ?? 0) - (steps[next - 1]?.at ?? 0)));
        if (gap > due) break;
        due -= gap;
        next++;
      }
      if (next === step || run !== this.run) continue;
      step = next;
      put(step);
    }
  }

  private pressed(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isButton = event.target instanceof HTMLButtonElement || event.target instanceof HTMLSelectElement;
    const at = SPEEDS.indexOf(Number(this.speed.value));
    if ((event.key === " " && !isButton) || event.key === "k") this.toggle();
    else if (event.key === "<") this.speed.value = String(SPEEDS[Math.max(0, at - 1)]);
    else if (event.key === ">") this.speed.value = String(SPEEDS[Math.min(SPEEDS.length - 1, at + 1)]);
    else if (event.target === this.slider && (event.key === "ArrowUp" || event.key === "ArrowDown")) this.leap(event.key === "ArrowUp" ? 10 : -10);
    else return;
    event.preventDefault();
  }

  private leap(by: number): void {
    const step = Math.min(this.driven.past.last, Math.max(0, this.driven.shown() + by));
    this.pause();
    this.slider.value = String(step);
    this.driven.seek(step);
  }

  private stepButton(name: string, sign: string, by: number): HTMLButtonElement {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "icon-button", title: name, textContent: sign });
    button.setAttribute("aria-label", name);
    button.addEventListener("click", () => this.leap(by));
    return button;
  }

  private label(): void {
    this.button.textContent = this.isPlaying ? "Pause" : "Play";
  }
}

/** Where a text has a name. */
function mark(at: number): SVGElement {
  const line = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  line.setAttribute("class", "player__name");
  line.setAttribute("x", String(Math.min(STRIPS - 1, Math.max(0, at - 0.5))));
  line.setAttribute("width", "1");
  line.setAttribute("height", "10");
  return line;
}

function most(numbers: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const number of numbers) counts.set(number, (counts.get(number) ?? 0) + 1);
  return [...counts].reduce((best, one) => (one[1] > best[1] ? one : best), [0, 0])[0];
}

function frame(): Promise<number> {
  return new Promise((resolve) => requestAnimationFrame(resolve));
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await frame();
}
