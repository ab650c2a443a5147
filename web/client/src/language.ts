/** Markdown as our pages use it: CommonMark, tables, task lists, strike-through, [[wiki links]]. */

import { defineLanguageFacet, Language, languageDataProp } from "@codemirror/language";
import { Autolink, parser, Strikethrough, Table, TaskList, type MarkdownConfig } from "@lezer/markdown";

const OPEN = 91; // [
const CLOSE = 93; // ]
const NEWLINE = 10;

/** `[[Title]]`, `[[space/Title]]`, `[[Title|words]]`. */
const WikiLink: MarkdownConfig = {
  defineNodes: ["WikiLink", "WikiLinkMark"],
  parseInline: [
    {
      name: "WikiLink",
      before: "Link",
      parse(context, next, position) {
        if (next !== OPEN || context.char(position + 1) !== OPEN) return -1;
        for (let at = position + 2; at < context.end - 1; at++) {
          const char = context.char(at);
          if (char === NEWLINE || char === OPEN) return -1;
          if (char !== CLOSE || context.char(at + 1) !== CLOSE) continue;
          if (at === position + 2) return -1;
          const marks = [
            context.elt("WikiLinkMark", position, position + 2),
            context.elt("WikiLinkMark", at, at + 2),
          ];
          return context.addElement(context.elt("WikiLink", position, at + 2, marks));
        }
        return -1;
      },
    },
  ],
};

const data = defineLanguageFacet({ commentTokens: { block: { open: "<!--", close: "-->" } } });

export const markdownParser = parser.configure([
  Table,
  TaskList,
  Strikethrough,
  Autolink,
  WikiLink,
  { props: [languageDataProp.add({ Document: data })] },
]);

export const markdown = new Language(data, markdownParser, [], "markdown");
