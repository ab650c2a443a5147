/** One checkbox, ticked through the room, without the editor. */

import { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import { isSaved, isSynced } from "./connection";
import { LocalCopy } from "./local-copy";
import { PageSocket } from "./socket";
import { taskMarkers } from "./task-markers";

const GIVE_UP_MS = 8000;

/** Resolves when it is durable. Rejects when the page has other boxes by now, or nobody answers. */
export async function tick(island: HTMLElement, index: number, count: number, isTicked: boolean): Promise<void> {
  const { dataset } = island;
  const page = dataset["pageId"] ?? "";
  const epoch = Number(dataset["epoch"] ?? 0);
  const copy = await LocalCopy.open({ person: dataset["personId"] ?? "", page, epoch });
  const doc = new Y.Doc();
  const presence = new Awareness(doc);
  presence.setLocalState(null);
  const { promise, resolve, reject } = settled();
  let isDone = false;
  const socket: PageSocket = new PageSocket({
    url: dataset["syncUrl"] ?? `/sync/${page}`,
    epoch,
    doc,
    presence,
    copy,
    onChange: (state) => {
      if (isDone && isSaved(state)) resolve();
      if (isDone || !isSynced(state)) return;
      isDone = true;
      const text = doc.getText("content");
      const markers = taskMarkers(text.toString());
      const at = markers[index];
      if (at === undefined || markers.length !== count) return reject(new Error("The page has changed."));
      doc.transact(() => {
        text.insert(at + 2, isTicked ? "x" : " ");
        text.delete(at + 1, 1);
      });
    },
    onStop: (reason) => reject(new Error(reason)),
  });
  const timer = setTimeout(() => reject(new Error("No answer.")), GIVE_UP_MS);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    socket.leave();
    presence.destroy();
    copy.close();
  }
}

function settled(): { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } {
  let resolve = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
