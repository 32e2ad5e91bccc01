// Whose market a set of endpoints is (I10).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceId } from '../../core/market/source.ts';
import { binanceSource } from './feed.ts';

const idOf = (restUrls: readonly string[], webSocketUrls: readonly string[]) =>
  sourceId(binanceSource({ restUrls, webSocketUrls }));

const REST = ['https://api.binance.com', 'https://api-gcp.binance.com'];
const STREAM = ['wss://stream.binance.com:9443', 'wss://data-stream.binance.vision'];

test("Binance's own hosts are one source, whichever are used", () => {
  assert.equal(idOf(REST, STREAM), 'binance:binance.com');
  assert.equal(idOf(['https://data-api.binance.vision'], STREAM.slice(1)), 'binance:binance.com');
});

test('I10: another host for the stream is another source, as is one for REST', () => {
  assert.equal(idOf(REST, ['ws://10.0.0.1:9000']), 'binance:10.0.0.1:9000+binance.com');
  assert.equal(idOf(['http://10.0.0.1:9001'], STREAM), 'binance:10.0.0.1:9001+binance.com');
});

test('I10: one foreign endpoint among others counts, wherever it stands', () => {
  assert.equal(
    idOf([...REST, 'https://mirror.example'], STREAM),
    'binance:binance.com+mirror.example',
  );
  assert.equal(
    idOf(['https://mirror.example', ...REST], STREAM),
    'binance:binance.com+mirror.example',
  );
});

test('one host for both kinds is named once', () => {
  assert.equal(
    idOf(['http://127.0.0.1:80', 'http://127.0.0.1:9'], ['ws://127.0.0.1:9']),
    'binance:127.0.0.1+127.0.0.1:9',
  );
  assert.equal(idOf(['http://127.0.0.1:9'], ['ws://127.0.0.1:9']), 'binance:127.0.0.1:9');
});

test('I10: names that end like Binance and its test market are not Binance', () => {
  assert.equal(
    idOf(['https://notbinance.com'], ['wss://notbinance.com']),
    'binance:notbinance.com',
  );
  assert.equal(
    idOf(['https://testnet.binance.vision'], ['wss://stream.testnet.binance.vision']),
    'binance:stream.testnet.binance.vision+testnet.binance.vision',
  );
});
