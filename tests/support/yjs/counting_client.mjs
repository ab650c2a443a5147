/**
 * A Yjs client that asks for acknowledgements (`?acks=1`) and remembers what it may rely on.
 *
 * `sent` and `acked` count its frames of sync steps 1 and 2 on the present socket. `durable` holds
 * every update that the server has promised: what it sent to us, and of ours what it acknowledged.
 * Local updates wait in `unsent` until `flush`; with `isHolding` only whoever drives it flushes.
 * After a cut it waits `retryMs`, then twice as long, and so on up to `longestRetryMs`.
 */

import { EventEmitter } from "node:events";
import { ROOT, WebSocket, Y, awareness, decoding, encoding } from "./libraries.mjs";

const SYNC = 0;
const PRESENCE = 1;
const QUERY_PRESENCE = 3;
const ACK = 120;
const TOO_MANY = 4429; // as the browser (web/client/src/connection.ts)
const PERMANENT = (code) => code >= 4400 && code < 4500 && code !== TOO_MANY;

export class CountingClient extends EventEmitter {
  constructor(url, { clientId, retryMs = 50, longestRetryMs = retryMs } = {}) {
    super();
    this.setMaxListeners(0);
    this.doc = new Y.Doc();
    if (clientId !== undefined) this.doc.clientID = clientId;
    this.text = this.doc.getText(ROOT);
    this.presence = new awareness.Awareness(this.doc);
    Object.assign(this, { url, retryMs, longestRetryMs, attempt: 0, closes: [], durable: [], unsent: [], isHolding: false });
    this.isOnline = false;
    this.doc.on("update", (update, origin) => origin !== this && this.typed(update));
    this.connect();
  }

  get isSynced() {
    return this.isOpen && this.hasHeard && this.hasAnswered;
  }

  get isSaved() {
    return this.isSynced && this.unsent.length === 0 && this.sent === this.acked;
  }

  connect() {
    this.isOnline = true;
    Object.assign(this, { isOpen: false, hasHeard: false, hasAnswered: false, sent: 0, acked: 0, heard: 0 });
    this.inFlight = [];
    const socket = new WebSocket(this.url, { perMessageDeflate: false });
    socket.binaryType = "nodebuffer";
    socket.on("open", () => this.opened());
    socket.on("message", (data) => this.received(data));
    socket.on("error", () => {});
    socket.on("close", (code, reason) => socket === this.socket && this.closed(code, String(reason)));
    this.socket = socket;
  }

  /** Drop the connection and stay away until `connect`. */
  disconnect() {
    this.isOnline = this.isOpen = false;
    clearTimeout(this.retry);
    const { socket } = this;
    this.socket = null;
    socket?.terminate();
  }

  destroy() {
    this.disconnect();
    this.presence.destroy();
    this.doc.destroy();
  }

  opened() {
    this.isOpen = true;
    this.send([SYNC, 0], Y.encodeStateVector(this.doc));
    this.presence.setLocalStateField("cursor", { at: 0 });
    this.send([PRESENCE], awareness.encodeAwarenessUpdate(this.presence, [this.doc.clientID]));
    this.emit("change");
  }

  closed(code, reason) {
    this.closes.push({ code, reason });
    this.isOpen = false;
    if (this.isOnline && !PERMANENT(code)) this.retry = setTimeout(() => this.connect(), this.pause());
    this.emit("change");
  }

  /** As the browser's client does it (web/client/src/connection.ts, socket.ts). */
  pause() {
    const most = Math.min(this.longestRetryMs, this.retryMs * 2 ** this.attempt++);
    return most * (0.5 + Math.random() / 2);
  }

  typed(update) {
    this.unsent.push(update);
    if (this.isHolding || this.isTicking) return;
    this.isTicking = true;
    setImmediate(() => {
      this.isTicking = false;
      this.flush();
    });
  }

  /** Send the first `count` unsent updates as one frame; before the sync its answer carries them. */
  flush(count = this.unsent.length) {
    if (!this.isOpen || !this.hasAnswered || count === 0) return;
    this.sendUpdate(2, Y.mergeUpdates(this.unsent.splice(0, count)));
  }

  sendUpdate(step, update) {
    this.sent++;
    this.inFlight.push(update);
    this.send([SYNC, step], update);
  }

  send(head, bytes) {
    const out = encoding.createEncoder();
    for (const number of head) encoding.writeVarUint(out, number);
    if (bytes) encoding.writeVarUint8Array(out, bytes);
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(encoding.toUint8Array(out));
  }

  received(data) {
    const input = decoding.createDecoder(new Uint8Array(data));
    const kind = decoding.readVarUint(input);
    if (kind === SYNC) this.synced(decoding.readVarUint(input), decoding.readVarUint8Array(input));
    else if (kind === PRESENCE) {
      awareness.applyAwarenessUpdate(this.presence, decoding.readVarUint8Array(input), this);
    } else if (kind === ACK) this.acknowledged(decoding.readVarUint(input));
    else if (kind !== QUERY_PRESENCE) throw new Error(`There is no message ${kind}.`);
    this.emit("change");
  }

  synced(step, bytes) {
    if (step === 0) {
      this.hasAnswered = true;
      this.unsent = [];
      this.sendUpdate(1, Y.encodeStateAsUpdate(this.doc, bytes));
      return;
    }
    this.hasHeard ||= step === 1;
    if (step === 1) this.attempt = 0;
    if (step === 2) this.heard++;
    const copy = bytes.slice();
    this.durable.push(copy);
    Y.applyUpdate(this.doc, copy, this);
  }

  acknowledged(count) {
    if (count < this.acked || count > this.sent) {
      throw new Error(`${count} frames acknowledged after ${this.acked}, of ${this.sent}`);
    }
    this.durable.push(...this.inFlight.splice(0, count - this.acked));
    this.acked = count;
  }
}
