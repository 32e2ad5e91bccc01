// Recording and playing back: the port's promises, the same bytes again (I7), and files that are cut off, foreign or damaged.
import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { manualClock } from '../../../test/contracts/manual-clock.ts';
import {
  type FeedUnderTest,
  marketFeedContract,
  readUntil,
  ticksOf,
} from '../../../test/contracts/market-feed-contract.ts';
import type { RawTick } from '../../core/market/raw-tick.ts';
import { sourceId } from '../../core/market/source.ts';
import { marketSymbol } from '../../core/market/symbol.ts';
import { addMs, epochMs, MINUTE_MS } from '../../core/market/time.ts';
import { memoryLog } from '../../log/memory/memory-log.ts';
import { encodeRawTick } from '../../protocol/raw-tick-record.ts';
import { RAW_TICKS } from '../../protocol/topics.ts';
import { FeedError, type FeedEvent } from '../market-feed.ts';
import { simulatedFeed } from '../simulated/simulated-feed.ts';
import { recordTicks } from './record.ts';
import { recordingFeed } from './recording-feed.ts';
import { LINE_LENGTH_MAX, recordingLines } from './recording-lines.ts';
import { openRecordingWriter } from './recording-writer.ts';

const NOW = epochMs(Date.UTC(2026, 7, 4, 0, 3, 34, 567));
const SYMBOLS = [marketSymbol('BTCUSDT'), marketSymbol('DOGEUSDT')];
const SOURCE = { kind: 'simulated', seed: 7 } as const;

const directory = await mkdtemp(join(tmpdir(), 'wickstream-recording-'));
after(() => rm(directory, { recursive: true }));
const warnings: string[] = [];
const logger = { warn: (text: string) => warnings.push(text), info: () => undefined };
const ticks = await simulatedTicks();
let files = 0;

async function simulatedTicks(): Promise<RawTick[]> {
  const clock = manualClock(NOW);
  const feed = simulatedFeed({ symbols: SYMBOLS, seed: 7, clock, historyDays: 1, logger });
  return ticksOf({ feed, clock, symbols: SYMBOLS });
}

async function record(records = ticks, ending = '.ndjson'): Promise<string> {
  files += 1;
  const path = join(directory, `recording-${files}${ending}`);
  const clock = manualClock(NOW);
  const options = { path, source: SOURCE, symbols: SYMBOLS, clock };
  await using writer = await openRecordingWriter(options);
  for (let start = 0; start < records.length; start += 300) {
    await writer.write(records.slice(start, start + 300));
    await clock.advance(700);
  }
  return path;
}

async function play(path: string, speed = 0): Promise<FeedUnderTest & { events: FeedEvent[] }> {
  const clock = manualClock(addMs(NOW, 1_000_000));
  const feed = await recordingFeed({ path, speed, clock, logger });
  const events: FeedEvent[] = [];
  const test = { feed, clock, symbols: SYMBOLS };
  await readUntil(test, (event) => {
    events.push(event);
    return false;
  });
  return { ...test, events };
}

function bytesOf(events: readonly FeedEvent[]): string {
  return events
    .flatMap((event) => (event.type === 'ticks' ? event.ticks : []))
    .map((tick) => `${encodeRawTick(tick)}\n`)
    .join('');
}

marketFeedContract('recordingFeed', async () => {
  const clock = manualClock(NOW);
  const feed = await recordingFeed({ path: await record(), speed: 1, clock, logger });
  return { feed, clock, symbols: SYMBOLS };
});

