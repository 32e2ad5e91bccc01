// Settings: which place wins, and that all faults come at once, named, without secrets.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError, readConfig } from './config.ts';

const none = { flags: {}, env: {}, isTerminal: false };

test('the defaults are one symbol, all 16 intervals, loopback', () => {
  const config = readConfig(none);
  assert.deepEqual(config.symbols, ['BTCUSDT']);
  assert.equal(config.intervals.length, 16);
  assert.deepEqual(config.source, { kind: 'auto' });
  assert.equal(config.host, '127.0.0.1');
  assert.equal(config.port, 8501);
  assert.equal(config.keepSecondsMs, 86_400_000);
  assert.equal(config.logFormat, 'json');
});

test('a flag wins over the environment, that over the file, that over the default', () => {
  const file = { path: 'w.json', json: { port: 3, symbols: ['ethusdt', 'BTCUSDT'], seed: 9 } };
  const config = readConfig({
    flags: { port: '1' },
    env: { PORT: '2', WICKSTREAM_SEED: '8' },
    file,
    isTerminal: true,
  });
  assert.equal(config.port, 1);
  assert.equal(config.seed, 8);
  assert.deepEqual(config.symbols, ['ETHUSDT', 'BTCUSDT']);
  assert.equal(config.logFormat, 'pretty');
});

test('the minute is always kept, the day where longer candles are asked for', () => {
  assert.deepEqual(readConfig({ ...none, flags: { intervals: '5m' } }).intervals, ['1m', '5m']);
  assert.deepEqual(readConfig({ ...none, flags: { intervals: '1M' } }).intervals, [
    '1m',
    '1d',
    '1M',
  ]);
});

test('all faults are reported at once, each naming its place and value, no secret among them', () => {
  const flags = {
    symbols: 'BTC USDT',
    intervals: '7q',
    port: '99999',
    'keep-1s': 'long',
    source: 'recording:',
    'binance-ws-url': 'https://example.com/ws',
  };
  const env = { LOG_LEVEL: 'loud' };
  const file = { path: 'w.json', json: { colour: 'red' } };
  assert.throws(
    () => readConfig({ flags, env, file, isTerminal: false }),
    (error: unknown) => {
      assert.ok(error instanceof ConfigError);
      const text = error.faults.join('\n');
      assert.equal(error.faults.length, 8, text);
      for (const part of ['"7q"', '"99999"', 'LOG_LEVEL', '"loud"', '"colour"', '--keep-1s']) {
        assert.ok(text.includes(part), part);
      }
      return true;
    },
  );
});

test('a database URL is taken from DATABASE_URL, and its password never said', () => {
  const url = 'postgres://wick:hidden@db.example:5432/candles';
  assert.equal(readConfig({ ...none, env: { DATABASE_URL: url } }).databaseUrl, url);
  for (const bad of ['mysql://wick:hidden@host/candles', 'postgres://wick:hidden@host', 'hidden']) {
    assert.throws(
      () => readConfig({ ...none, flags: { 'database-url': bad } }),
      (error: unknown) => {
        assert.ok(error instanceof ConfigError);
        assert.match(error.message, /--database-url: expected a database such as postgres:/);
        assert.ok(!error.message.includes('hidden'), error.message);
        return true;
      },
    );
  }
});
