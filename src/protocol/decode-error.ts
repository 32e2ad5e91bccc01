// A record that is not what its topic or message says. Its own file so that every codec can throw it.

export class DecodeError extends Error {
  override readonly name = 'DecodeError';
  /** What came, cut to `DECODE_PAYLOAD_MAX` characters. */
  readonly payload: string;

  constructor(expected: string, payload: string, options?: ErrorOptions) {
    const cut = payload.slice(0, DECODE_PAYLOAD_MAX);
    super(`Expected ${expected}, was ${cut}`, options);
    this.payload = cut;
  }
}

export const DECODE_PAYLOAD_MAX = 2_000;
