/**
 * How far a ZIP is that is being made: asks the page itself each second and shows what it says. The
 * status is one element all along and changes only with its words, so that it is read out once.
 */

const ASK_EVERY_MS = 1000;
const UNREACHABLE = "The site does not answer just now. This page goes on asking.";

/** Until it is made, has failed or is gone. */
export async function followMaking(shown: HTMLElement): Promise<void> {
  while (shown.dataset["making"] === "waiting" || shown.dataset["making"] === "making") {
    await new Promise((resolve) => window.setTimeout(resolve, ASK_EVERY_MS));
    const page = await asked();
    if (page === null) say(shown, UNREACHABLE);
    else if (!put(shown, page)) return location.reload();
  }
}

async function asked(): Promise<Document | null> {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    return answer.status >= 500 ? null : new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return null; // no line: the same as no answer
  }
}

function put(shown: HTMLElement, page: Document): boolean {
  const fresh = page.querySelector<HTMLElement>("[data-making]");
  if (fresh === null) return false; // stopped in another window, signed out: the page says it whole
  say(shown, fresh.querySelector("[role=status]")?.textContent ?? "");
  const [bar, freshBar] = [shown.querySelector("progress"), fresh.querySelector("progress")];
  if (bar !== null && freshBar !== null && freshBar.hasAttribute("value")) {
    [bar.max, bar.value] = [freshBar.max, freshBar.value];
    bar.nextElementSibling!.textContent = freshBar.nextElementSibling?.textContent ?? "";
  }
  const hadFocus = shown.contains(document.activeElement);
  if (freshBar === null) {
    const status = shown.querySelector("[role=status]");
    shown.replaceChildren(...[...fresh.children].map((part) => (part.matches("[role=status]") && status !== null ? status : document.adoptNode(part))));
    if (hadFocus) shown.querySelector<HTMLElement>("a, button")?.focus();
  }
  shown.dataset["making"] = fresh.dataset["making"];
  return true;
}

function say(shown: HTMLElement, words: string): void {
  const status = shown.querySelector("[role=status]");
  if (status !== null && status.textContent !== words) status.textContent = words;
}
