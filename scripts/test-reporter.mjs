// What a test run prints: node's own tree on a terminal, a line a file elsewhere; then each skip with its reason,
// and last `N passed, N failed, N skipped`. Shows a file's output only when the file has failed.

import { relative, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { spec as SpecReporter } from 'node:test/reporters';
import { inspect } from 'node:util';
import { root } from './project.mjs';

/** Characters of a file's own output that are kept to be shown if it fails; the rest is dropped, and it says so. */
const OUTPUT_LENGTH_MAX = 50_000;

/** The last line, from node's counts: cancelled tests have failed, todo ones were skipped. */
export function totalsLine({ passed, failed, cancelled, skipped, todo }) {
  return `${passed} passed, ${failed + cancelled} failed, ${skipped + todo} skipped`;
}

/** One line naming a skipped test and why, or undefined for a test that was not skipped. */
export function skipLine({ file, classname, name, skip, todo }) {
  const reason = skip ?? todo;
  if (reason === undefined || reason === false) return undefined;
  const why =
    typeof reason === 'string' && reason !== '' ? reason : todo ? 'todo' : 'no reason given';
  return `skipped: ${titleOf({ file, classname, name })}: ${why.replaceAll('\n', ' ')}`;
}

// biome-ignore lint/style/noDefaultExport: node:test takes a reporter from its module's default export.
export default async function* report(source) {
  const run = { skips: [], failures: [], outputs: new Map(), totals: undefined };
  if (process.stdout.isTTY) yield* Readable.from(recorded(source, run)).compose(new SpecReporter());
  else yield* compact(recorded(source, run), run);
  yield run.skips.map((line) => `${line}\n`).join('');
  yield run.totals === undefined
    ? '0 passed, 1 failed, 0 skipped\n'
    : `${totalsLine(run.totals)}\n`;
}

/** Passes all events on and keeps what the end of the report needs. */
async function* recorded(source, run) {
  for await (const event of source) {
    record(event, run);
    yield event;
  }
}

function record({ type, data }, run) {
  if (type === 'test:pass' || type === 'test:fail') {
    const line = skipLine(data);
    if (line !== undefined) run.skips.push(line);
    // A failed parent only repeats what its subtests have said.
    const isEcho = data.details.error?.failureType === 'subtestsFailed';
    if (type === 'test:fail' && line === undefined && !isEcho) run.failures.push(data);
  } else if (type === 'test:stdout' || type === 'test:stderr') {
    // Named here as on the command line, but by its full path where a test is reported.
    const file = resolve(data.file);
    const before = run.outputs.get(file) ?? '';
    if (before.length < OUTPUT_LENGTH_MAX) run.outputs.set(file, before + data.message);
  } else if (type === 'test:summary' && data.file === undefined) run.totals = data.counts;
}

async function* compact(events, run) {
  for await (const { type, data } of events) {
    if (type !== 'test:summary' || data.file === undefined) continue;
    const mark = data.success ? 'ok  ' : 'FAIL';
    yield `${mark} ${pathOf(data.file)}: ${totalsLine(data.counts)} (${Math.round(data.duration_ms)} ms)\n`;
  }
  for (const failure of run.failures) yield `\nfailed: ${titleOf(failure)}\n${faultOf(failure)}\n`;
  for (const file of new Set(run.failures.map((failure) => failure.file))) {
    const output = run.outputs.get(file);
    if (output === undefined) continue;
    const end = output.length < OUTPUT_LENGTH_MAX ? '' : '\n… (the rest is dropped)\n';
    yield `\noutput of ${pathOf(file)}:\n${output.slice(0, OUTPUT_LENGTH_MAX)}${end}\n`;
  }
}

function titleOf({ file, classname, name }) {
  const path = file === undefined ? '' : pathOf(file);
  // A file that fails as a whole is a test named by its own path.
  if (name === file || name === path) return path;
  return [path, classname, name].filter(Boolean).join(' › ');
}

function faultOf({ file, line, details }) {
  const fault = details.error?.cause ?? details.error;
  const texts = [];
  for (let error = fault; error !== undefined && texts.length < 5; error = error?.cause) {
    texts.push(error instanceof Error ? (error.stack ?? error.message) : inspect(error));
  }
  return `  at ${file === undefined ? '?' : pathOf(file)}:${line}\n  ${texts.join('\ncaused by ').replaceAll('\n', '\n  ')}`;
}

function pathOf(file) {
  return relative(root, file).replaceAll('\\', '/');
}
