/** Titles under the search box while typing: the ARIA combobox pattern; Enter without a choice searches. */

import { loadStyle } from "./style";
import styleUrl from "./suggestions.css";

interface Title {
  title: string;
  space: string;
  url: string;
}

const WAIT_MS = 150;

export function searchSuggestions(): void {
  const inputs = document.querySelectorAll<HTMLInputElement>('input[type="search"][name="q"]');
  inputs.forEach((input, index) => suggest(input, `gs-suggestions-${index}`));
}

function suggest(input: HTMLInputElement, id: string): void {
  const list = document.createElement("ul");
  list.id = id;
  list.className = "gs-suggestions";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Pages");
  list.hidden = true;
  input.after(list);
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", id);
  input.setAttribute("aria-expanded", "false");
  input.autocomplete = "off";
  let timer: number | undefined;
  let chosen = -1;

  const show = (titles: readonly Title[]) => {
    list.replaceChildren(...titles.map((title, index) => option(title, `${id}-${index}`)));
    choose(-1);
    list.hidden = titles.length === 0;
    input.setAttribute("aria-expanded", String(!list.hidden));
  };
  const choose = (index: number) => {
    chosen = index;
    [...list.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === index)));
    const item = list.children[index];
    if (item === undefined) input.removeAttribute("aria-activedescendant");
    else input.setAttribute("aria-activedescendant", item.id);
  };
  input.addEventListener("focus", () => void loadStyle(new URL(styleUrl, import.meta.url)), { once: true });
  input.addEventListener("input", () => {
    clearTimeout(timer);
    const words = input.value.trim();
    if (words === "") return show([]);
    timer = window.setTimeout(async () => {
      const titles = await titlesFor(words, input.dataset["space"] ?? "");
      if (input.value.trim() === words && document.activeElement === input) show(titles);
    }, WAIT_MS);
  });
  input.addEventListener("keydown", (event) => {
    const { length } = list.children;
    if (event.key === "Escape" && !list.hidden) return event.preventDefault(), show([]);
    if (list.hidden) return;
    if (event.key === "ArrowDown") choose(Math.min(chosen + 1, length - 1));
    else if (event.key === "ArrowUp") choose(Math.max(chosen - 1, -1));
    else if (event.key === "Enter" && chosen >= 0) list.children[chosen]?.querySelector("a")?.click();
    else return;
    event.preventDefault();
  });
  input.addEventListener("blur", () => window.setTimeout(() => show([]), WAIT_MS));
}

function option({ title, space, url }: Title, id: string): HTMLElement {
  const item = document.createElement("li");
  item.id = id;
  item.setAttribute("role", "option");
  const link = document.createElement("a");
  link.href = url;
  link.tabIndex = -1;
  link.textContent = title;
  const where = document.createElement("small");
  where.textContent = space;
  link.append(" ", where);
  item.append(link);
  return item;
}

async function titlesFor(words: string, space: string): Promise<Title[]> {
  try {
    const query = new URLSearchParams({ q: words, ...(space === "" ? {} : { space }) });
    const reply = await fetch(`/api/v1/quick?${query.toString()}`, { headers: { Accept: "application/json" } });
    return reply.ok ? ((await reply.json()) as { pages: Title[] }).pages.slice(0, 8) : [];
  } catch {
    return []; // offline: Enter still searches
  }
}
