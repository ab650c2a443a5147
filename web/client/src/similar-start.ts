/** Loads what shows pages that are like another, where a page has a place for it. */

export function similar(): void {
  if (document.querySelector("[data-similar], [data-related]") === null) return;
  void import("./similar").then(({ startSimilar }) => startSimilar());
}
