/** What a person must know above the text: drafts that did not reach the page, sign-in, refusals. */

export interface Button {
  label: string;
  isMain?: boolean;
  run(): void | Promise<void>;
}

export class Notices {
  readonly element = document.createElement("div");

  constructor() {
    this.element.className = "gs-notices";
    this.element.setAttribute("aria-live", "polite");
  }

  /** Shows a sentence; returns what takes it away. */
  show(sentence: string, buttons: readonly Button[] = [], text?: string): () => void {
    const notice = document.createElement("section");
    notice.className = "gs-notice";
    const words = document.createElement("p");
    words.textContent = sentence;
    notice.append(words);
    if (text !== undefined) notice.append(quoted(text));
    const remove = () => notice.remove();
    const bar = document.createElement("div");
    bar.className = "gs-notice-bar";
    bar.append(...buttons.map(buttonOf));
    notice.append(bar);
    this.element.append(notice);
    return remove;
  }

  /** A sentence with a button that puts it away. */
  say(sentence: string): void {
    const remove = this.show(sentence, [{ label: "Close", run: () => remove() }]);
  }

  /** Text of the person's that is not in the page. `insert` is null where they may not edit. */
  draft(text: string, insert: (() => void) | null, discard: () => Promise<void>): void {
    const buttons: Button[] = [
      { label: "Copy", run: () => navigator.clipboard.writeText(text) },
      { label: "Discard", run: () => done() },
    ];
    const done = async () => {
      remove();
      await discard();
    };
    if (insert !== null) {
      const run = () => {
        insert();
        return done();
      };
      buttons.unshift({ label: "Insert at the cursor", isMain: true, run });
    }
    const remove = this.show("You typed this, but it is not in the page:", buttons, text);
  }
}

function quoted(text: string): HTMLElement {
  const quote = document.createElement("pre");
  quote.dir = "auto";
  quote.textContent = text;
  return quote;
}

function buttonOf({ label, isMain, run }: Button): HTMLButtonElement {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = label;
  button.className = isMain === true ? "gs-button gs-button-main" : "gs-button";
  button.addEventListener("click", () => void run());
  return button;
}
