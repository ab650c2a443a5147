/**
 * A Y.Doc and its room, joined by a socket (`Door`): performs what `connection.next` decides.
 *
 * Local changes are kept in this browser first, sent at most once per animation frame, and
 * forgotten here when message 120 says that they are on the server's disk. What an earlier tab left
 * behind is applied after the server's state came, and travels like typing.
 */

import { applyAwarenessUpdate, encodeAwarenessUpdate, type Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import * as connection from "./connection";
import { Door } from "./door";
import { decode, encode } from "./frames";
import type { FrameSocket } from "./http-socket";
import type { LocalCopy } from "./local-copy";
import { Unsent } from "./unsent";

export interface Options {
  url: string;
  epoch: number;
  doc: Y.Doc;
  presence: Awareness;
  copy: LocalCopy;
  onChange(state: connection.State): void;
  onKept?(state: connection.State): void; // this browser has written down what was typed
  onStop(reason: connection.StopReason, unsent: Uint8Array[], rows: number[]): void;
}

const FALLBACK_TICK_MS = 100; // hidden tabs get no animation frames
const HIDDEN_TICK_MS = 16;
const SILENCE_MS = 10_000; // unacknowledged for that long: the connection is dead, whatever it says
const QUIET_MS = 25_000; // of a whole room; then the server is asked whether it is still there
const NO_STATUS = 1006; // RFC 6455 §7.1.5: closed without a closing frame
const OPENING_MS = 6000; // a socket that has not opened by then is held up on the way
const WATCH_MS = 2000;

export class PageSocket {
  state = connection.initial();
  readonly unsent = new Unsent();
  private readonly door = new Door();
  private socket: FrameSocket | null = null;
  private retry: number | undefined;
  private readonly watch = window.setInterval(() => this.look(), WATCH_MS);
  private heardAt = 0;
  private quietSince = 0;
  private isAsked = false; // the server, whether it is still there
  private leftBehind: number[] | null = null;

  constructor(private readonly options: Options) {
    options.doc.on("update", this.onUpdate);
    options.presence.on("update", this.onPresence);
    window.addEventListener("online", this.wake);
    window.addEventListener("offline", this.lose);
    document.addEventListener("visibilitychange", this.wake);
    window.addEventListener("beforeunload", this.warn);
    void this.door.ready.then(() => this.take({ type: "start" }));
  }

  get hasUnacknowledged(): boolean {
    return connection.hasUnacknowledged(this.state) && !this.unsent.isEmpty;
  }

  leave(): void {
    this.options.doc.off("update", this.onUpdate);
    this.options.presence.off("update", this.onPresence);
    window.removeEventListener("online", this.wake);
    window.removeEventListener("offline", this.lose);
    window.clearInterval(this.watch);
    document.removeEventListener("visibilitychange", this.wake);
    window.removeEventListener("beforeunload", this.warn);
    window.clearTimeout(this.retry);
    this.take({ type: "leave" });
  }

  private readonly onUpdate = (update: Uint8Array, origin: unknown): void => {
    if (origin === this) return;
    const { copy } = this.options;
    const kept = this.unsent.add(update, copy.keep(update).catch(() => null));
    this.take({ type: "typed" });
    void kept.then(() => this.options.onKept?.(this.state));
  };

  private readonly onPresence = (
    { added, updated, removed }: Record<"added" | "updated" | "removed", number[]>,
    origin: unknown,
  ): void => {
    const own = this.options.doc.clientID;
    if (origin !== this && [...added, ...updated, ...removed].includes(own)) this.showPresence();
  };

  private readonly wake = (): void => {
    if (document.visibilityState !== "visible") return;
    this.quietSince = -QUIET_MS; // an open connection may be dead after a sleep: ask at once
    this.take({ type: "wake" });
  };

  /** The network is gone; a socket may take minutes to notice. */
  private readonly lose = (): void => {
    if (this.socket === null || this.state.phase === "stopped") return;
    if (this.state.phase === "connecting") void this.door.failed();
    this.socket.onopen = this.socket.onclose = this.socket.onmessage = null;
    this.socket.close();
    this.socket = null;
    this.take({ type: "closed", code: NO_STATUS });
  };

  private look(): void {
    const { sent, acked, phase, hasHeard } = this.state;
    const now = performance.now();
    if (phase === "open" && now - this.quietSince > QUIET_MS) {
      this.isAsked = true;
      this.quietSince = now;
      this.send({ kind: "step1", vector: Y.encodeStateVector(this.options.doc) });
    }
    const isOwed = phase === "connecting" || (phase === "open" && (sent !== acked || !hasHeard || this.isAsked));
    if (!isOwed) this.heardAt = now;
    else if (now - this.heardAt > (phase === "connecting" ? OPENING_MS : SILENCE_MS)) this.lose();
  }

  private readonly warn = (event: BeforeUnloadEvent): void => {
    const isKept = this.state.phase === "stopped" && this.unsent.isKept;
    if (this.hasUnacknowledged && !isKept) event.preventDefault();
  };

  private take(event: connection.Event): void {
    const [state, effects] = connection.next(this.state, event);
    this.state = state;
    for (const effect of effects) this.perform(effect);
    this.options.onChange(this.state);
  }

  private perform(effect: connection.Effect): void {
    const { doc, presence } = this.options;
    switch (effect.do) {
      case "open":
        return this.open();
      case "ask":
        this.unsent.rewind();
        return this.send({ kind: "step1", vector: Y.encodeStateVector(doc) });
      case "answer":
        this.unsent.allIn(this.state.sent);
        return this.send({ kind: "step2", update: Y.encodeStateAsUpdate(doc, effect.vector) });
      case "send":
        return this.send({ kind: "update", update: this.unsent.take(this.state.sent) });
      case "show-presence":
        this.send({ kind: "query-presence" });
        return this.showPresence();
      case "apply":
        Y.applyUpdate(doc, effect.update, this);
        return void this.takeUpLeftBehind();
      case "take-presence":
        return applyAwarenessUpdate(presence, effect.payload, this);
      case "durable":
        return void this.forget(effect.count);
      case "schedule-tick":
        return this.scheduleTick();
      case "retry-in":
        window.clearTimeout(this.retry);
        this.retry = window.setTimeout(
          () => this.take({ type: "retry" }),
          effect.milliseconds * (0.5 + Math.random() / 2),
        );
        return;
      case "close":
        return this.socket?.close();
      case "stopped":
        return void this.stopped(effect.reason);
    }
  }

  private open(): void {
    window.clearTimeout(this.retry);
    const url = new URL(this.options.url, location.href);
    url.searchParams.set("acks", "1");
    url.searchParams.set("epoch", String(this.options.epoch));
    const socket = this.door.open(url);
    socket.onopen = () => {
      this.door.opened();
      this.take({ type: "opened" });
    };
    socket.onclose = ({ code, reason }) => {
      if (this.state.phase === "connecting") void this.door.failed();
      this.take({ type: "closed", code, reason });
    };
    socket.onmessage = ({ data }: { data: ArrayBuffer }) => {
      this.heardAt = this.quietSince = performance.now();
      this.isAsked = false;
      this.take({ type: "message", message: decode(new Uint8Array(data)) });
    };
    this.heardAt = this.quietSince = performance.now();
    this.isAsked = false;
    this.socket = socket;
  }

  private send(message: Parameters<typeof encode>[0]): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(encode(message));
  }

  private showPresence(): void {
    const { presence, doc } = this.options;
    if (!presence.states.has(doc.clientID)) return;
    const payload = encodeAwarenessUpdate(presence, [doc.clientID]);
    if (this.state.phase === "open") this.send({ kind: "presence", payload });
  }

  private scheduleTick(): void {
    let isDone = false;
    const tick = () => {
      if (isDone) return;
      isDone = true;
      this.take({ type: "tick" });
    };
    if (document.hidden) {
      window.setTimeout(tick, HIDDEN_TICK_MS);
      return;
    }
    requestAnimationFrame(tick);
    window.setTimeout(tick, FALLBACK_TICK_MS);
  }

  /** Once, after the server's state is here: what an earlier tab could not send. */
  private async takeUpLeftBehind(): Promise<void> {
    if (this.leftBehind !== null || !this.state.hasHeard) return;
    this.leftBehind = [];
    const { copy, doc, epoch } = this.options;
    const own = new Set(await this.unsent.rows());
    const kept = (await copy.kept()).filter((row) => row.epoch === epoch && !own.has(row.id));
    for (const { id, update } of kept) {
      void this.unsent.add(update, Promise.resolve(id));
      Y.applyUpdate(doc, update, this);
    }
    if (kept.length > 0) this.take({ type: "typed" });
  }

  private async forget(count: number): Promise<void> {
    await this.options.copy.forget(await this.unsent.durable(count));
  }

  private async stopped(reason: connection.StopReason): Promise<void> {
    const { updates } = this.unsent;
    this.options.onStop(reason, updates, await this.unsent.rows());
  }
}
