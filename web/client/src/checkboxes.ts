/**
 * Ticking a checkbox of the reading view, for those who may edit: the box numbered n is the n-th of
 * the page's task list items. It goes the way every edit goes: through the page's room.
 */

export function checkboxes(): void {
  const island = document.querySelector<HTMLElement>("gs-editor");
  if (island === null || ["", "0", "false", undefined].includes(island.dataset["canEdit"])) return;
  const boxes = [...island.querySelectorAll<HTMLInputElement>("input[type=checkbox]")];
  boxes.forEach((box, index) => {
    box.disabled = false;
    box.addEventListener("change", async () => {
      box.disabled = true;
      try {
        const { tick } = await import("./tick");
        await tick(island, index, boxes.length, box.checked);
      } catch {
        box.checked = !box.checked;
        box.title = "That was not saved. Load the page again and try once more.";
      } finally {
        box.disabled = false;
      }
    });
  });
}
