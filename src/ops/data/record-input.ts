// RecordInput: batches of the records of files, for ever, in random order. TensorFlow 1's own benchmarks read ImageNet with it.

import { files } from "#platform";
import { InvalidArgumentError, NotFoundError } from "../../base/errors.ts";
import { bytesSource, readFile } from "../../base/files.ts";
import { NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import { readRecords } from "../../formats/records.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp } from "../../graph/op-definition.ts";
import { need } from "../arguments.ts";
import { MersenneTwister64 } from "../random/mersenne-twister.ts";
import { matchingPaths } from "../string/bytes.ts";
import { hash64 } from "../string/hash.ts";

interface Settings {
  readonly pattern: string;
  readonly seed: bigint;
  readonly shiftRatio: number;
  readonly bufferSize: number;
  readonly compression: string;
}

/** Records come into the buffer so many at once, the last of them first. */
const chunk = 16;

async function chunkOf(source: AsyncGenerator<Uint8Array>): Promise<Uint8Array[]> {
  const values: Uint8Array[] = [];
  while (values.length < chunk) {
    const next = await source.next();
    if (next.done) break;
    values.push(next.value);
  }
  return values;
}

const bytesOfNumber = (n: bigint): Uint8Array => new Uint8Array(BigInt64Array.of(n).buffer);

/** Records in the order of TensorFlow's kernel where it reads with one thread and its buffer holds them all. */
class RecordYielder {
  private readonly settings: Settings;
  private readonly random: MersenneTwister64;
  private readonly buffer: Uint8Array[] = [];
  private epoch = 0n;
  private source: AsyncGenerator<Uint8Array> | undefined;
  private values: Uint8Array[] = [];
  private last: Promise<unknown> = Promise.resolve();

  constructor(settings: Settings) {
    this.settings = settings;
    this.random = new MersenneTwister64(settings.seed);
  }

  /** The next records; calls wait for each other. */
  take(count: number): Promise<Uint8Array[]> {
    const next = this.last.then(async () => {
      const taken: Uint8Array[] = [];
      while (taken.length < count) taken.push(await this.one());
      return taken;
    });
    this.last = next.catch(() => undefined);
    return next;
  }

  private async one(): Promise<Uint8Array> {
    for (;;) {
      await this.fill();
      const record = this.buffer.pop();
      if (record !== undefined) return record;
      // What the files hold has been given.
      this.source = undefined;
    }
  }

  private async fill(): Promise<void> {
    this.source ??= this.records();
    while (this.buffer.length < this.settings.bufferSize) {
      if (this.values.length === 0) this.values = await chunkOf(this.source);
      const value = this.values.pop();
      if (value === undefined) return;
      this.put(value);
    }
  }

  /** A record takes the place of another, or comes last. */
  private put(value: Uint8Array): void {
    const { buffer } = this;
    const place = Number(this.random.word() % BigInt(buffer.length + 1));
    buffer.push(value);
    if (place < buffer.length - 1) [buffer[buffer.length - 1], buffer[place]] = [buffer[place], value];
  }

  /** All records once, the files in another order each time. */
  private async *records(): AsyncGenerator<Uint8Array> {
    const { pattern, seed, shiftRatio, compression } = this.settings;
    this.epoch++;
    const names = (await Promise.all(pattern.split(",").map(matchingPaths))).flat();
    if (names.length === 0) throw new NotFoundError(`Found no files at ${pattern}`);
    new MersenneTwister64(hash64(bytesOfNumber(this.epoch), seed)).shuffle(names);
    if (shiftRatio >= 0 && shiftRatio < 1) names.push(...names.splice(0, Math.floor(shiftRatio * names.length)));
    let count = 0;
    for (const name of names)
      for await (const record of readRecords(bytesSource(name, await opened(name)), compression)) {
        count++;
        yield record;
      }
    if (count === 0) throw new InvalidArgumentError(`The files at ${pattern} hold no records.`);
  }
}

async function opened(name: string): Promise<Uint8Array> {
  try {
    return await readFile(files, name);
  } catch {
    throw new InvalidArgumentError(`Can't open ${name}`);
  }
}

/** A batch of the records of the files that match a pattern, or several with commas between them. Files come in another order each time, and records leave
 *  a buffer at random. */
export const RecordInput = defineOp("RecordInput", {
  inputs: {},
  outputs: { records: "string" },
  attrs: {
    filePattern: attr.string(),
    fileRandomSeed: attr.int(301),
    fileShuffleShiftRatio: attr.float(0),
    fileBufferSize: attr.int(10000),
    fileParallelism: attr.int(16),
    batchSize: attr.int(32),
    compressionType: attr.string(""),
  },
  stateful: true,
  shape: () => TensorShape.unknown(),
  host: async (given, { name, object }) => {
    const { fileParallelism: threads, batchSize: count } = given;
    need(threads >= 0, () => `file_parallelism should >= 0, got ${threads}`);
    need(count >= 0, () => `batch_size must be non-negative but got ${count}`);
    need(threads > 0, () => "file_parallelism of 0 reads nothing: give the number of files to be read side by side.");
    const make = (): RecordYielder =>
      new RecordYielder({
        pattern: given.filePattern,
        seed: BigInt(given.fileRandomSeed),
        shiftRatio: given.fileShuffleShiftRatio,
        bufferSize: Math.max(given.fileBufferSize, 1),
        // As in TensorFlow, what is neither is no compression.
        compression: ["GZIP", "ZLIB"].includes(given.compressionType) ? given.compressionType : "",
      });
    const yielder = object({ id: `recordInput:${name}`, make }) as RecordYielder;
    return new NDArray("string", [count], await yielder.take(count));
  },
});
