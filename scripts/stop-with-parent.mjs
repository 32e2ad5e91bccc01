// Loaded into the program before its own code (see launch.mjs): when the wrapper asks for a stop or dies, the
// program gets one SIGTERM. Refuses to repeat what a signal has said already: a second one may mean "at once".

import { constants } from 'node:os';
import { isMainThread } from 'node:worker_threads';

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** The wrapper hears of a Ctrl-C as the program does: the closed channel may be seen before the signal itself. */
const OWN_SIGNAL_WAIT_MS = 100;

if (isMainThread && process.channel) {
  let isSignalled = false;
  for (const signal of STOP_SIGNALS) {
    process.on(signal, () => {
      isSignalled = true;
      // Nobody else listens, so the program has not got that far, or wants the default: to end.
      if (process.listenerCount(signal) === 1) process.exit(128 + constants.signals[signal]);
    });
  }
  process.once('disconnect', () => {
    setTimeout(() => {
      // Emitted, not sent: on Windows a sent SIGTERM ends a process without asking it.
      if (!isSignalled) process.emit('SIGTERM', 'SIGTERM');
    }, OWN_SIGNAL_WAIT_MS);
  });
  // Listening to the channel must not keep a program alive that has done its work.
  process.channel.unref();
}
