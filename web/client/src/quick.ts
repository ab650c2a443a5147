/**
 * What every page does for the quick switcher: Ctrl-K, ⌘K or a `[data-switch]` opens it (it is
 * loaded then), and pages that were visited are remembered, by id, in this browser.
 */

const VISITED = "gs-visited";
const KEPT = 20;
let isOpening = false;

export function quickSwitcher(): void {
  remember();
  for (const button of document.querySelectorAll<HTMLElement>("[data-switch]")) {
    button.hidden = false; // without scripts it would do nothing
    const keys = button.querySelector("kbd");
    if (keys !== null && /Mac|iPhone|iPad/.test(navigator.platform)) keys.textContent = "⌘K";
  }
  document.addEventListener("keydown", (event) => {
    const isOurs = (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k";
    if (!isOurs || event.defaultPrevented) return;
    event.preventDefault();
    void open();
  });
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-switch]") : null;
    if (button === null) return;
    button.closest("details")?.removeAttribute("open");
    void open();
  });
}

/** Ids of pages, the one seen last first. */
export function visited(): string[] {
  try {
    return (localStorage.getItem(VISITED) ?? "").split(",").filter(Boolean);
  } catch {
    return []; // no storage: what changed last is shown instead
  }
}

/** What is typed before the switcher is there goes into it. */
async function open(): Promise<void> {
  if (isOpening) return;
  isOpening = true;
  let typed = "";
  let entered = false;
  const early = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Backspace") typed = typed.slice(0, -1);
    else if (event.key === "Enter") entered = true;
    else if ([...event.key].length === 1) typed += event.key;
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  document.addEventListener("keydown", early, { capture: true });
  try {
    await (await import("./switcher")).openSwitcher(() => [typed, entered]);
  } catch (error) {
    document.querySelector<HTMLElement>('input[type="search"][name="q"]')?.focus(); // offline
    throw error;
  } finally {
    document.removeEventListener("keydown", early, { capture: true });
    isOpening = false;
  }
}

function remember(): void {
  const id = document.querySelector<HTMLElement>("gs-editor")?.dataset["pageId"];
  if (!id) return;
  try {
    localStorage.setItem(VISITED, [id, ...visited().filter((other) => other !== id)].slice(0, KEPT).join(","));
  } catch {
    // no storage
  }
}
