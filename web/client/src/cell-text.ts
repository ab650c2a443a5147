/** A table cell's Markdown as it looks while nobody types in it. */

import { Text } from "@codemirror/state";
import { markdownParser } from "./language";
import { previewRanges, type PreviewRange } from "./preview-ranges";

/** Pieces of `source` with the classes they get; marks left out. */
export function pieces(source: string): { text: string; classes: string[] }[] {
  const found = previewRanges(markdownParser.parse(source), Text.of([source]), [], 0, source.length);
  const edges = new Set([0, source.length]);
  for (const { from, to } of found) edges.add(from).add(to);
  const cuts = [...edges].sort((one, other) => one - other);
  return cuts.slice(0, -1).flatMap((from, index) => {
    const to = cuts[index + 1] ?? source.length;
    const over = found.filter((range) => range.from <= from && range.to >= to);
    if (over.some(({ kind }) => kind === "hide")) return [];
    return [{ text: source.slice(from, to), classes: over.flatMap(classOf) }];
  });
}

function classOf(range: PreviewRange): string[] {
  if (range.kind === "mark") return [`gs-${range.name}`];
  return range.kind === "link" ? ["gs-link"] : [];
}

export function cellNodes(source: string): Node[] {
  return pieces(source).map(({ text, classes }) => {
    if (classes.length === 0) return document.createTextNode(text);
    const span = document.createElement("span");
    span.className = classes.join(" ");
    span.textContent = text;
    return span;
  });
}
