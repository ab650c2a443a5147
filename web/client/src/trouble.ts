/**
 * What the history screen says when parts of the past do not come, with a button that asks again for
 * all that is missing. Each has a name: asking anew, or having it, takes the place of the failure.
 */

import { Unread } from "./history-data";

export class Trouble {
  private readonly element = document.createElement("div");
  private readonly words = document.createElement("p");
  private readonly missing = new Map<string, () => void>(); // what asks for it again

  /** `put` places it; `onward` takes the focus when it goes. */
  constructor(
    private readonly put: (element: HTMLElement) => void,
    private readonly onward: () => void,
  ) {
    this.element.className = "notice notice--warn trouble";
    this.element.setAttribute("role", "alert");
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "button is-small", textContent: "Try again" });
    button.addEventListener("click", () => {
      for (const again of [...this.missing.values()]) again();
    });
    this.element.append(this.words, button);
  }

  /** Does `work`, and says it when it fails. */
  async attempt(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.end(what);
    } catch (error) {
      this.say(what, error, () => void this.attempt(what, work));
    }
  }

  /** Throws what is no trouble of asking. */
  say(what: string, error: unknown, again: () => void): void {
    if (!(error instanceof Unread)) throw error;
    this.missing.set(what, again);
    this.words.textContent = error.message;
    if (!this.element.isConnected) this.put(this.element);
  }

  end(what: string): void {
    this.missing.delete(what);
    if (this.missing.size > 0 || !this.element.isConnected) return;
    const hadFocus = this.element.contains(document.activeElement);
    this.element.remove();
    if (hadFocus) this.onward();
  }
}
