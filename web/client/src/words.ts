/**
 * The words of a rendered text and those of its Markdown, matched: the rendered ones are, in order,
 * some of the Markdown's, which also holds addresses and marks. Offsets are UTF-16.
 */

export interface Word {
  text: string;
  start: number;
  end: number;
}

const LOOK_AHEAD = 80; // words of Markdown that may stand between two rendered ones: long addresses

export function wordsOf(text: string): Word[] {
  return [...text.matchAll(/[\p{L}\p{N}\p{M}]+/gu)].map((found) => {
    const [word] = found;
    return { text: word, start: found.index, end: found.index + word.length };
  });
}

/** For each rendered word the number of the one in the source, or -1. */
export function matched(rendered: readonly Word[], source: readonly Word[]): number[] {
  let at = 0;
  return rendered.map(({ text }) => {
    for (let next = at; next < Math.min(source.length, at + LOOK_AHEAD); next++) {
      if (source[next]?.text !== text) continue;
      at = next + 1;
      return next;
    }
    return -1;
  });
}
