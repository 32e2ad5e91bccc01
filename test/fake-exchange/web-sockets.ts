// The exchange's connections over real sockets: handshake and adapter, nothing decided here.
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import type { Client, ClientEvents, Connections } from './connections.ts';

const MESSAGE_BYTES_MAX = 64 * 1024;

/** For an HTTP server's `upgrade` event. */
export function webSockets(
  connections: Connections,
): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    autoPong: false,
    maxPayload: MESSAGE_BYTES_MAX,
  });
  return (request, socket, head) => {
    const status = connections.refusal(request);
    if (status !== undefined) {
      socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    server.handleUpgrade(request, socket, head, (webSocket) => {
      // An HTTP server's upgrade hands over the TCP socket itself.
      const client = clientOf(webSocket, socket as Socket);
      listen(webSocket, connections.open(request.url ?? '', client));
    });
  };
}

function clientOf(webSocket: WebSocket, socket: Socket): Client {
  return {
    get isOpen() {
      return webSocket.readyState === WebSocket.OPEN;
    },
    get bufferedBytes() {
      return webSocket.bufferedAmount;
    },
    send: (text) => webSocket.send(text),
    ping: (payload) => webSocket.ping(payload),
    pong: (payload) => webSocket.pong(payload),
    close: (code, reason) => webSocket.close(code, reason),
    // One that is ending cannot be reset: Node would never close its handle, and turn for ever at its own end.
    reset: () => (socket.writableEnded ? socket.destroy() : socket.resetAndDestroy()),
    pause: () => webSocket.pause(),
    resume: () => webSocket.resume(),
    cork: () => socket.cork(),
    uncork: () => socket.uncork(),
  };
}

function listen(webSocket: WebSocket, events: ClientEvents): void {
  webSocket.on('message', (data: RawData, isBinary: boolean) => {
    if (!isBinary) events.text(data.toString());
  });
  webSocket.on('ping', (payload) => events.ping(payload.toString()));
  webSocket.on('pong', (payload) => events.pong(payload.toString()));
  webSocket.on('close', () => events.closed());
  // The close event follows; there is nothing else to do about a broken socket here.
  webSocket.on('error', () => events.closed());
}
