/** Light, dark, or what the system says; kept in this browser, set as `data-theme` on the root. */

const KEY = "gs-theme";
const THEMES = ["auto", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];
const WORDS: Readonly<Record<Theme, string>> = { auto: "as the system", light: "light", dark: "dark" };

function stored(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return THEMES.find((theme) => theme === value) ?? "auto";
  } catch {
    return "auto"; // storage is blocked
  }
}

function show(theme: Theme): void {
  const root = document.documentElement;
  if (theme === "auto") delete root.dataset["theme"];
  else root.dataset["theme"] = theme;
  for (const button of document.querySelectorAll<HTMLElement>("[data-theme-toggle]")) {
    button.dataset["themeNow"] = theme;
    button.title = `Colours: ${WORDS[theme]}`;
    if (button.textContent.trim() === "") button.setAttribute("aria-label", button.title);
  }
}

export function theme(): void {
  let now = stored();
  show(now);
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest("[data-theme-toggle]");
    if (!button) return;
    now = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length] ?? "auto";
    try {
      localStorage.setItem(KEY, now);
    } catch {
      // Storage is blocked: the choice lasts for this page.
    }
    show(now);
  });
}
