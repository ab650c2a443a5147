/** Loads the editor when it is asked for: `[data-edit]`, `?edit=1`, or the key "e". */

import { isTyping } from "./page";

export function editButtons(): void {
  const island = document.querySelector<HTMLElement>("gs-editor");
  if (island === null || ["", "0", "false", undefined].includes(island.dataset["canEdit"])) return;
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest("[data-edit]");
    if (!button || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    void start(island);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "e" || event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return;
    if (island.classList.contains("is-editing")) return;
    event.preventDefault();
    void start(island);
  });
  if (new URL(location.href).searchParams.get("edit") === "1") void start(island);
}

async function start(island: HTMLElement): Promise<void> {
  for (const button of document.querySelectorAll<HTMLElement>("[data-edit]")) button.hidden = true;
  try {
    const { edit } = await import("./editor");
    await edit(island);
  } catch (error) {
    for (const button of document.querySelectorAll<HTMLElement>("[data-edit]")) button.hidden = false;
    const note = document.createElement("p");
    note.setAttribute("role", "alert");
    note.textContent = "The editor could not be loaded. Check the connection and try again.";
    island.prepend(note);
    throw error;
  }
}
