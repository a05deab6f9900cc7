// Arrays from and to files: .npy, .json and pictures in; .npy, .json and text out.

import { files } from "#platform";
import { type DType, dtypeTable, isDType } from "../base/dtype.ts";
import { DataLossError, InvalidArgumentError, UnimplementedError } from "../base/errors.ts";
import { readFile } from "../base/files.ts";
import { type ArrayLike, decodeText, encodeText, NDArray } from "../base/ndarray.ts";
import { npyFromArray, npyToArray } from "../formats/npy.ts";
import { pixelsFromPng } from "../formats/png-reading.ts";
import type { Tensor } from "../graph/operation.ts";

export interface ReadOptions {
  /** Pixels are divided by this for inputs of floats. */
  readonly scale: number;
}

/** The value that a word stands for, as a tensor takes it. @throws InvalidArgumentError, DataLossError */
export async function readValue(word: string, tensor: Tensor, { scale }: ReadOptions): Promise<NDArray> {
  const { dtype } = tensor;
  if (/\.npy$/i.test(word)) return converted(npyToArray(await readFile(files, word), word), dtype, word);
  if (/\.json$/i.test(word)) return fromJson(decodeText(await readFile(files, word)), dtype, word);
  if (/\.png$/i.test(word)) return fromPng(await readFile(files, word), tensor, scale, word);
  const looksLikeJson = /^\s*[[\d"{-]|^\s*(?:true|false)\s*$/.test(word);
  if (looksLikeJson || !(await files.status(word))) return fromJson(word, dtype, word);
  if (dtype === "string") return textArray(await readFile(files, word));
  throw new InvalidArgumentError(`${word} is no .npy, .json or .png file.`);
}

const textArray = (bytes: Uint8Array): NDArray => new NDArray("string", [], [bytes]);

/** Numbers change their type where no value changes. */
function converted(array: NDArray, dtype: DType, name: string): NDArray {
  if (array.dtype === dtype) return array;
  const result = array.cast(dtype);
  const isWhole = ["int", "uint", "bool"].includes(dtypeTable[dtype].kind);
  for (let i = 0; isWhole && i < array.size; i++)
    if (Number(result.get(i)) !== Number(array.get(i)))
      throw new InvalidArgumentError(`${name}: element ${i} is ${array.get(i)}, which the input's type ${dtype} does not hold.`);
  return result;
}

function fromJson(text: string, dtype: DType, name: string): NDArray {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (dtype === "string" && name === text) return textArray(encodeText(text));
    throw new InvalidArgumentError(`${name} is no file that is there, and no JSON: ${(error as Error).message}`);
  }
  // What `--json` and `--output x=x.json` write is read as well.
  const given =
    typeof value === "object" && value !== null && Object.hasOwn(value, "values")
      ? (value as { values: unknown; dtype?: unknown })
      : { values: value, dtype: undefined };
  const bad = leaves(given.values).find(leaf => !["number", "string", "boolean"].includes(typeof leaf));
  if (bad !== undefined) throw new InvalidArgumentError(`${name}: ${JSON.stringify(bad)} is no number, text or truth value.`);
  const isBig = dtype === "int64" || dtype === "uint64";
  const source = isDType(given.dtype) && given.dtype !== dtype ? given.dtype : undefined;
  const array = NDArray.from(given.values as ArrayLike, isBig || dtype === "string" || source === undefined ? dtype : source);
  return isBig ? array : converted(array, dtype, name);
}

const leaves = (value: unknown): unknown[] => (Array.isArray(value) ? value.flatMap(leaves) : [value]);

/** A picture as an input takes it: channels last, a batch of one where it has a batch, flat where it is flat. */
async function fromPng(bytes: Uint8Array, { shape, dtype, name }: Tensor, scale: number, path: string): Promise<NDArray> {
  if (dtype === "string") return textArray(bytes);
  const { width, height, channels: given, bits, data } = await pixelsFromPng(bytes);
  const dims = shape.dims ?? [null, null, null, null];
  const isFlat = dims.length <= 2;
  const wanted = isFlat ? channelsOfFlat(dims.at(-1) ?? null, width * height) : (dims.at(-1) ?? given);
  const channels = Number(wanted);
  // Grey becomes colour by repetition, and what is seen through is left out; nothing else is made up.
  const at =
    given <= 2 && channels === 3
      ? [0, 0, 0]
      : given >= channels && !(given === 3 && channels === 1) && !(given === 4 && channels < 3)
        ? [...Array(channels).keys()]
        : undefined;
  if (!at || channels < 1)
    throw new InvalidArgumentError(`${path} has ${given} channels, '${name}' of shape ${shape} takes ${channels}: they cannot be matched.`);
  const sizes = isFlat ? [] : dims.slice(-3, -1);
  if (sizes.some((size, i) => size !== null && size !== [height, width][i]))
    throw new InvalidArgumentError(
      `${path} has ${height} rows of ${width} pixels, '${name}' takes the shape ${shape}: scale the picture first.`,
    );
  const isFloat = dtypeTable[dtype].kind === "float";
  const result = NDArray.zeros(
    dtype,
    isFlat ? [...(dims.length === 2 ? [1] : []), width * height * channels] : [...(dims.length === 4 ? [1] : []), height, width, channels],
  );
  const depth = bits === 16 ? 257 : 1;
  for (let pixel = 0; pixel < width * height; pixel++)
    for (const [i, channel] of at.entries()) {
      const value = data[pixel * given + channel] / depth;
      result.set(pixel * channels + i, isFloat ? value / scale : Math.round(value));
    }
  return result;
}

const channelsOfFlat = (length: number | null, pixels: number): number => (length === null ? 1 : length / pixels);

// ---- out ----

/** What JSON has of an array: 64-bit integers as text, strings as text, and numbers that JSON has no word for as text. */
export const plainArray = (array: NDArray): { readonly dtype: DType; readonly shape: readonly number[]; readonly values: unknown } => ({
  dtype: array.dtype,
  shape: array.shape,
  values: plainValues(array.toArray(), array.dtype),
});

function plainValues(value: unknown, dtype: DType): unknown {
  if (Array.isArray(value)) return value.map(item => plainValues(item, dtype));
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "number") return value;
  return Number.isFinite(value) ? (dtype === "float32" ? shortest(value) : value) : String(value);
}

/** The number with the fewest digits that is the same float32. */
function shortest(value: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return rounded;
  }
  return value;
}

/** @throws UnimplementedError for other endings. */
export async function writeValue(path: string, array: NDArray): Promise<void> {
  if (/\.npy$/i.test(path)) await files.write(path, [npyFromArray(array)]);
  else if (/\.json$/i.test(path)) await files.write(path, [encodeText(`${JSON.stringify(plainArray(array))}\n`)]);
  else throw new UnimplementedError(`${path}: results are written to .npy and .json files.`);
}

/** Refuses what could not be written, before anything is computed. @throws UnimplementedError */
export function checkWritable(path: string): void {
  if (!/\.(?:npy|json)$/i.test(path)) throw new UnimplementedError(`${path}: results are written to .npy and .json files.`);
}

/** @throws DataLossError if it is no positive number. */
export function scaleFrom(text: string | undefined): number {
  const scale = text === undefined ? 255 : Number(text);
  if (!(scale > 0)) throw new DataLossError(`--scale is a positive number, not "${text}".`);
  return scale;
}
