/** Loads what shows how far a ZIP is, where one is being made: `[data-making]`. */

export function makingOfPage(): void {
  const shown = document.querySelector<HTMLElement>("[data-making=waiting], [data-making=making]");
  if (shown === null) return;
  void import("./making").then(({ followMaking }) => followMaking(shown));
}
