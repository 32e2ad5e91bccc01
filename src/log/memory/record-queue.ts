// A topic's records in the order they came, by offset. Adds at the end, forgets at the front, both in constant time; it has no bound of its own.
import type { AnyLogRecord } from '../log.ts';

/** A record and its place in the order of the whole log. */
export interface Entry {
  readonly sequence: number;
  readonly record: AnyLogRecord;
}

/** Records that share one array: whole arrays are forgotten, so no record is ever moved. */
const CHUNK_LENGTH = 1_024;

export class RecordQueue {
  #chunks: Entry[][] = [];
  /** Offset of the first place of the first chunk. */
  #base = 0;
  #first = 0;
  #end = 0;

  /** Offset of the oldest record kept. */
  get first(): number {
    return this.#first;
  }

  /** Offset the next record will get. */
  get end(): number {
    return this.#end;
  }

  get size(): number {
    return this.#end - this.#first;
  }

  push(entry: Entry): void {
    const last = this.#chunks.at(-1);
    if (last === undefined || last.length === CHUNK_LENGTH) this.#chunks.push([entry]);
    else last.push(entry);
    this.#end += 1;
  }

  /** Undefined where `offset` is forgotten or still to come. */
  at(offset: number): Entry | undefined {
    if (offset < this.#first) return undefined;
    const place = offset - this.#base;
    return this.#chunks[Math.floor(place / CHUNK_LENGTH)]?.[place % CHUNK_LENGTH];
  }

  /** Forgets what is before `offset`. */
  forgetBefore(offset: number): void {
    this.#first = Math.min(Math.max(offset, this.#first), this.#end);
    if (this.#first === this.#end) {
      this.#chunks = [];
      this.#base = this.#end;
      return;
    }
    while (this.#first - this.#base >= CHUNK_LENGTH) {
      this.#chunks.shift();
      this.#base += CHUNK_LENGTH;
    }
  }
}
