/** The live preview: the text looks like the page, marks show only where the cursor is. */

import { syntaxTree } from "@codemirror/language";
import { Decoration, EditorView, ViewPlugin, WidgetType } from "@codemirror/view";
import type { DecorationSet, ViewUpdate } from "@codemirror/view";
import { RangeSet, type Extension, type Range } from "@codemirror/state";
import { previewRanges, type PreviewRange } from "./preview-ranges";

const byItsText = Decoration.line({ attributes: { dir: "auto" } }); // right-to-left lines are such
const hidden = Decoration.replace({});

class Bullet extends WidgetType {
  override eq(): boolean {
    return true;
  }
  toDOM(): HTMLElement {
    return element("span", "gs-bullet", "•");
  }
}

class Rule extends WidgetType {
  override eq(): boolean {
    return true;
  }
  toDOM(): HTMLElement {
    return element("hr", "gs-rule");
  }
}

class Checkbox extends WidgetType {
  constructor(private readonly isTicked: boolean) {
    super();
  }
  override eq(other: Checkbox): boolean {
    return other.isTicked === this.isTicked;
  }
  toDOM(view: EditorView): HTMLElement {
    const box = document.createElement("input");
    box.type = "checkbox";
    box.className = "gs-checkbox";
    box.checked = this.isTicked;
    box.disabled = view.state.readOnly;
    box.setAttribute("aria-label", "Done");
    box.addEventListener("mousedown", (event) => event.preventDefault());
    box.addEventListener("click", (event) => {
      event.preventDefault();
      tick(view, view.posAtDOM(box));
    });
    return box;
  }
  override ignoreEvent(): boolean {
    return true;
  }
}

/** Turns the `[ ]` at `position` over. */
function tick(view: EditorView, position: number): void {
  const marker = view.state.sliceDoc(position, position + 3);
  if (!/^\[[ xX]\]$/.test(marker)) return;
  const insert = marker === "[ ]" ? "x" : " ";
  view.dispatch({ changes: { from: position + 1, to: position + 2, insert }, userEvent: "input.tick" });
}

class Picture extends WidgetType {
  constructor(
    private readonly url: string,
    private readonly alt: string,
  ) {
    super();
  }
  override eq(other: Picture): boolean {
    return other.url === this.url && other.alt === this.alt;
  }
  toDOM(view: EditorView): HTMLElement {
    const picture = document.createElement("img");
    picture.className = "gs-picture";
    picture.alt = this.alt;
    picture.loading = "lazy";
    picture.src = safeUrl(this.url) ?? "";
    picture.addEventListener("load", () => view.requestMeasure());
    picture.addEventListener("error", () => picture.classList.add("gs-picture-missing"));
    return picture;
  }
  override ignoreEvent(): boolean {
    return false;
  }
}

/** Only addresses that a page may follow or show. */
export function safeUrl(url: string): string | null {
  try {
    const { protocol } = new URL(url, document.baseURI);
    return ["http:", "https:", "mailto:"].includes(protocol) ? url : null;
  } catch {
    return null;
  }
}

const bullet = Decoration.replace({ widget: new Bullet() });
const rule = Decoration.replace({ widget: new Rule() });

function decoration(range: PreviewRange): Range<Decoration> {
  const { from, to } = range;
  switch (range.kind) {
    case "hide":
      return hidden.range(from, to);
    case "bullet":
      return bullet.range(from, to);
    case "rule":
      return rule.range(from, to);
    case "line":
      return Decoration.line({ class: `gs-${range.name}` }).range(from);
    case "mark":
      return Decoration.mark({ class: `gs-${range.name}` }).range(from, to);
    case "link": {
      const attributes = { "data-target": range.target, "data-wiki": range.isWiki ? "1" : "" };
      return Decoration.mark({ class: "gs-link", attributes }).range(from, to);
    }
    case "checkbox":
      return Decoration.replace({ widget: new Checkbox(range.isTicked) }).range(from, to);
    case "picture":
      return Decoration.replace({ widget: new Picture(range.url, range.alt) }).range(from, to);
  }
}

function decorate(view: EditorView): DecorationSet {
  const { state } = view;
  const tree = syntaxTree(state);
  const found: Range<Decoration>[] = [];
  for (const { from, to } of view.visibleRanges) {
    const ranges = previewRanges(tree, state.doc, state.selection.ranges, from, to);
    for (const range of ranges) found.push(decoration(range));
    for (let at = from; at <= to; ) {
      const line = state.doc.lineAt(at);
      found.push(byItsText.range(line.from));
      at = line.to + 1;
    }
  }
  return RangeSet.of(found, true);
}

const preview = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    private tree;
    constructor(view: EditorView) {
      this.tree = syntaxTree(view.state);
      this.decorations = decorate(view);
    }
    update(update: ViewUpdate): void {
      const tree = syntaxTree(update.state);
      const isNew = tree !== this.tree;
      if (update.docChanged || update.selectionSet || update.viewportChanged || isNew) {
        this.tree = tree;
        this.decorations = decorate(update.view);
      }
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

/** Mod-click follows a link; `resolve` turns a wiki link's target into an address. */
export function livePreview(resolve: (target: string) => string): Extension {
  const follow = EditorView.domEventHandlers({
    click(event) {
      if (!(event.metaKey || event.ctrlKey) || !(event.target instanceof Element)) return false;
      const link = event.target.closest<HTMLElement>(".gs-link");
      const target = link?.dataset["target"];
      if (target === undefined) return false;
      const url = link?.dataset["wiki"] === "1" ? resolve(target) : safeUrl(target);
      if (url !== null) window.open(url, "_blank", "noopener");
      return true;
    },
  });
  return [preview, follow];
}

function element(name: string, className: string, text = ""): HTMLElement {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}
