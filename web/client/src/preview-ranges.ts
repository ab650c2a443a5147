/**
 * What the live preview does with each piece of Markdown, as plain data: `live-preview.ts` turns it
 * into decorations. Marks are hidden unless the selection touches what they mark.
 */

import type { SyntaxNode, SyntaxNodeRef, Tree } from "@lezer/common";
import type { Text } from "@codemirror/state";

export type PreviewRange = { from: number; to: number } & (
  | { kind: "hide" }
  | { kind: "mark"; name: string }
  | { kind: "line"; name: string }
  | { kind: "link"; target: string; isWiki: boolean }
  | { kind: "bullet" }
  | { kind: "checkbox"; isTicked: boolean }
  | { kind: "picture"; url: string; alt: string }
  | { kind: "rule" }
);

export interface Span {
  readonly from: number;
  readonly to: number;
}

interface Ground {
  doc: Text;
  selection: readonly Span[];
  out: PreviewRange[];
}

const INLINE: Readonly<Record<string, string>> = {
  Emphasis: "em",
  StrongEmphasis: "strong",
  Strikethrough: "strike",
  InlineCode: "code",
};

const INLINE_MARKS = new Set(["EmphasisMark", "StrikethroughMark", "CodeMark"]);

/** Everything between `from` and `to`, in document order. */
export function previewRanges(
  tree: Tree,
  doc: Text,
  selection: readonly Span[],
  from: number,
  to: number,
): PreviewRange[] {
  const ground: Ground = { doc, selection, out: [] };
  tree.iterate({ from, to, enter: (node) => visit(ground, node) });
  return ground.out;
}

/** False: what is inside is not looked at. */
function visit(ground: Ground, node: SyntaxNodeRef): boolean {
  const heading = /^(?:ATX|Setext)Heading(\d)$/.exec(node.name);
  if (heading !== null) {
    headingRanges(ground, node.node, `h${heading[1] ?? "1"}`);
    return true;
  }
  const inline = INLINE[node.name];
  if (inline !== undefined) {
    inlineRanges(ground, node.node, inline);
    return true;
  }
  switch (node.name) {
    case "Table":
      return node.node.parent?.name !== "Document"; // the grid has its own module
    case "FencedCode":
    case "CodeBlock":
      codeRanges(ground, node.node);
      return false;
    case "Blockquote":
      lines(ground, node, "quote");
      return true;
    case "QuoteMark":
      hideUnlessOnLine(ground, node.from, withSpace(ground, node.to));
      return true;
    case "ListItem":
      listItemRanges(ground, node.node);
      return true;
    case "Link":
      linkRanges(ground, node.node);
      return true;
    case "WikiLink":
      wikiLinkRanges(ground, node);
      return false;
    case "Image":
      pictureRanges(ground, node.node);
      return false;
    case "HorizontalRule":
      if (!isLineTouched(ground, node.from, node.to)) push(ground, node, { kind: "rule" });
      return false;
    case "Escape":
      if (!isTouched(ground, node)) hide(ground, node.from, node.from + 1);
      return false;
    default:
      return true;
  }
}

function headingRanges(ground: Ground, node: SyntaxNode, name: string): void {
  lines(ground, node, name);
  if (isLineTouched(ground, node.from, node.to)) return;
  for (const mark of node.getChildren("HeaderMark")) {
    if (mark.from === node.from) hide(ground, mark.from, withSpace(ground, mark.to));
    else hide(ground, withoutSpace(ground, mark.from), mark.to);
  }
}

function inlineRanges(ground: Ground, node: SyntaxNode, name: string): void {
  push(ground, node, { kind: "mark", name });
  if (isTouched(ground, node)) return;
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    if (INLINE_MARKS.has(child.name)) hide(ground, child.from, child.to);
  }
}

function codeRanges(ground: Ground, node: SyntaxNode): void {
  lines(ground, node, "codeblock");
  if (node.name === "CodeBlock" || isLineTouched(ground, node.from, node.to)) return;
  for (const mark of node.getChildren("CodeMark")) hide(ground, mark.from, mark.to);
}