describe('recordingFeed', () => {
  for (const [ending, speed] of [
    ['.ndjson', 0],
    ['.ndjson', 1],
    ['.ndjson', 37.5],
    ['.ndjson.gz', 0],
  ] as const) {
    it(`plays ${ending} at speed ${speed} byte for byte as it was recorded (I7)`, async () => {
      const { events } = await play(await record(ticks, ending), speed);
      assert.equal(bytesOf(events), ticks.map((tick) => `${encodeRawTick(tick)}\n`).join(''));
    });
  }

  it('takes as long as it took, divided by the speed', async () => {
    const path = await record();
    const times = ticks.flatMap((tick) => (tick.type === 'aggTrade' ? [tick.trade.tradeTime] : []));
    const span = Math.max(...times) - Math.min(...times);
    for (const speed of [1, 10]) {
      const { clock } = await play(path, speed);
      const took = clock.now() - addMs(NOW, 1_000_000);
      assert.ok(Math.abs(took - span / speed) < 2_000, `speed ${speed}: ${took} of ${span} ms`);
    }
    const { clock } = await play(path, 0);
    assert.equal(clock.now(), addMs(NOW, 1_000_000));
  });

  it('is a source of its own, named after what was recorded, when, and the file', async () => {
    const { feed } = await play(await record([]));
    const name = `simulated:7/2026-08-04T00:03:34.567Z/recording-${files}.ndjson`;
    assert.equal(sourceId(feed.source), `recording:${name}`);
  });

  it('is another source than a recording of that name made at another time (I10)', async () => {
    const sources = [];
    for (const recordedAt of [NOW, addMs(NOW, 1)]) {
      const folder = await mkdtemp(join(directory, 'same-name-'));
      const path = join(folder, 'morning.ndjson');
      const clock = manualClock(recordedAt);
      await (await openRecordingWriter({ path, source: SOURCE, symbols: SYMBOLS, clock }))[
        Symbol.asyncDispose
      ]();
      sources.push(sourceId((await play(path)).feed.source));
    }
    assert.notEqual(sources[0], sources[1]);
  });

  it('starts at its beginning whatever is held already', async () => {
    const clock = manualClock(addMs(NOW, 1_000_000));
    const feed = await recordingFeed({ path: await record(), speed: 0, clock, logger });
    const starts = SYMBOLS.map((symbol) => ({ symbol, resumeFrom: addMs(NOW, MINUTE_MS) }));
    const seen = await ticksOf({ feed, clock, symbols: SYMBOLS }, starts);
    assert.deepEqual(seen[0], ticks[0]);
  });

  it('gives only the symbols asked for', async () => {
    const path = await record();
    const clock = manualClock(NOW);
    const feed = await recordingFeed({ path, speed: 0, clock, logger });
    const seen = await ticksOf({ feed, clock, symbols: SYMBOLS.slice(1) });
    const other = seen.filter((tick) => encodeRawTick(tick).includes('BTCUSDT'));
    assert.deepEqual([seen.length > 100, other.length], [true, 0]);
  });

  it('passes on what is no record with its line, and goes on behind it', async () => {
    const path = await record(ticks.slice(0, 10));
    await appendFile(path, 'no record\n{"e":"aggTrade"}\n');
    await appendFile(path, `${encodeRawTick(ticks[10] ?? fail())}\n`);
    const { events } = await play(path);
    const rejected = events.filter((event) => event.type === 'rejected');
    assert.match(rejected[0]?.reason ?? '', /^Line 12 of .*: Expected a record of raw_ticks/);
    assert.deepEqual(
      rejected.map((event) => event.payload),
      ['no record', '{"e":"aggTrade"}'],
    );
    assert.equal(bytesOf(events).split('\n').length - 1, 11);
    assert.ok(warnings.some((warning) => warning.startsWith('Line 12 of ')));
  });

  it('plays a recording whose writer was killed up to its torn line, and says so', async () => {
    const path = await record();
    const whole = await readFile(path);
    await truncate(path, whole.length - 20);
    const { events } = await play(path);
    const last = events.at(-1);
    assert.match(last?.type === 'rejected' ? last.reason : '', /cut off within it/);
    assert.equal(bytesOf(events).split('\n').length - 1, ticks.length - 1);
  });

  it('plays a gzipped recording whose writer was killed as far as it goes', async () => {
    const path = await record(ticks, '.ndjson.gz');
    await truncate(path, Math.floor((await readFile(path)).length * 0.7));
    const { events } = await play(path);
    const lines = bytesOf(events).split('\n').length - 1;
    assert.ok(lines > ticks.length / 3 && lines < ticks.length, `${lines} of ${ticks.length}`);
  });

  it('refuses a file that is no recording, a newer one, an empty one, and one that is not there', async () => {
    const write = async (text: string): Promise<string> => {
      files += 1;
      const path = join(directory, `foreign-${files}`);
      await writeFile(path, text);
      return path;
    };
    const cases = [
      [await write('time,open\n1,2\n'), /its first line was "time,open"/],
      [await write('{"wickstream":"recording","version":2}\n'), /is of version 2: .*newer/],
      [await write('{"wickstream":"recording","version":1}\n'), /header \(source/],
      [await write(''), /its first line was ""/],
      [join(directory, 'nowhere.ndjson'), /no such file/],
    ] as const;
    for (const [path, message] of cases) {
      await assert.rejects(
        recordingFeed({ path, speed: 1, clock: manualClock(NOW), logger }),
        (error) => {
          assert.ok(error instanceof FeedError);
          assert.equal(error.code, 'bad-recording');
          assert.match(error.message, message);
          return error.message.includes(path);
        },
      );
    }
  });

  it('refuses a speed that is none', async () => {
    const options = { path: await record([]), clock: manualClock(NOW), logger };
    for (const speed of [-1, Number.NaN]) {
      await assert.rejects(recordingFeed({ ...options, speed }), /Expected a speed/);
    }
  });
});

describe('openRecordingWriter', () => {
  it('refuses to write over a file', async () => {
    const path = await record([]);
    const options = { path, source: SOURCE, symbols: SYMBOLS, clock: manualClock(NOW) };
    await assert.rejects(openRecordingWriter(options), /exists: give another name, or delete it/);
  });

  it('keeps the order of writes nobody waited for, and closes twice as well as once', async () => {
    files += 1;
    const path = join(directory, `order-${files}.ndjson`);
    const options = { path, source: SOURCE, symbols: SYMBOLS, clock: manualClock(NOW) };
    const writer = await openRecordingWriter(options);
    const writes = ticks.slice(0, 50).map((tick) => writer.write([tick]));
    await writer[Symbol.asyncDispose]();
    await writer[Symbol.asyncDispose]();
    await Promise.all(writes);
    const expected = ticks.slice(0, 50).map(encodeRawTick);
    assert.deepEqual((await readFile(path, 'utf8')).trimEnd().split('\n').slice(1), expected);
    await assert.rejects(writer.write([]), /the recording is closed/);
  });

  it('begins with a header that says what is in it', async () => {
    const text = gunzipSync(await readFile(await record([], '.ndjson.gz'))).toString();
    assert.deepEqual(JSON.parse(text), {
      wickstream: 'recording',
      version: 1,
      source: SOURCE,
      symbols: SYMBOLS,
      recordedAt: NOW,
    });
  });
});

describe('recordingLines', () => {
  it('marks a line longer than any record, and goes on behind it', async () => {
    const path = join(directory, 'long');
    await writeFile(path, `a\n${'é'.repeat(LINE_LENGTH_MAX + 200_000)}\nb\n`);
    const lines = [];
    for await (const some of recordingLines(path)) lines.push(...some);
    assert.deepEqual(
      lines.map(({ number, text, fault }) => [number, text.length, fault]),
      [
        [1, 1, undefined],
        [2, LINE_LENGTH_MAX, 'too-long'],
        [3, 1, undefined],
      ],
    );
  });
});

describe('recordTicks', () => {
  it('writes the whole of raw_ticks, also what was in the log when it was told to end', async () => {
    files += 1;
    const path = join(directory, `stage-${files}.ndjson`);
    const options = { path, source: SOURCE, symbols: SYMBOLS, clock: manualClock(NOW) };
    await using log = memoryLog();
    const abort = new AbortController();
    {
      await using writer = await openRecordingWriter(options);
      const recording = recordTicks({ log, writer, signal: abort.signal });
      for (const value of ticks) {
        const timestamp = addMs(NOW, MINUTE_MS);
        await log.append([{ topic: RAW_TICKS, key: 'BTCUSDT', value, timestamp }]);
      }
      abort.abort();
      await recording;
    }
    assert.equal(bytesOf((await play(path)).events).split('\n').length - 1, ticks.length);
  });
});

function fail(): never {
  throw new Error('the simulated market gave too few ticks');
}
