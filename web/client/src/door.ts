/**
 * Which way in: a WebSocket, or plain HTTP where no WebSocket gets through. That is so when an
 * attempt ended before it opened although the server answers otherwise, twice in a row; a server
 * that is down answers nothing, and is asked for a WebSocket again.
 */

import type { FrameSocket, HttpSocket } from "./http-socket";

const BLOCKED = "gs-websocket-blocked"; // remembered for this tab
const ATTEMPTS = 2;
const ANSWER_MS = 5000;

export class Door {
  /** When it is known which way to try first. */
  readonly ready: Promise<void>;
  private failures = 0;
  private http: typeof HttpSocket | null = null; // loaded when it is needed

  constructor() {
    this.ready = isRemembered() ? this.useHttp() : Promise.resolve();
  }

  open(url: URL): FrameSocket {
    if (this.http !== null) return new this.http(url);
    const socketUrl = new URL(url);
    socketUrl.protocol = socketUrl.protocol.replace("http", "ws");
    const socket = new WebSocket(socketUrl);
    socket.binaryType = "arraybuffer";
    return socket as unknown as FrameSocket; // only the types of its events are wider
  }

  /** The last attempt did not open. */
  async failed(): Promise<void> {
    if (this.http !== null || !(await answers())) return;
    this.failures += 1;
    if (this.failures < ATTEMPTS) return;
    await this.useHttp();
    remember();
  }

  opened(): void {
    this.failures = 0;
  }

  private async useHttp(): Promise<void> {
    try {
      this.http = (await import("./http-socket")).HttpSocket;
    } catch {
      // offline: the next attempt is a WebSocket, and this is tried again when that fails
    }
  }
}

async function answers(): Promise<boolean> {
  try {
    await fetch("/healthz", { signal: AbortSignal.timeout(ANSWER_MS), cache: "no-store" });
    return true;
  } catch {
    return false;
  }
}

function isRemembered(): boolean {
  try {
    return sessionStorage.getItem(BLOCKED) !== null;
  } catch {
    return false; // no storage: it is found out again
  }
}

function remember(): void {
  try {
    sessionStorage.setItem(BLOCKED, "1");
  } catch {
    // found out again next time
  }
}
