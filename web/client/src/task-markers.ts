import { markdownParser } from "./language";

/** Where each `[ ]` or `[x]` of a task list item starts in `text`, in order. */
export function taskMarkers(text: string): number[] {
  const found: number[] = [];
  markdownParser.parse(text).iterate({
    enter: (node) => {
      if (node.name === "TaskMarker") found.push(node.from);
    },
  });
  return found;
}