function listItemRanges(ground: Ground, node: SyntaxNode): void {
  const mark = node.getChild("ListMark");
  if (mark === null) return;
  lines(ground, { from: mark.from, to: mark.to }, "item");
  const task = node.getChild("Task")?.getChild("TaskMarker") ?? null;
  const isBullet = node.parent?.name === "BulletList";
  if (task !== null) {
    const isTicked = /x/i.test(ground.doc.sliceString(task.from, task.to));
    if (isBullet && !isTouched(ground, mark)) hide(ground, mark.from, withSpace(ground, mark.to));
    push(ground, task, { kind: "checkbox", isTicked });
    if (isTicked) push(ground, rest(ground, task.to), { kind: "mark", name: "done" });
  } else if (isBullet && !isTouched(ground, mark)) push(ground, mark, { kind: "bullet" });
  else push(ground, mark, { kind: "mark", name: "listmark" });
}

function linkRanges(ground: Ground, node: SyntaxNode): void {
  const url = node.getChild("URL");
  const marks = node.getChildren("LinkMark");
  const [open, close] = marks;
  if (url === null || open === undefined || close === undefined) return;
  const target = ground.doc.sliceString(url.from, url.to).replace(/^<(.*)>$/, "$1");
  if (close.from > open.to) push(ground, { from: open.to, to: close.from }, { kind: "link", target, isWiki: false });
  if (isTouched(ground, node) || close.from === open.to) return;
  hide(ground, open.from, open.to);
  hide(ground, close.from, node.to);
}

function wikiLinkRanges(ground: Ground, node: Span): void {
  const inner = ground.doc.sliceString(node.from + 2, node.to - 2);
  const bar = inner.indexOf("|");
  const target = (bar < 0 ? inner : inner.slice(0, bar)).trim();
  const shown = bar >= 0 && bar < inner.length - 1 ? node.from + 2 + bar + 1 : node.from + 2;
  push(ground, { from: shown, to: node.to - 2 }, { kind: "link", target, isWiki: true });
  if (isTouched(ground, node)) return;
  hide(ground, node.from, shown);
  hide(ground, node.to - 2, node.to);
}

function pictureRanges(ground: Ground, node: SyntaxNode): void {
  const url = node.getChild("URL");
  if (url === null || isTouched(ground, node)) return;
  const source = ground.doc.sliceString(node.from, node.to);
  const alt = /^!\[([^\]]*)\]/.exec(source)?.[1] ?? "";
  const address = ground.doc.sliceString(url.from, url.to).replace(/^<(.*)>$/, "$1");
  push(ground, node, { kind: "picture", url: address, alt });
}

function lines(ground: Ground, { from, to }: Span, name: string): void {
  for (let at = from; at <= to; ) {
    const line = ground.doc.lineAt(at);
    ground.out.push({ kind: "line", name, from: line.from, to: line.from });
    at = line.to + 1;
  }
}

type Act = PreviewRange extends infer Range ? (Range extends Span ? Omit<Range, "from" | "to"> : never) : never;

function push(ground: Ground, { from, to }: Span, act: Act): void {
  if (to > from) ground.out.push({ from, to, ...act } as PreviewRange);
}

/** Hidden ranges never cross a line: only block widgets may. */
function hide(ground: Ground, from: number, to: number): void {
  const end = Math.min(to, ground.doc.lineAt(from).to);
  if (end > from) ground.out.push({ kind: "hide", from, to: end });
}

function hideUnlessOnLine(ground: Ground, from: number, to: number): void {
  if (!isLineTouched(ground, from, to)) hide(ground, from, to);
}

function isTouched(ground: Ground, { from, to }: Span): boolean {
  return ground.selection.some((range) => range.from <= to && range.to >= from);
}

function isLineTouched(ground: Ground, from: number, to: number): boolean {
  return isTouched(ground, { from: ground.doc.lineAt(from).from, to: ground.doc.lineAt(to).to });
}

function withSpace({ doc }: Ground, to: number): number {
  return doc.sliceString(to, to + 1) === " " ? to + 1 : to;
}

function withoutSpace({ doc }: Ground, from: number): number {
  return doc.sliceString(from - 1, from) === " " ? from - 1 : from;
}

function rest({ doc }: Ground, from: number): Span {
  return { from, to: doc.lineAt(from).to };
}
