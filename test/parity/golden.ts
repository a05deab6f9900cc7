// The golden cases: what they look like, and reading them from a directory of the generator's or from the packed files beside this one.
// Format: conformance.md here. A packed file is brotli over a four-byte length, the family's cases as JSON, and its data.bin.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { type DType, viewTypedArray } from "../../src/base/dtype.ts";
import { NDArray } from "../../src/base/ndarray.ts";
import { bytesFromBase64 } from "../../src/formats/message-codec.ts";

export type Tolerance = readonly [rtol: number, atol: number] | "exact" | "bits";

export interface TensorRecord {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly b64?: string;
  readonly offset?: number;
  readonly bytes?: number;
  readonly strings?: readonly string[];
  readonly cmp?: Tolerance;
}

export interface ExpectedError {
  readonly class: string;
  readonly message: string;
  readonly message_tf1?: string;
  readonly match: "exact" | "prefix" | "suffix" | "first";
  readonly code?: number;
  readonly node?: string;
}

export interface Step {
  readonly feeds: Readonly<Record<string, TensorRecord>>;
  readonly fetches: readonly string[];
  readonly targets?: readonly string[];
  readonly expected?: Readonly<Record<string, TensorRecord>>;
  readonly error?: ExpectedError;
}

/** A value of a program: JSON with objects whose only key begins with "$". */
export type ProgramValue = null | boolean | number | string | readonly ProgramValue[] | { readonly [key: string]: ProgramValue };

export interface Instruction {
  readonly do: "call" | "method" | "invoke" | "operator" | "let" | "enter" | "exit";
  readonly fn?: string;
  readonly on?: ProgramValue;
  readonly args?: readonly ProgramValue[];
  readonly kwargs?: Readonly<Record<string, ProgramValue>>;
  readonly value?: ProgramValue;
  readonly as?: string;
}

export interface GoldenCase {
  readonly id: string;
  readonly family: string;
  readonly kind: "run" | "grad" | "shape" | "run_error" | "program" | "construct_error";
  readonly python_call: string;
  readonly tags?: readonly string[];
  readonly graph?: { readonly node: readonly { readonly op: string }[] };
  readonly graph_b64?: string;
  readonly static_shapes?: Readonly<Record<string, readonly (number | null)[] | null>>;
  readonly imported_shapes?: Readonly<Record<string, readonly (number | null)[] | null>>;
  readonly steps?: readonly Step[];
  readonly grad_of?: {
    readonly ys: readonly string[];
    readonly xs: readonly string[];
    readonly grad_ys: readonly TensorRecord[];
    readonly expected: readonly (TensorRecord | null)[];
    readonly gradient_kind: readonly ("dense" | "slices" | "none")[];
  };
  readonly program?: readonly Instruction[];
  readonly raises_at?: number;
  readonly error?: ExpectedError;
  readonly expected?: {
    readonly ops?: readonly (readonly [name: string, type: string, inputs: readonly string[]])[];
    readonly values: Readonly<Record<string, unknown>>;
    readonly collections?: Readonly<Record<string, readonly string[]>>;
  };
}

export interface Family {
  readonly name: string;
  readonly cases: readonly GoldenCase[];
  readonly blob: Uint8Array;
}

const packedFolder = fileURLToPath(new URL("data", import.meta.url));
const packedEnding = ".br";

/** Names of the families in a directory, or of the packed ones. */
export function familyNames(directory: string | null): string[] {
  if (directory === null)
    return readdirSync(packedFolder)
      .filter(file => file.endsWith(packedEnding))
      .map(file => file.slice(0, -packedEnding.length))
      .sort();
  return readdirSync(directory, { withFileTypes: true })
    .filter(entry => entry.isDirectory() && casesFile(join(directory, entry.name)) !== undefined)
    .map(({ name }) => name)
    .sort();
}

const casesFile = (folder: string): string | undefined =>
  [join(folder, "cases.json"), join(folder, "cases.json.gz")].find(file => existsSync(file));

/** The texts of a family as the generator wrote them. */
export function familyBytes(directory: string, name: string): { cases: Buffer; blob: Buffer } {
  const folder = join(directory, name);
  const file = casesFile(folder);
  if (file === undefined) throw new Error(`There are no cases in ${folder}.`);
  const bytes = readFileSync(file);
  const blob = join(folder, "data.bin");
  return { cases: file.endsWith(".gz") ? gunzipSync(bytes) : bytes, blob: existsSync(blob) ? readFileSync(blob) : Buffer.alloc(0) };
}

export function loadFamily(directory: string | null, name: string): Family {
  if (directory !== null) {
    const { cases, blob } = familyBytes(directory, name);
    return { name, cases: JSON.parse(cases.toString("utf8")), blob };
  }
  const bytes = brotliDecompressSync(readFileSync(join(packedFolder, `${name}${packedEnding}`)));
  const length = bytes.readUInt32LE(0);
  return { name, cases: JSON.parse(bytes.toString("utf8", 4, 4 + length)), blob: bytes.subarray(4 + length) };
}

/** What `pack-golden.ts` writes and `loadFamily` reads, before compression. */
export function packedBytes({ cases, blob }: { cases: Buffer; blob: Buffer }): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(cases.length);
  return Buffer.concat([length, cases, blob]);
}

/** The array a tensor record stands for. */
export function arrayOf(record: TensorRecord, blob: Uint8Array): NDArray {
  const { dtype, shape, strings, b64, offset = 0, bytes = 0 } = record;
  if (strings !== undefined)
    return new NDArray(
      dtype,
      shape,
      strings.map(text => bytesFromBase64(text)),
    );
  const raw = b64 !== undefined ? bytesFromBase64(b64) : blob.slice(offset, offset + bytes);
  return new NDArray(
    dtype,
    shape,
    viewTypedArray(
      dtype,
      new Uint8Array(raw).buffer,
      0,
      shape.reduce((product, d) => product * d, 1),
    ),
  );
}

/** A recorded fact sheet: "public-names", "public-aliases", "golden-op-names", "golden-random". */
export const loadSpec = (name: string): unknown =>
  JSON.parse(brotliDecompressSync(readFileSync(fileURLToPath(new URL(`spec/${name}.json.br`, import.meta.url)))).toString("utf8"));
