/**
 * A WebSocket's work over plain HTTP, for networks that let no WebSocket through: frames come as
 * server-sent events and go as POSTs, numbered and one at a time (web/stream.py tells the format).
 * Whatever goes wrong ends it, as a broken socket would: what was not acknowledged is sent again.
 */

import * as encoding from "lib0/encoding";

const BROKEN = 1006; // RFC 6455 §7.1.5, as a WebSocket tells it
const MOST_BYTES = 1024 * 1024; // of one POST, unless one frame alone is larger

/** The part of WebSocket that `PageSocket` uses. */
export interface FrameSocket {
  readonly readyState: number;
  onopen: (() => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  onmessage: ((event: { data: ArrayBuffer }) => void) | null;
  send(frame: Uint8Array<ArrayBuffer>): void;
  close(): void;
}

export class HttpSocket implements FrameSocket {
  readyState: number = WebSocket.CONNECTING;
  onopen: (() => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onmessage: ((event: { data: ArrayBuffer }) => void) | null = null;
  private readonly events: EventSource;
  private readonly waiting: Uint8Array[] = [];
  private name = "";
  private posted = 0;
  private isPosting = false;

  /** `url` as a WebSocket would get it, with http in front. */
  constructor(private readonly url: URL) {
    this.url.pathname += "/stream";
    this.events = new EventSource(this.url);
    this.events.addEventListener("begin", ({ data }: MessageEvent<string>) => this.opened(data));
    this.events.addEventListener("end", ({ data }: MessageEvent<string>) => this.end(Number.parseInt(data, 10), data.slice(5)));
    this.events.onmessage = ({ data }: MessageEvent<string>) => {
      this.onmessage?.({ data: Uint8Array.from(atob(data), (char) => char.charCodeAt(0)).buffer });
    };
    this.events.onerror = () => this.end(BROKEN); // never let it go on by itself: a stream is a new seat
  }

  send(frame: Uint8Array<ArrayBuffer>): void {
    if (this.readyState !== WebSocket.OPEN) return;
    this.waiting.push(frame);
    if (!this.isPosting) void this.post();
  }

  close(): void {
    this.readyState = WebSocket.CLOSED;
    this.events.close();
  }

  private opened(name: string): void {
    this.name = name;
    this.readyState = WebSocket.OPEN;
    this.onopen?.();
  }

  private async post(): Promise<void> {
    this.isPosting = true;
    try {
      while (this.waiting.length > 0 && this.readyState === WebSocket.OPEN) await this.postOnce();
    } catch {
      this.end(BROKEN);
    } finally {
      this.isPosting = false;
    }
  }

  private async postOnce(): Promise<void> {
    const body = encoding.createEncoder();
    do {
      encoding.writeVarUint8Array(body, this.waiting.shift()!);
    } while (this.waiting[0] !== undefined && encoding.length(body) + this.waiting[0].length < MOST_BYTES);
    const token = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";
    const reply = await fetch(`${this.url.pathname}/${this.name}?n=${this.posted}`, {
      method: "POST",
      body: encoding.toUint8Array(body) as Uint8Array<ArrayBuffer>,
      headers: { "X-CSRF-Token": token, "Content-Type": "application/octet-stream" },
    });
    if (!reply.ok) throw new Error(`the server answered ${reply.status}`);
    this.posted += 1;
  }

  private end(code: number, reason = ""): void {
    if (this.readyState === WebSocket.CLOSED) return;
    this.close();
    this.onclose?.({ code: Number.isNaN(code) ? BROKEN : code, reason });
  }
}
