// A text file's lines, plain, gzipped, or the one entry of a zip archive: in lists, as they come off the disk. Refuses lines that are none.
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { createGunzip, createInflateRaw } from 'node:zlib';
import { FileError } from './file-error.ts';

/** Characters of one line: a row of candles has some 200. */
export const LINE_CHARACTERS_MAX = 10_000;

/** @throws FileError where the file cannot be read or unpacked to its end. */
export async function* readLines(path: string): AsyncGenerator<readonly string[], void, undefined> {
  try {
    yield* linesOf(path);
  } catch (cause) {
    if (!(cause instanceof Error) || !('code' in cause)) throw cause;
    throw new FileError(`Expected a whole file in ${path} (${cause.message}): fetch it again`, {
      cause,
    });
  }
}

async function* linesOf(path: string): AsyncGenerator<readonly string[], void, undefined> {
  const decoder = new StringDecoder('utf8');
  let held = '';
  for await (const chunk of await unpacked(path)) {
    const lines = (held + decoder.write(chunk)).split('\n');
    held = lines.pop() ?? '';
    if (held.length > LINE_CHARACTERS_MAX) throw noText(path);
    if (lines.length > 0) yield lines.map(withoutReturn);
  }
  held += decoder.end();
  if (held !== '') yield [withoutReturn(held)];
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

async function unpacked(path: string): Promise<AsyncIterable<Buffer>> {
  if (path.endsWith('.zip')) {
    const { start, end } = await findZipEntry(path);
    return piped(createReadStream(path, { start, end }), createInflateRaw());
  }
  const file = createReadStream(path);
  return path.endsWith('.gz') ? piped(file, createGunzip()) : file;
}

function piped(
  source: NodeJS.ReadableStream,
  target: NodeJS.ReadWriteStream & { destroy(error?: Error): unknown },
): AsyncIterable<Buffer> {
  source.on('error', (error) => target.destroy(error));
  // Bytes: no encoding is set on it.
  return source.pipe(target) as AsyncIterable<Buffer> & NodeJS.ReadWriteStream;
}

/** @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT 4.3.7, 4.3.12, 4.3.16 */
const END_SIGNATURE = 0x06054b50;
const ENTRY_SIGNATURE = 0x02014b50;
const FILE_SIGNATURE = 0x04034b50;
const END_BYTES = 22;
const DEFLATED = 8;

/** Where the deflated bytes of the archive's one file lie. The exchange's archives hold one, and no comment. */
async function findZipEntry(path: string): Promise<{ start: number; end: number }> {
  await using file = await open(path);
  const { size } = await file.stat();
  const read = async (position: number, length: number): Promise<Buffer> => {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
    if (bytesRead < length) throw noArchive(path);
    return buffer;
  };
  if (size < END_BYTES) throw noArchive(path);
  const end = await read(size - END_BYTES, END_BYTES);
  if (end.readUInt32LE(0) !== END_SIGNATURE || end.readUInt16LE(10) !== 1) throw noArchive(path);
  const entry = await read(end.readUInt32LE(16), 46);
  const isDeflated = entry.readUInt16LE(10) === DEFLATED;
  if (entry.readUInt32LE(0) !== ENTRY_SIGNATURE || !isDeflated) throw noArchive(path);
  const at = entry.readUInt32LE(42);
  const header = await read(at, 30);
  if (header.readUInt32LE(0) !== FILE_SIGNATURE) throw noArchive(path);
  const start = at + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  return { start, end: start + entry.readUInt32LE(20) - 1 };
}

function noText(path: string): FileError {
  return new FileError(
    `Expected lines of text in ${path}, found none within ${LINE_CHARACTERS_MAX} characters`,
  );
}

function noArchive(path: string): FileError {
  return new FileError(
    `Expected a zip archive with one deflated file in ${path}: fetch it again, or unpack it and give the .csv`,
  );
}
