/** `[[` offers page titles, `/` at the start of a line offers blocks. */

import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import type { EditorView } from "@codemirror/view";
import { insertCode, insertRule, setLines } from "./commands";
import { insertTable } from "./table-grid";

interface Title {
  title: string;
  slug: string;
  space: string;
  url: string;
}

const AS_YOU_TYPE_MS = 120;

/** `url` ends in `q=`; `space` is the page's own, whose titles need no prefix. */
export function pageLinks(url: string, space: string) {
  return async (context: CompletionContext): Promise<CompletionResult | null> => {
    const typed = context.matchBefore(/\[\[[^\][\n]*/);
    if (typed === null) return null;
    await new Promise((resolve) => setTimeout(resolve, AS_YOU_TYPE_MS));
    if (context.aborted) return null;
    const words = typed.text.slice(2);
    const titles = await titlesFor(url, words);
    return { from: typed.from + 2, options: titles.map((title) => option(title, space)), filter: false };
  };
}

export async function titlesFor(url: string, words: string): Promise<Title[]> {
  try {
    const reply = await fetch(url + encodeURIComponent(words), { headers: { Accept: "application/json" } });
    return reply.ok ? ((await reply.json()) as { titles: Title[] }).titles : [];
  } catch {
    return []; // offline: the link can be typed in full
  }
}

function option({ title, space }: Title, ownSpace: string): Completion {
  const target = space === ownSpace ? title : `${space}/${title}`;
  return {
    label: title,
    ...(space === ownSpace ? {} : { detail: space }),
    apply(view, _completion, from, to) {
      const closed = view.state.sliceDoc(to, to + 2) === "]]";
      const insert = closed ? target : `${target}]]`;
      const anchor = from + target.length + 2;
      view.dispatch({ changes: { from, to, insert }, selection: { anchor }, userEvent: "input.complete" });
    },
  };
}

type Block = [label: string, detail: string, run: (view: EditorView) => boolean];

const BLOCKS: readonly Block[] = [
  ["Heading 1", "large heading", setLines("heading1")],
  ["Heading 2", "heading", setLines("heading2")],
  ["Heading 3", "small heading", setLines("heading3")],
  ["List", "with bullets", setLines("bullet")],
  ["Numbered list", "1. 2. 3.", setLines("number")],
  ["Task list", "with checkboxes", setLines("task")],
  ["Quote", "someone's words", setLines("quote")],
  ["Table", "three columns", insertTable],
  ["Code", "kept as typed", insertCode],
  ["Divider", "a line across", insertRule],
];

export function slashMenu(choosePicture: (view: EditorView) => boolean) {
  const blocks: readonly Block[] = [...BLOCKS, ["Picture", "or any file", choosePicture]];
  const options = blocks.map(([label, detail, run]): Completion => ({
    label,
    detail,
    apply(view, _completion, from, to) {
      view.dispatch({ changes: { from: from - 1, to }, userEvent: "input.complete" });
      run(view);
    },
  }));
  return (context: CompletionContext): CompletionResult | null => {
    const typed = context.matchBefore(/^\s*\/[\p{L} ]*/u);
    if (typed === null) return null;
    return { from: typed.from + typed.text.indexOf("/") + 1, options, validFor: /^[\p{L} ]*$/u };
  };
}
