/** The only module that says Saved, Saving or Offline. */

import { hasUnacknowledged, isSaved, type State } from "./connection";

export interface Situation {
  state: State;
  mayEdit: boolean;
  isKept: boolean; // this browser holds a copy of what is unsent
}

export interface Status {
  word: string;
  tone: "good" | "busy" | "warn";
  explanation: string;
}

const KEPT = " – kept in this browser";

export function statusOf({ state, mayEdit, isKept }: Situation): Status {
  if (state.stop !== null && state.stop !== "left") return stopped(state, isKept);
  if (!mayEdit) return say("Read-only", "good", "You may read this page, not change it.");
  if (state.trouble) {
    const kept = hasUnacknowledged(state) && isKept ? KEPT : "";
    return say(`Not saving${kept}`, "warn", state.trouble);
  }
  if (isSaved(state)) return say("Saved", "good", "Everything you typed is stored on the server.");
  if (state.phase === "open" || (state.phase === "connecting" && state.attempt === 0)) {
    return say("Saving", "busy", "What you typed is on its way to the server.");
  }
  if (!hasUnacknowledged(state)) {
    return say("Offline", "warn", "Not connected; trying again. Everything you typed is stored.");
  }
  if (isKept) {
    return say("Offline – kept in this browser", "warn", "It is sent when the connection is back.");
  }
  return say("Offline", "warn", "Keep this tab open: what you typed is not stored yet.");
}

function stopped(state: State, isKept: boolean): Status {
  const unsent = hasUnacknowledged(state);
  const kept = unsent && isKept ? KEPT : "";
  switch (state.stop) {
    case "signed-out":
      return say(`Signed out${kept}`, "warn", "Sign in again to go on editing.");
    case "forbidden":
      return say(`Read-only${kept}`, "warn", "You may no longer change this page.");
    case "not-found":
      return say(`Page gone${kept}`, "warn", "This page was removed.");
    case "too-large":
      return say("Not saved: too large", "warn", "Take something out, or split the page.");
    default:
      return say("Saving", "busy", "The page is being loaded afresh.");
  }
}

function say(word: string, tone: Status["tone"], explanation: string): Status {
  return { word, tone, explanation };
}

/** Keeps `element` saying the status; polite, and only when the words change. */
export class StatusLine {
  readonly element = document.createElement("span");
  private readonly word = document.createElement("span");

  constructor() {
    this.element.className = "gs-status";
    this.element.setAttribute("role", "status");
    this.element.setAttribute("aria-live", "polite");
    this.element.append(this.word);
  }

  show(situation: Situation): void {
    const status = statusOf(situation);
    if (this.word.textContent === status.word) return;
    this.word.textContent = status.word;
    this.element.dataset["tone"] = status.tone;
    this.element.title = status.explanation;
  }
}
