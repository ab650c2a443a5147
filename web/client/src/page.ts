/** Small comforts of every page. */

export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

export function shortcuts(): void {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return;
    const search = document.querySelector<HTMLInputElement>('input[type="search"][name="q"]');
    if (search === null) return;
    event.preventDefault();
    search.focus();
    search.select();
  });
}

/** "?" shows what the keyboard does. */
export function keysHelp(): void {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "?" || event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector("dialog[open]") !== null) return;
    event.preventDefault();
    void import("./keys").then(({ showKeys }) => showKeys());
  });
}

export function menus(): void {
  const open = () => document.querySelectorAll<HTMLDetailsElement>("details[data-menu][open]");
  document.addEventListener("click", (event) => {
    for (const menu of open()) if (!menu.contains(event.target as Node)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of open()) {
      menu.open = false;
      menu.querySelector("summary")?.focus();
    }
  });
}

const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

/** "3 hours ago"; within a minute "now". */
export function relativeTime(at: number, now: number, language: string): string {
  const seconds = Math.round((at - now) / 1000);
  const format = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  const unit = UNITS.find(([, length]) => Math.abs(seconds) >= length);
  return unit === undefined ? format.format(0, "second") : format.format(Math.round(seconds / unit[1]), unit[0]);
}

export function relativeTimes(): void {
  const draw = () => {
    const language = document.documentElement.lang || navigator.language;
    for (const time of document.querySelectorAll<HTMLTimeElement>("time[datetime][data-relative]")) {
      const at = Date.parse(time.dateTime);
      if (Number.isNaN(at)) continue;
      time.title ||= new Date(at).toLocaleString(language);
      time.textContent = relativeTime(at, Date.now(), language);
    }
  };
  draw();
  setInterval(draw, 60_000);
}

/** `data-copy` holds the text, or a selector of the element whose text it is. */
export function copyButtons(): void {
  document.addEventListener("click", async (event) => {
    const button = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-copy]") : null;
    if (button === null) return;
    event.preventDefault();
    const what = button.dataset["copy"] ?? "";
    const source = what.startsWith("#") ? document.querySelector<HTMLElement>(what) : null;
    const text = source instanceof HTMLInputElement ? source.value : (source?.textContent ?? what);
    const words = button.textContent;
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = words), 1500);
  });
}
