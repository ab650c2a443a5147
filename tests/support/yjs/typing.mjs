/** Typing as people do it: words of many scripts at any place, now and then something deleted. */

export const WORDS = [
  "a", "word ", "\n", "# Heading\n", "- [ ] task\n", "naïve ", "e\u0301", "o\u0308\u0304", "😀", "👩‍👩‍👧‍👦",
  "🇺🇳", "𝒳", "שלום ", "مرحبا ", "\u202bرجل\u202c", "漢字", "हिन्दी ", "\u200d", "\t", "\ufeff", "\uffff", "ﬁ",
];

const isLow = (text, at) => (text.charCodeAt(at) & 0xfc00) === 0xdc00;

/** A UTF-16 offset in `text` between two characters. */
function place(chance, text) {
  const at = chance.below(text.length + 1);
  return at < text.length && isLow(text, at) ? at - 1 : at;
}

/** One change of `text` by chance, within one transaction. `word` overrides what is typed. */
export function typeByChance(chance, doc, text, { word = null, deleting = 0.25 } = {}) {
  const whole = text.toString();
  doc.transact(() => {
    const at = place(chance, whole);
    if (whole.length > at && chance.next() < deleting) {
      let end = Math.min(whole.length, at + 1 + chance.below(8));
      if (end < whole.length && isLow(whole, end)) end++;
      text.delete(at, end - at);
      if (chance.next() < 0.3) text.insert(at, chance.of(WORDS));
    } else {
      text.insert(at, word ?? chance.of(WORDS));
    }
  });
}
