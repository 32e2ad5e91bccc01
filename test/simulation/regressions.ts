// Seeds that once failed, and what was wrong: `npm run test:simulation -- --regressions`. A change of how seeds are drawn makes them other runs:
// what was wrong is then still named here, and held by the unit test beside its mend.

export const REGRESSIONS: readonly { readonly seed: number; readonly wrong: string }[] = [
  {
    seed: 101,
    wrong:
      'The clock was set by minutes: an open kline counted as closed, and a restart lost the rest of its minute',
  },
  {
    seed: 201,
    wrong:
      'Retry-After ended early when the clock was set forward; a repair left empty seconds flat at the old close; a hole over several minutes closed them as complete',
  },
  {
    seed: 304,
    wrong:
      'The clock was set by minutes: a @kline stream took itself for younger than it was and left out closed candles as history',
  },
  {
    seed: 3025,
    wrong:
      'Candles came before the news of the exchange’s clock: a @kline stream took them for history',
  },
  {
    seed: 3055,
    wrong: 'None: the judge compared ids that REST does not say',
  },
  {
    seed: 3090,
    wrong: 'None: the judge asked for a minute that had just begun',
  },
  {
    seed: 5022,
    wrong:
      'REST lagged 36 s: its last row, of data that ended within the minute, counted as closed 10 s after it',
  },
  {
    seed: 7104,
    wrong:
      'A start’s klines came later than its page of trades and counted more: its minute was left to klines',
  },
  {
    seed: 8101,
    wrong:
      'The clock was set before a @kline stream had its first candle: it left that out as history',
  },
  {
    seed: 20_050,
    wrong:
      'The exchange was not reached for 10 s: a @kline stream took the machine’s clock for its, and news for history',
  },
  {
    seed: 21_000,
    wrong:
      'A minute was repaired before the one before it: its first seconds were flat at the wrong close, and told as complete',
  },
  {
    seed: 21_186,
    wrong: 'A repair that came after two minutes left the empty seconds behind it at the old close',
  },
  {
    seed: 30_313,
    wrong: 'None: a Retry-After was counted that came after the question had timed out',
  },
  {
    seed: 30_447,
    wrong:
      'The clock was set back before the exchange was heard of: a @kline stream took itself to begin later than it did',
  },
  {
    seed: 30_109,
    wrong:
      'A start in the first minute of a day knew no close before it: its first, empty seconds were left out',
  },
  {
    seed: 20_105,
    wrong: 'None: the judge asked for trades of minutes that a failing store had not taken',
  },
  {
    seed: 30_717,
    wrong:
      'A login page answered for 10 s: the history of weeks and months was given up, and a month that had ended meanwhile was never there',
  },
  {
    seed: 60_636,
    wrong:
      'A minute whose seconds lacked trades was closed by a kline after a crash: they were never repaired. Among them seconds that the life before had whole',
  },
  {
    seed: 61_014,
    wrong:
      'None: the judge counted the exchange’s own outage before a crash as if candles had been stored in it',
  },
];
