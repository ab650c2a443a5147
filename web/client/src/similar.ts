/**
 * Pages that are like the one that is begun or shown. The server says which, as a piece of a page;
 * this asks again as the title changes, and lets people set aside what theirs is different from.
 *
 *   form [data-similar]        beside `input[name=title]`; inside: [data-similar-list], [name=not],
 *                              [data-similar-look] (a button for those without scripts)
 *   [data-related="page id"]   asked when it comes into view, and again while the page is written
 */

const WAIT_MS = 350;
const WRITING_MS = 6000;
const LEAST_CHARS = 3;

export function startSimilar(): void {
  for (const box of document.querySelectorAll<HTMLElement>("[data-similar]")) beside(box);
  for (const box of document.querySelectorAll<HTMLElement>("[data-related]")) related(box);
}

function beside(box: HTMLElement): void {
  const title = box.closest("form")?.querySelector<HTMLInputElement>("input[name=title]");
  const list = box.querySelector<HTMLElement>("[data-similar-list]");
  const different = box.querySelector<HTMLInputElement>("input[name=not]");
  if (!title || !list || !different) return;
  const hint = list.innerHTML;
  const look = box.querySelector<HTMLElement>("[data-similar-look]");
  if (look !== null) look.hidden = true;
  let timer: number | undefined;
  let asked = title.defaultValue.trim(); // as the server showed it

  const ask = async () => {
    const words = title.value.trim();
    asked = words;
    if (words.length < LEAST_CHARS) return void (list.innerHTML = hint);
    const query = new URLSearchParams({ title: words, not: different.value });
    const piece = await pieceOf(`/alike?${query.toString()}`);
    if (piece !== null && asked === words) show(list, piece);
  };
  title.addEventListener("input", () => {
    clearTimeout(timer);
    if (title.value.trim() !== asked) timer = window.setTimeout(() => void ask(), WAIT_MS);
  });
  if (title.value.trim() !== asked) void ask(); // typed before this was loaded
  box.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest<HTMLButtonElement>("button[name=different]") : null;
    if (button === null) return;
    event.preventDefault();
    different.value = [different.value, button.value].filter(Boolean).join(",");
    button.closest("[data-like]")?.remove();
    (list.querySelector<HTMLElement>("button[name=different]") ?? title).focus(); // focus is not lost with the button
    void ask();
  });
}

function related(box: HTMLElement): void {
  const id = box.dataset["related"] ?? "";
  const ask = async () => {
    const piece = await pieceOf(`/alike?${new URLSearchParams({ page: id }).toString()}`);
    if (piece !== null) show(box, piece);
  };
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    seen.disconnect();
    void ask();
    let timer: number | undefined;
    document.querySelector("gs-editor")?.addEventListener("input", () => {
      clearTimeout(timer);
      timer = window.setTimeout(() => void ask(), WRITING_MS);
    });
  });
  seen.observe(box.parentElement ?? box);
}

/** Unless it says the same. What holds the focus holds it afterwards, too. */
function show(place: HTMLElement, piece: string): void {
  const made = document.createElement("template");
  made.innerHTML = piece; // from our own server, which escapes what people wrote
  const before = [...place.querySelectorAll("a")].map((link) => link.href).join();
  if (place.childElementCount > 0 && before !== "" && before === [...made.content.querySelectorAll("a")].map((link) => link.href).join()) return;
  const held = place.contains(document.activeElement) ? nameOf(document.activeElement) : null;
  place.replaceChildren(made.content);
  if (held === null) return;
  const inside = [...place.querySelectorAll<HTMLElement>("a, button")];
  (inside.find((one) => nameOf(one) === held) ?? inside[0])?.focus();
}

function nameOf(one: Element | null): string {
  return one instanceof HTMLButtonElement ? one.value : one instanceof HTMLAnchorElement ? one.href + one.className : "";
}

async function pieceOf(address: string): Promise<string | null> {
  try {
    const reply = await fetch(address, { headers: { Accept: "text/html" } });
    return reply.ok && !reply.redirected ? await reply.text() : null;
  } catch {
    return null; // offline: what stands there stays
  }
}
