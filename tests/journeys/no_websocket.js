// A network that ends every WebSocket before it opens.
class Blocked {
  static CONNECTING = 0;
  static OPEN = 1;
  static CLOSED = 3;
  readyState = 0;
  constructor() {
    setTimeout(() => {
      this.readyState = 3;
      this.onclose?.({ code: 1006 });
    }, 10);
  }
  send() {}
  close() {}
}
window.WebSocket = Blocked;
