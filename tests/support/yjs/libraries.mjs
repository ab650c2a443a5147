/** The real Yjs, from the client's own packages: one copy for everything here. */

import { createRequire } from "node:module";

const require = createRequire(new URL("../../../web/client/package.json", import.meta.url));

export const Y = require("yjs");
export const WebSocket = require("ws");
export const awareness = require("y-protocols/awareness");
export const encoding = require("lib0/encoding");
export const decoding = require("lib0/decoding");
export const { WebsocketProvider } = require("y-websocket");
export const ROOT = "content";
