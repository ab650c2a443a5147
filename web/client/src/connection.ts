/**
 * A page's connection to its room: `next` decides, `PageSocket` (socket.ts) performs.
 *
 * Invariants:
 * 1. `sent` counts the frames of sync steps 1 and 2 of this socket; `acked` how many of them the
 *    server has on disk. Both start at 0 with every socket.
 * 2. What was typed is in exactly one of: waiting for the tick (`hasUnsent`), sent and not yet
 *    acknowledged (`sent > acked`), or durable. A new socket makes everything unsent again: the
 *    answer to the server's sync step 1 carries it.
 * 3. Saved means: open, both halves of the sync done, nothing waiting, `sent === acked`.
 * 4. A close that trying again cannot mend ends in `stopped`, with the reason kept.
 */

import type { Message } from "./frames";

export type StopReason =
  | "signed-out" // 4401
  | "forbidden" // 4403
  | "not-found" // 4404
  | "epoch" // 4409: the page was started afresh; what is unsent becomes a draft
  | "too-large" // 4413
  | "refused" // 4400, 4422, 4423: start afresh under a new client id
  | "left";

export interface State {
  phase: "waiting" | "connecting" | "open" | "stopped";
  hasHeard: boolean; // the server's sync step 2 came
  hasAnswered: boolean; // the server's sync step 1 was answered
  sent: number;
  acked: number;
  hasUnsent: boolean;
  isTicking: boolean;
  attempt: number;
  trouble: string; // why the server takes nothing now, in its words
  stop: StopReason | null;
}

export type Event =
  | { type: "start" }
  | { type: "opened" }
  | { type: "message"; message: Message }
  | { type: "closed"; code: number; reason?: string }
  | { type: "typed" }
  | { type: "tick" }
  | { type: "wake" } // the network is back, or the page is looked at again
  | { type: "retry" }
  | { type: "leave" };

export type Effect =
  | { do: "open" }
  | { do: "ask" } // sync step 1 with our state vector
  | { do: "answer"; vector: Uint8Array } // sync step 2, which carries all that was unsent
  | { do: "send" } // one update frame with what is unsent
  | { do: "show-presence" } // tell who we are and ask who is here
  | { do: "apply"; update: Uint8Array }
  | { do: "take-presence"; payload: Uint8Array }
  | { do: "durable"; count: number }
  | { do: "schedule-tick" }
  | { do: "retry-in"; milliseconds: number } // the shell adds jitter
  | { do: "close" }
  | { do: "stopped"; reason: StopReason };

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 2000; // so that all have one text within five seconds of a network's healing
const TROUBLES = [4429, 4503]; // it says why, and takes more later

const STOPS: Readonly<Record<number, StopReason>> = {
  4400: "refused",
  4401: "signed-out",
  4403: "forbidden",
  4404: "not-found",
  4409: "epoch",
  4413: "too-large",
  4422: "refused",
  4423: "refused",
};

export function initial(): State {
  return {
    phase: "waiting",
    hasHeard: false,
    hasAnswered: false,
    sent: 0,
    acked: 0,
    hasUnsent: false,
    isTicking: false,
    attempt: 0,
    trouble: "",
    stop: null,
  };
}

export function isSynced(state: State): boolean {
  return state.phase === "open" && state.hasHeard && state.hasAnswered;
}

/** Invariant 3. */
export function isSaved(state: State): boolean {
  return isSynced(state) && !hasUnacknowledged(state);
}

export function hasUnacknowledged(state: State): boolean {
  return state.hasUnsent || state.sent !== state.acked;
}

/** How long to wait before attempt number `attempt` + 1, before jitter. */
export function backoff(attempt: number): number {
  return Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** attempt);
}

export function next(state: State, event: Event): [State, Effect[]] {
  if (state.phase === "stopped") return [afterStop(state, event), []];
  switch (event.type) {
    case "start":
    case "retry":
    case "wake":
      if (state.phase !== "waiting") return [state, []];
      return [{ ...state, phase: "connecting" }, [{ do: "open" }]];
    case "opened":
      return [freshSocket(state, "open"), [{ do: "ask" }, { do: "show-presence" }]];
    case "message":
      return state.phase === "open" ? received(state, event.message) : [state, []];
    case "closed":
      return closed(state, event.code, event.reason);
    case "typed":
      return typed(state);
    case "tick":
      return ticked(state);
    case "leave":
      return [{ ...state, phase: "stopped", stop: "left" }, [{ do: "close" }]];
  }
}

function afterStop(state: State, event: Event): State {
  return event.type === "typed" ? { ...state, hasUnsent: true } : state;
}

/** Invariants 1 and 2. */
function freshSocket(state: State, phase: "open" | "waiting"): State {
  const hasUnsent = hasUnacknowledged(state);
  return { ...state, phase, hasHeard: false, hasAnswered: false, sent: 0, acked: 0, hasUnsent };
}

function received(state: State, message: Message): [State, Effect[]] {
  switch (message.kind) {
    case "step1": {
      const answered = { ...state, hasAnswered: true, hasUnsent: false, sent: state.sent + 1 };
      return [answered, [{ do: "answer", vector: message.vector }]];
    }
    case "step2": {
      const heard = { ...state, hasHeard: true, attempt: 0, trouble: "" };
      return [heard, [{ do: "apply", update: message.update }]];
    }
    case "update":
      return [state, [{ do: "apply", update: message.update }]];
    case "presence":
      return [state, [{ do: "take-presence", payload: message.payload }]];
    case "query-presence":
      return [state, [{ do: "show-presence" }]];
    case "ack": {
      const count = Math.min(message.count, state.sent);
      if (count <= state.acked) return [state, []];
      return [{ ...state, acked: count }, [{ do: "durable", count }]];
    }
    case "unknown":
      return [state, []];
  }
}

function closed(state: State, code: number, told = ""): [State, Effect[]] {
  const gone = freshSocket(state, "waiting");
  const reason = STOPS[code];
  if (reason !== undefined) {
    return [{ ...gone, phase: "stopped", stop: reason }, [{ do: "stopped", reason }]];
  }
  const isTrouble = TROUBLES.includes(code);
  const trouble = isTrouble ? told.slice(told.indexOf(":") + 1).trim() : state.trouble;
  const wait: Effect = { do: "retry-in", milliseconds: backoff(state.attempt) };
  return [{ ...gone, attempt: state.attempt + 1, trouble }, [wait]];
}

function typed(state: State): [State, Effect[]] {
  const unsent = { ...state, hasUnsent: true };
  if (state.isTicking || state.phase !== "open") return [unsent, []];
  return [{ ...unsent, isTicking: true }, [{ do: "schedule-tick" }]];
}

/** Before the server's step 1 was answered nothing is sent: the answer carries it. */
function ticked(state: State): [State, Effect[]] {
  const rested = { ...state, isTicking: false };
  if (!state.hasUnsent || state.phase !== "open" || !state.hasAnswered) return [rested, []];
  return [{ ...rested, hasUnsent: false, sent: state.sent + 1 }, [{ do: "send" }]];
}
