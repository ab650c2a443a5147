/** Loads the history island where a page has one: `<gs-history>`. */

export function pastOfPage(): void {
  const island = document.querySelector<HTMLElement>("gs-history");
  if (island === null) return;
  void import("./history").then(({ showHistory }) => showHistory(island));
}
