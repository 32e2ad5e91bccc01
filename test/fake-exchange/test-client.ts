// A WebSocket client for this folder's tests: collects frames and waits for them. Not a feed.
import { WebSocket } from 'ws';

export interface TestClient extends AsyncDisposable {
  readonly socket: WebSocket;
  /** Every text frame so far. */
  readonly frames: string[];
  /** Resolves with the first frame, past or to come, that `matches`. */
  frame(matches: (text: string) => boolean): Promise<string>;
  /** Resolves with all frames once there are `count`. */
  count(count: number): Promise<readonly string[]>;
  /** Sends a control message and resolves with the reply to its id. */
  ask(message: Readonly<Record<string, unknown>> & { readonly id: number }): Promise<string>;
  /** Resolves with the close code. */
  readonly closed: Promise<number>;
}

export async function openClient(url: string): Promise<TestClient> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  const frames: string[] = [];
  const looks = new Set<() => void>();
  socket.on('message', (data) => {
    frames.push(data.toString());
    for (const look of looks) look();
  });
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  // A reset is reported by `closed`.
  socket.on('error', () => socket.terminate());

  function until<T>(find: () => T | undefined): Promise<T> {
    return new Promise((resolve) => {
      const look = () => {
        const found = find();
        if (found === undefined) return;
        looks.delete(look);
        resolve(found);
      };
      looks.add(look);
      look();
    });
  }

  return {
    socket,
    frames,
    closed,
    frame: (matches) => until(() => frames.find(matches)),
    count: (count) => until(() => (frames.length >= count ? frames : undefined)),
    ask(message) {
      socket.send(JSON.stringify(message));
      return until(() =>
        frames.find((text) => text.includes(`"id":${message.id}`) && !text.includes('"stream"')),
      );
    },
    async [Symbol.asyncDispose]() {
      socket.close();
      await closed;
    },
  };
}
