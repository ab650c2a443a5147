/** What the server tells of a page's growth (`/api/v1`, "history"), asked for in batches. */

import type { Change, Piece } from "./grown-text";

export interface Author {
  name: string;
  colour: string;
}

export interface Moment {
  moment: string;
  step: number;
  last: number;
  at: string | null;
  people: Author[];
  by: number[];
  via: string;
  text: string;
  written: [units: number, who: number, step: number][];
}

export type Frame = [step: number, at: number, who: number, changes: Change[]];

/** A step: when, who, and how it came. */
export interface Step {
  at: number;
  who: number;
  via: string;
}

interface Timeline {
  last: number;
  people: Author[];
  steps: [since: number, who: number, via: string][];
  names: [step: number, label: string][];
}

interface Frames {
  through: number;
  people: Author[];
  frames: Frame[];
}

const WAYS: Record<string, string> = { api: "by a program", import: "imported", restore: "restored", agent: "by an agent", fork: "from another page", offer: "as offered" };
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: "UTC" });
const BATCH = 400; // steps of playback asked for at once

export class PagePast {
  people: Author[] = [];
  readonly steps: Step[] = []; // of step 1 at 0
  readonly names = new Map<number, string>(); // of the texts after some of the steps
  last = 0;
  private batches = new Map<number, Promise<Frames>>();

  constructor(private readonly api: string) {}

  async moment(name: string | number): Promise<Moment> {
    const told = await ask<Moment>(`${this.api}/moments/${encodeURIComponent(name)}`);
    this.last = Math.max(this.last, told.last);
    this.people = told.people;
    return told;
  }

  /** All steps, chunk by chunk; `each` hears of every chunk. */
  async timeline(each: () => void): Promise<void> {
    let at = 0;
    for (;;) {
      const told = await ask<Timeline>(`${this.api}/timeline?after=${this.steps.length}`);
      this.people = told.people;
      this.last = Math.max(this.last, told.last);
      if (this.steps.length > 0) at = 0;
      for (const [since, who, via] of told.steps) {
        at += since;
        this.steps.push({ at, who, via });
      }
      for (const [step, label] of told.names) this.names.set(step, label);
      each();
      if (told.steps.length === 0 || this.steps.length >= told.last) return;
    }
  }

  /** The frames behind `after` that come with it in one batch; and the step they go through. */
  async frames(after: number): Promise<{ frames: Frame[]; through: number }> {
    const base = Math.floor(after / BATCH) * BATCH;
    const told = await this.batch(base);
    if (base + BATCH < this.last) void this.batch(base + BATCH); // the next is on its way
    return { frames: told.frames.filter(([step]) => step > after), through: told.through };
  }

  private batch(base: number): Promise<Frames> {
    let found = this.batches.get(base);
    if (found === undefined) {
      found = ask<Frames>(`${this.api}/play?after=${base}&steps=${BATCH}`);
      found.catch(() => this.batches.delete(base));
      this.batches.set(base, found);
      if (this.batches.size > 12) this.batches.delete(this.batches.keys().next().value as number);
    }
    return found;
  }
}

/** A time as the rest of the page says it: "30 May 2026, 18:34 UTC". */
export function timeOf(at: number): string {
  return `${DAY.format(at)}, ${CLOCK.format(at)} UTC`;
}

/** How a step came, in brackets; nothing for what was typed. */
export function wayOf(via: string): string {
  return via === "" ? "" : ` (${WAYS[via] ?? via})`;
}

/** The text of a moment with its authors. */
export function piecesOf({ text, written }: Moment): Piece[] {
  let at = 0;
  return written.map(([units, who, step]) => ({ text: text.slice(at, (at += units)), who, step }));
}

/** The message says it to whoever looks at the history. */
export class Unread extends Error {}

const NO_ANSWER = "This part of the history did not come: the site does not answer.";
const GONE = "This part of the history did not come: the page is gone, or is not yours to read any more.";
const TOO_MANY = "This part of the history did not come: the site was asked too much at once. Wait a moment.";
const WHY: Record<number, string> = { 401: GONE, 403: GONE, 404: GONE, 410: GONE, 429: TOO_MANY };

/** What `read` makes of the answer. Throws Unread when there is none, or no good one. */
export async function answered<Told>(url: string, accept: string, read: (answer: Response) => Promise<Told>): Promise<Told> {
  let answer: Response;
  try {
    answer = await fetch(url, { headers: { Accept: accept } });
    if (answer.ok) return await read(answer);
  } catch {
    throw new Unread(NO_ANSWER); // no line, or cut off in the middle
  }
  throw new Unread(WHY[answer.status] ?? `This part of the history did not come: the site has trouble (${answer.status}).`);
}

function ask<Told>(url: string): Promise<Told> {
  return answered(url, "application/json", async (answer) => (await answer.json()) as Told);
}
