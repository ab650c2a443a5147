/** The provider of y-websocket as it is published, behind what `CountingClient` also answers to. */

import { EventEmitter } from "node:events";
import { ROOT, WebSocket, WebsocketProvider, Y } from "./libraries.mjs";

export class StockClient extends EventEmitter {
  constructor(url, { clientId } = {}) {
    super();
    this.setMaxListeners(0);
    const { origin, pathname, searchParams } = new URL(url);
    const cut = pathname.lastIndexOf("/");
    this.doc = new Y.Doc();
    if (clientId !== undefined) this.doc.clientID = clientId;
    this.text = this.doc.getText(ROOT);
    Object.assign(this, { closes: [], durable: [], sent: 0, acked: 0 });
    this.provider = new WebsocketProvider(origin + pathname.slice(0, cut), pathname.slice(cut + 1), this.doc, {
      WebSocketPolyfill: WebSocket,
      params: Object.fromEntries(searchParams),
      disableBc: true,
      maxBackoffTime: 100,
    });
    this.provider.awareness.setLocalStateField("user", { name: "stock" });
    this.provider.on("connection-close", (event) => {
      if (event) this.closes.push({ code: event.code, reason: event.reason });
    });
    for (const name of ["connection-close", "sync", "closed"]) this.provider.on(name, () => this.emit("change"));
    this.doc.on("update", (update, origin) => {
      if (origin === this.provider) this.durable.push(update);
      this.emit("change");
    });
  }

  get isOpen() {
    return this.provider.wsconnected;
  }

  get isSynced() {
    return this.provider.synced;
  }

  /** It cannot know: nothing tells it. */
  get isSaved() {
    return this.isSynced;
  }

  connect() {
    this.provider.connect();
  }

  disconnect() {
    this.provider.disconnect();
  }

  destroy() {
    this.provider.destroy();
    this.doc.destroy();
  }
}
