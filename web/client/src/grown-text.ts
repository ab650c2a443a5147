/**
 * A text that grows by changes, with the author and the step of each piece; and its lines on the
 * page, of which only those that changed are drawn again. Offsets are UTF-16, as strings are.
 */

export interface Piece {
  text: string;
  who: number;
  step: number;
  /** What went here in the step that is shown; such a piece has no text. */
  gone?: string;
}

interface Line {
  pieces: Piece[];
  length: number; // with its line end
  start: number; // where it stood when it was last drawn
  element: HTMLElement | null;
}

export type Change = [offset: number, removed: number, added: string];

export class GrownText {
  private lines: Line[] = [];
  private marked = new Set<Line>();

  constructor(
    readonly element: HTMLElement,
    private readonly drawn: (pieces: readonly Piece[], start: number) => Node[],
  ) {}

  get text(): string {
    return this.lines.map(textOf).join("\n");
  }

  get pieces(): Piece[] {
    return this.lines.flatMap((line) => line.pieces);
  }

  set(pieces: readonly Piece[]): void {
    this.lines = linesOf(pieces);
    this.marked.clear();
  }

  /** What one step did. With `isMarked` what went stays to be seen until `unmark`. */
  apply(changes: readonly Change[], who: number, step: number, isMarked: boolean): void {
    for (const [offset, removed, added] of changes) this.replace(offset, removed, { text: added, who, step }, isMarked);
  }

  /** What went is forgotten. */
  unmark(): void {
    for (const line of this.marked) {
      line.pieces = line.pieces.filter((piece) => piece.gone === undefined);
      line.element = null;
    }
    this.marked.clear();
  }

  /** Everything is drawn again by `draw`. */
  redraw(): void {
    for (const line of this.lines) line.element = null;
  }

  draw(): void {
    let child = this.element.firstChild;
    let start = 0;
    for (const line of this.lines) {
      if (line.element === null) {
        line.element = this.paragraph(line, start);
        this.element.insertBefore(line.element, child);
      } else {
        while (child !== null && child !== line.element) {
          const next: ChildNode | null = child.nextSibling;
          child.remove();
          child = next;
        }
        child = line.element.nextSibling;
      }
      line.start = start;
      start += line.length;
    }
    while (child !== null) {
      const next: ChildNode | null = child.nextSibling;
      child.remove();
      child = next;
    }
  }

  /** The block of lines without an empty one between them that `element` is in: from, to. */
  paragraphAt(element: HTMLElement): [number, number] | null {
    const at = this.lines.findIndex((line) => line.element === element);
    if (at < 0) return null;
    let [first, last] = [at, at];
    while (first > 0 && !isBlank(this.lines[first - 1]!)) first--;
    while (last + 1 < this.lines.length && !isBlank(this.lines[last + 1]!)) last++;
    const start = this.lines.slice(0, first).reduce((sum, line) => sum + line.length, 0);
    const size = this.lines.slice(first, last + 1).reduce((sum, line) => sum + line.length, 0);
    return [start, Math.min(start + size, this.text.length)];
  }

  private replace(offset: number, removed: number, added: Piece, isMarked: boolean): void {
    let first = 0;
    let start = 0;
    while (first < this.lines.length - 1 && start + this.lines[first]!.length <= offset) {
      start += this.lines[first]!.length;
      first++;
    }
    let last = first;
    let end = start + (this.lines[first]?.length ?? 0);
    while (last < this.lines.length - 1 && end <= offset + removed) {
      last++;
      end += this.lines[last]!.length;
    }
    const old = joined(this.lines.slice(first, last + 1));
    const [before, rest] = cut(old, offset - start);
    const [gone, after] = cut(rest, removed);
    const middle: Piece[] = [];
    const words = gone.map((piece) => piece.text).join("");
    if (isMarked && words !== "") middle.push({ text: "", who: added.who, step: added.step, gone: words });
    if (added.text !== "") middle.push(added);
    const lines = linesOf([...before, ...middle, ...after]);
    for (const line of this.lines.slice(first, last + 1)) this.marked.delete(line);
    for (const line of lines) if (line.pieces.some((piece) => piece.gone !== undefined)) this.marked.add(line);
    this.lines.splice(first, last + 1 - first, ...lines);
  }

  private paragraph(line: Line, start: number): HTMLElement {
    const made = document.createElement("p");
    const look = lookOf(textOf(line));
    if (look !== "") made.className = look;
    made.append(...this.drawn(line.pieces, start));
    return made;
  }
}

/** Pieces into lines; the ends of lines are between them, and have no author. */
function linesOf(pieces: readonly Piece[]): Line[] {
  const lines: Line[] = [{ pieces: [], length: 1, start: 0, element: null }];
  for (const piece of pieces) {
    const parts = piece.gone === undefined ? piece.text.split("\n") : [""];
    parts.forEach((text, at) => {
      if (at > 0) lines.push({ pieces: [], length: 1, start: 0, element: null });
      const line = lines.at(-1)!;
      if (text === "" && piece.gone === undefined) return;
      line.pieces.push(piece.gone === undefined ? { ...piece, text } : piece);
      line.length += text.length;
    });
  }
  return lines;
}

/** Lines as pieces again, with their ends between them. */
function joined(lines: readonly Line[]): Piece[] {
  return lines.flatMap((line, at) => (at === 0 ? line.pieces : [{ text: "\n", who: -1, step: 0 }, ...line.pieces]));
}

function cut(pieces: readonly Piece[], units: number): [Piece[], Piece[]] {
  const [before, after]: [Piece[], Piece[]] = [[], []];
  let left = units;
  for (const piece of pieces) {
    const size = Math.min(left, piece.text.length);
    left -= size;
    if (size === piece.text.length && (size > 0 || left > 0 || (piece.gone !== undefined && after.length === 0))) before.push(piece);
    else if (size === 0) after.push(piece);
    else {
      before.push({ ...piece, text: piece.text.slice(0, size) });
      after.push({ ...piece, text: piece.text.slice(size) });
    }
  }
  return [before, after];
}

function textOf(line: Line): string {
  return line.pieces.map((piece) => piece.text).join("");
}

function isBlank(line: Line): boolean {
  return textOf(line).trim() === "";
}

function lookOf(text: string): string {
  const heading = /^(#{1,6})\s/.exec(text)?.[1]?.length ?? 0;
  if (heading > 0) return `is-h${Math.min(heading, 3)}`;
  if (/^\s*>/.test(text)) return "is-quote";
  return /^( {4}|\t|```)/.test(text) ? "is-code" : "";
}
