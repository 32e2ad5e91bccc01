// How long the audit waits, how often it asks, how much it keeps; and what happens then.
import { type DurationMs, HOUR_MS, MINUTE_MS, SECOND_MS } from '../market/time.ts';

/** The closed kline's frame comes 0 – 2.4 s after the minute; missing for so long, REST is asked. */
export const FRAME_WAIT_MS: DurationMs = 10_000;
/** REST lags and still changes: its answer counts when it gave the same twice, at least so far apart. */
export const SAME_AGAIN_MS: DurationMs = 5_000;
/** It may take so long to have and to settle; then `unverified`, and it goes on being asked, more and more seldom. */
export const KLINE_WAIT_MS_MAX: DurationMs = 2 * MINUTE_MS;
/** An answer is waited for so long before asking again; then twice as long each time, up to the most. For ever: open repairs never end by themselves. */
export const ASK_AGAIN_MS_MIN: DurationMs = 15_000;
export const ASK_AGAIN_MS_MAX: DurationMs = HOUR_MS;
/** A request for trades counts as under way for so long. */
export const ANSWER_WAIT_MS: DurationMs = MINUTE_MS;
/** Between `repaired` and the correction, if there is one. */
export const CORRECTION_WAIT_MS: DurationMs = 10_000;
/** A minute that the exchange has is waited for so long. */
export const OURS_WAIT_MS: DurationMs = 3 * MINUTE_MS;
/** Repairs of one minute that each changed it and never made it equal; then it `differs`. */
export const REPAIRS_MAX = 3;
/** The exchange's digits are asked for so often; then the candle keeps ours, within the bound. */
export const ROUNDING_ASKED_MAX = 5;

/** Minutes without a verdict, of all symbols, about 1 kB each. At the limit the one that waits longest is given up as `unverified`. */
export const OPEN_MINUTES_MAX = 20_000;
/** Repairs under way at once, of all symbols; further ones wait for their turn. */
export const REPAIRS_UNDER_WAY_MAX = 32;
/** How long one waits before it looks for a turn again. */
export const TURN_WAIT_MS: DurationMs = SECOND_MS;
/** Minutes a symbol whose verdict is remembered, so that what comes twice is not audited twice. At the limit the oldest is forgotten; frames of older minutes are passed over. */
export const DECIDED_KEPT = 120;
