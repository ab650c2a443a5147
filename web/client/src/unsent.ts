/** Updates that the server has not acknowledged: in the order typed, each with its frame's number. */

import * as Y from "yjs";

const EMPTY = Uint8Array.of(0, 0);

interface Entry {
  update: Uint8Array;
  frame: number | null; // null: not in a frame of this socket yet
  row: Promise<number | null>; // where this browser keeps it
  isKept: boolean; // it is there
}

export class Unsent {
  private entries: Entry[] = [];

  /** Resolves when it is known whether this browser keeps the update. */
  async add(update: Uint8Array, row: Promise<number | null>): Promise<void> {
    const entry: Entry = { update, frame: null, row, isKept: false };
    this.entries.push(entry);
    entry.isKept = (await row) !== null;
  }

  /** Whether closing the tab would lose nothing. */
  get isKept(): boolean {
    return this.entries.every((entry) => entry.isKept);
  }

  /** The update of the frame numbered `frame`: all that waited, merged. */
  take(frame: number): Uint8Array {
    const waiting = this.entries.filter((entry) => entry.frame === null);
    for (const entry of waiting) entry.frame = frame;
    return waiting.length > 0 ? Y.mergeUpdates(waiting.map((entry) => entry.update)) : EMPTY;
  }

  /** The frame numbered `frame` carries everything, as the answer to sync step 1 does. */
  allIn(frame: number): void {
    for (const entry of this.entries) entry.frame = frame;
  }

  /** A new socket has sent nothing yet. */
  rewind(): void {
    for (const entry of this.entries) entry.frame = null;
  }

  /** Frames up to `count` are durable; returns the rows to forget. */
  durable(count: number): Promise<number[]> {
    const isDurable = (entry: Entry) => entry.frame !== null && entry.frame <= count;
    const gone = this.entries.filter(isDurable);
    this.entries = this.entries.filter((entry) => !isDurable(entry));
    return rowsOf(gone);
  }

  get isEmpty(): boolean {
    return this.entries.length === 0;
  }

  get updates(): Uint8Array[] {
    return this.entries.map((entry) => entry.update);
  }

  rows(): Promise<number[]> {
    return rowsOf(this.entries);
  }
}

/** The text that `updates` insert and do not themselves delete again; what a draft shows. */
export function insertedText(updates: readonly Uint8Array[]): string {
  if (updates.length === 0) return "";
  const { structs, ds } = Y.decodeUpdate(Y.mergeUpdates([...updates]));
  const parts: string[] = [];
  for (const struct of structs) {
    if (!(struct instanceof Y.Item) || !(struct.content instanceof Y.ContentString)) continue;
    const deleted = ds.clients.get(struct.id.client) ?? [];
    const first = struct.id.clock;
    const isLeft = (_: string, index: number) =>
      !deleted.some(({ clock, len }) => first + index >= clock && first + index < clock + len);
    parts.push(struct.content.str.split("").filter(isLeft).join(""));
  }
  return parts.join("");
}

async function rowsOf(entries: readonly Entry[]): Promise<number[]> {
  const rows = await Promise.all(entries.map((entry) => entry.row));
  return rows.filter((row) => row !== null);
}
