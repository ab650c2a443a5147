/** Loads the comments' island where a page has them: `[data-talk]`. */

export function talkOfPage(): void {
  const section = document.querySelector<HTMLElement>("[data-talk]");
  if (section === null) return;
  void import("./talk").then(({ beginTalk }) => beginTalk(section));
}
