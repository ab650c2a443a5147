/** The rows of the quick switcher, from what the server says and what was typed. Pure. */

export interface QuickPage {
  title: string;
  url: string;
  space_title: string;
  status: string;
  why: "visited" | "changed" | "title";
}

export interface Answer {
  pages: readonly QuickPage[];
  /** Where the person may begin a page. */
  spaces: readonly { slug: string; title: string }[];
}

export interface Part {
  text: string;
  isHit: boolean;
}

export interface Row {
  kind: "page" | "search" | "new";
  /** Shown as a clock instead of a sheet, and said. */
  isSeen: boolean;
  title: readonly Part[];
  about: string;
  url: string;
}

const NEW_ROWS = 3; // when the page that is shown is in no space that could be meant

export function rows(answer: Answer, words: string, ownSpace: string): Row[] {
  const found: Row[] = answer.pages.map((page) => ({
    kind: "page",
    title: marked(page.title, words),
    isSeen: page.why === "visited",
    about: [page.space_title, page.status].filter(Boolean).join(" · "),
    url: page.url,
  }));
  if (words !== "") found.push({ kind: "search", isSeen: false, title: told("Search for", words), about: "", url: `/search?${new URLSearchParams({ q: words }).toString()}` });
  const own = answer.spaces.filter((space) => space.slug === ownSpace);
  for (const space of own.length > 0 ? own : answer.spaces.slice(0, NEW_ROWS)) {
    const query = new URLSearchParams({ kind: "idea", ...(words === "" ? {} : { title: words }) });
    const title = words === "" ? told("New idea") : told("New idea", words);
    found.push({ kind: "new", isSeen: false, title, about: space.title, url: `/s/${encodeURIComponent(space.slug)}/new?${query.toString()}` });
  }
  return found;
}

/** `title` in pieces: where a word of it begins with a typed one is a hit. */
export function marked(title: string, words: string): Part[] {
  const typed = words.toLowerCase().split(/\s+/u).filter(Boolean);
  const parts: Part[] = [];
  let plain = "";
  for (const [piece] of title.matchAll(/[\p{L}\p{M}\p{N}]+|[^\p{L}\p{M}\p{N}]+/gu)) {
    const hit = typed.find((word) => piece.toLowerCase().startsWith(word));
    if (hit === undefined) {
      plain += piece;
      continue;
    }
    if (plain !== "") parts.push({ text: plain, isHit: false });
    parts.push({ text: piece.slice(0, hit.length), isHit: true });
    plain = piece.slice(hit.length);
  }
  if (plain !== "") parts.push({ text: plain, isHit: false });
  return parts;
}

function told(act: string, words?: string): Part[] {
  return [{ text: words === undefined ? act : `${act} “${words}”`, isHit: false }];
}
