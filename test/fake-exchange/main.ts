// The exchange by itself, for a person to run the product against: generated history and load.
// Never a source of real prices.
import { parseArgs } from 'node:util';
import { createFakeExchange } from './fake-exchange.ts';
import { generateHistory } from './generate.ts';

const USAGE =
  'node test/fake-exchange/main.ts [--port 9999] [--symbols BTCUSDT,ETHUSDT] [--rate 200] ' +
  '[--history-days 40] [--seed 1] [--bursts]';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '9999' },
    symbols: { type: 'string', default: 'BTCUSDT' },
    rate: { type: 'string', default: '200' },
    'history-days': { type: 'string', default: '40' },
    seed: { type: 'string', default: '1' },
    bursts: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/** Days of 1m candles; older history has hours and days only. */
const MINUTE_DAYS = 7;

function wholeNumber(name: 'port' | 'rate' | 'history-days' | 'seed'): number {
  const number = Number(values[name]);
  if (Number.isInteger(number) && number >= 0) return number;
  console.error(`Expected a whole number for --${name}, was "${values[name]}"\n${USAGE}`);
  process.exit(2);
}

if (values.help) {
  console.log(USAGE);
  process.exit(0);
}

const seed = wholeNumber('seed');
const days = wholeNumber('history-days');
const now = Date.now();
await using exchange = await createFakeExchange({
  port: wholeNumber('port'),
  symbols: values.symbols.split(',').map((symbol, index) => {
    const price = (90_000 / 3 ** index).toFixed(2);
    return {
      symbol,
      klines: generateHistory({
        seed: seed + index,
        price,
        to: now,
        days,
        minuteDays: MINUTE_DAYS,
      }),
    };
  }),
});
const load = exchange.startLoad({
  tradesPerSecond: wholeNumber('rate'),
  seed,
  shape: values.bursts ? 'bursts' : 'even',
});

console.log(`BINANCE_WS_URL=${exchange.wsUrl}`);
console.log(`BINANCE_REST_URL=${exchange.restUrl}`);
console.log('Generated market, not real prices. Ctrl-C ends it.');

await new Promise<void>((resolve) => {
  process.once('SIGINT', () => resolve());
  process.once('SIGTERM', () => resolve());
});
console.log(`${load.sent} trades sent, ${exchange.breaches.length} limit breaches`);
