// The platform's WebSocket behind the interface of websocket.js.

/** How long the closing handshake may take. */
const closeTimeoutMs = 2_000;

/**
 * The platform gives no limit for what comes in, so maxBytes is not used.
 * @param {string} url
 * @param {import("./websocket.js").SocketEvents} events
 * @param {number} _maxBytes
 * @param {AbortSignal} signal
 * @returns {Promise<import("./websocket.js").Socket>}
 */
export function open(url, events, _maxBytes, signal) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    let opened = false;
    let ended = false;
    /** @type {() => void} */
    let onEnded = () => {};
    /** @param {import("./websocket.js").SocketEnd} end */
    const finish = (end) => {
      if (ended) return;
      ended = true;
      signal.removeEventListener("abort", abort);
      if (opened) events.onEnd(end);
      else reject(new Error("the connection could not be made"));
      onEnded();
    };
    const abort = () => {
      socket.close();
      finish({ code: null, reason: "" });
    };
    signal.addEventListener("abort", abort);
    socket.onmessage = ({ data }) => {
      if (!ended) events.onText(typeof data === "string" ? data : "");
    };
    // A browser says 1005 for a close frame without a code, and 1006 for a connection that broke.
    socket.onclose = ({ code, reason }) => finish({ code: code === 1005 || code === 1006 ? null : code, reason });
    socket.onopen = () => {
      opened = true;
      signal.removeEventListener("abort", abort);
      resolve({
        send: (text) => socket.send(text),
        abort,
        close: () => new Promise((settle) => {
          if (ended) return settle();
          const timer = setTimeout(abort, closeTimeoutMs);
          onEnded = () => {
            clearTimeout(timer);
            settle();
          };
          socket.close(1000);
        }),
      });
    };
  });
}
