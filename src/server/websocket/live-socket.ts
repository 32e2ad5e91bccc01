// What a connection needs of its WebSocket: so that the rules of sending can be tried without a network.
export interface LiveSocket {
  /** Bytes handed over and not yet taken by the network. */
  readonly bufferedAmount: number;
  send(text: string): void;
  close(code: number, reason: string): void;
}
