/** What the keyboard does here: shown on "?", from any page. */

const KEYS: readonly [keys: string, what: string, where?: string][] = [
  ["?", "These keys"],
  ["/", "Search"],
  ["Ctrl K", "Go to a page by its title"],
  ["E", "Edit the page", "gs-editor"],
  ["Ctrl Alt M", "Comment on the marked words, or on the page", "[data-talk]"],
  ["Ctrl Enter", "Done editing", "gs-editor"],
  ["Esc", "Out of the text, to Done", "gs-editor"],
  ["Ctrl B · Ctrl I · Ctrl K", "Bold, italic, link, while editing", "gs-editor"],
  ["Ctrl Alt 1 … 3", "Heading, while editing", "gs-editor"],
  ["Ctrl Shift 7 · 8 · 9", "Numbers, bullets, tasks, while editing", "gs-editor"],
  ["Alt ↑ · Alt ↓", "Move the line, while editing", "gs-editor"],
  ["Space", "Play or pause, in the playback", "gs-history"],
  ["← · → · ↑ · ↓", "One step, ten steps, on the slider", "gs-history"],
  ["< · >", "Slower, faster, in the playback", "gs-history"],
  ["↑ · ↓", "From sentence to sentence, in the text of the history", "gs-history"],
];

export function showKeys(): void {
  const dialog = document.createElement("dialog");
  dialog.className = "keys";
  dialog.setAttribute("aria-labelledby", "keys-title");
  const title = document.createElement("h2");
  title.id = "keys-title";
  title.textContent = "Keys";
  const list = document.createElement("dl");
  const isMac = /Mac|iPhone|iPad/.test(navigator.platform);
  for (const [keys, what, where] of KEYS) {
    if (where !== undefined && document.querySelector(where) === null) continue;
    const [term, words] = [document.createElement("dt"), document.createElement("dd")];
    for (const one of keys.split(" · ")) {
      const key = document.createElement("kbd");
      key.textContent = isMac ? one.replace("Ctrl", "⌘").replace("Alt", "⌥") : one;
      term.append(key, " ");
    }
    words.textContent = what;
    list.append(term, words);
  }
  const close = document.createElement("button");
  Object.assign(close, { type: "button", className: "button is-small", textContent: "Close" });
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.append(title, list, close);
  document.body.append(dialog);
  dialog.showModal();
}
