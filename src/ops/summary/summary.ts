// Summaries for TensorBoard as ops: each gives the bytes of a Summary message. The functions that programs call are in library/summary.ts.

import { DataLossError, InvalidArgumentError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { decodeText } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import { histogramOf } from "../../formats/histogram.ts";
import { messageFromBytes, messageToBytes } from "../../formats/message-codec.ts";
import type { Message, MessageInit } from "../../formats/messages.ts";
import { pngFromPixels } from "../../formats/png.ts";
import { arrayToMessage } from "../../formats/tensor-message.ts";
import { wavFromSamples } from "../../formats/wav.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp } from "../../graph/op-definition.ts";
import * as ir from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import { bytesAt } from "../string/string.ts";

const scalar = new TensorShape([]);
const textAt = (array: NDArray, i = 0): string => decodeText(bytesAt(array, i));
export type SummaryValues = readonly MessageInit<"SummaryValue">[];

/** The message that `make` makes of the inputs. */
function summaryOf(name: string, inputs: readonly Value[], make: (arrays: readonly NDArray[]) => SummaryValues): Value {
  const run = (arrays: readonly NDArray[], [result]: readonly NDArray[]): void =>
    result.set(0, messageToBytes("Summary", { value: make(arrays) }));
  return ir.call({ name, run }, inputs, [{ dtype: "string", shape: [] }])[0];
}

export function scalarTag(tag: NDArray): string {
  if (tag.size !== 1) throw new InvalidArgumentError(`tag must be scalar`);
  return textAt(tag);
}

/** ` (tag 'loss')`, where there is one. */
const tagOf = (tags: NDArray | undefined): string => (tags?.size === 1 ? ` (tag '${textAt(tags)}')` : "");

export const ScalarSummary = defineOp("ScalarSummary", {
  inputs: { tags: "string", values: "T" },
  outputs: { summary: "string" },
  attrs: { T: attr.type(attr.realNumbers) },
  shape: () => scalar,
  gradient: "none",
  lower: ({ tags, values }, { known }) => {
    if (tags.shape.join() !== values.shape.join())
      throw new InvalidArgumentError(`tags and values are not the same shape: [${tags.shape}] != [${values.shape}]${tagOf(known("tags"))}`);
    return summaryOf("ScalarSummary", [tags, values], ([names, numbers]) =>
      Array.from({ length: names.size }, (_, i) => ({ tag: textAt(names, i), simpleValue: Number(numbers.get(i)) })),
    );
  },
});

export const HistogramSummary = defineOp("HistogramSummary", {
  inputs: { tag: "string", values: "T" },
  outputs: { summary: "string" },
  attrs: { T: attr.type(attr.realNumbers, "float32") },
  shape: () => scalar,
  gradient: "none",
  lower: ({ tag, values }, { name }) =>
    summaryOf("HistogramSummary", [tag, values], ([tags, array]) => [{ tag: scalarTag(tags), histo: finiteHistogram(array, name) }]),
});

/** @throws InvalidArgumentError that names `what` for values that are not finite. */
export function finiteHistogram(array: NDArray, what: string): MessageInit<"HistogramProto"> {
  const numbers = Float64Array.from({ length: array.size }, (_, i) => Number(array.get(i)));
  for (const value of numbers)
    if (!Number.isFinite(value))
      throw new InvalidArgumentError(`${Number.isNaN(value) ? "Nan" : "Infinity"} in summary histogram for: ${what}`);
  return histogramOf(numbers);
}

/** Below this the largest value counts as zero. */
const zero = Math.fround(1e-6);

/** Pixels of floats: scaled to 0…255, or to 1…255 around 128 if there are negative ones; pixels that are not finite get `bad`. */
function scaledPixels(values: Float64Array, channels: number, bad: readonly number[]): Uint8Array {
  const isFinitePixel = (from: number): boolean => {
    for (let c = 0; c < channels; c++) if (!Number.isFinite(values[from + c])) return false;
    return true;
  };
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let at = 0; at < values.length; at += channels) {
    if (!isFinitePixel(at)) continue;
    for (let c = 0; c < channels; c++) {
      min = Math.min(min, values[at + c]);
      max = Math.max(max, values[at + c]);
    }
  }
  const isSigned = min < 0;
  const most = isSigned ? Math.max(Math.abs(min), Math.abs(max)) : max;
  const scale = most < zero ? 0 : Math.fround((isSigned ? 127 : 255) / most);
  const offset = isSigned ? 128 : 0;
  const result = new Uint8Array(values.length);
  for (let at = 0; at < values.length; at += channels) {
    const isGood = isFinitePixel(at);
    for (let c = 0; c < channels; c++)
      result[at + c] = isGood ? Math.trunc(Math.fround(Math.fround(values[at + c] * scale) + offset)) : bad[c];
  }
  return result;
}

/** The first images of a batch as pixels. */
function imagesOf(batch: NDArray, most: number, badColor: NDArray): Uint8Array[] {
  const [count, height, width, channels] = batch.shape;
  const size = height * width * channels;
  const bad = Array.from({ length: channels }, (_, c) => Number(badColor.get(c)));
  return Array.from({ length: Math.min(count, most) }, (_, k) => {
    if (batch.dtype === "uint8") return (batch.data as Uint8Array).slice(k * size, (k + 1) * size);
    return scaledPixels(
      Float64Array.from({ length: size }, (_element, i) => Number(batch.get(k * size + i))),
      channels,
      bad,
    );
  });
}

/** `tag/image`, or with a number where there may be several. */
const numberedTag = (tag: string, kind: string, most: number, k: number): string => (most > 1 ? `${tag}/${kind}/${k}` : `${tag}/${kind}`);

export function checkImageShape(shape: readonly number[]): void {
  if (shape.length !== 4 || ![1, 3, 4].includes(shape[3]))
    throw new InvalidArgumentError(`Tensor must be 4-D with last dim 1, 3, or 4, not [${shape}]`);
}

export function checkBadColor({ size }: NDArray, channels: number): void {
  if (size < channels)
    throw new InvalidArgumentError(`expected depth <= bad_color.size, got depth = ${channels}, bad_color.size = ${size}`);
}

/** The first images of a batch as PNG. */
export function imageValues(tag: string, batch: NDArray, most: number, badColor: NDArray): SummaryValues {
  const [, height, width, channels] = batch.shape;
  return imagesOf(batch, most, badColor).map((data, k) => ({
    tag: numberedTag(tag, "image", most, k),
    image: { height, width, colorspace: channels, encodedImageString: pngFromPixels({ width, height, channels, data }) },
  }));
}

/** Opaque red. */
const defaultBadColor = NDArray.from([255, 0, 0, 255], "uint8");

export const ImageSummary = defineOp("ImageSummary", {
  inputs: { tag: "string", tensor: "T" },
  outputs: { summary: "string" },
  attrs: {
    maxImages: attr.int(3, 1),
    T: attr.type(["uint8", "float32", "float16", "float64"], "float32"),
    badColor: attr.tensor(defaultBadColor),
  },
  shape: () => scalar,
  gradient: "none",
  lower: ({ tag, tensor, maxImages, badColor }) => {
    checkImageShape(tensor.shape);
    if (badColor.dtype !== "uint8") throw new InvalidArgumentError(`bad_color must be uint8, got ${badColor.dtype}`);
    checkBadColor(badColor, tensor.shape[3]);
    return summaryOf("ImageSummary", [tag, tensor], ([tags, batch]) => imageValues(scalarTag(tags), batch, maxImages, badColor));
  },
});

function audioSummary(tag: Value, tensor: Value, rate: Value | number, most: number): Value {
  checkAudioShape(tensor.shape);
  return summaryOf("AudioSummary", typeof rate === "number" ? [tag, tensor] : [tag, tensor, rate], ([tags, samples, rates]) =>
    audioValues(scalarTag(tags), samples, typeof rate === "number" ? rate : Number(rates.get(0)), most),
  );
}

export function checkAudioShape({ length }: readonly number[]): void {
  if (length !== 2 && length !== 3) throw new InvalidArgumentError("Input should be 3-D or 2-D");
}

/** The first clips of a batch as WAV. */
export function audioValues(tag: string, samples: NDArray, sampleRate: number, most: number): SummaryValues {
  if (!(sampleRate > 0)) throw new InvalidArgumentError("sample_rate must be > 0");
  const [count, frames, channels = 1] = samples.shape;
  const size = frames * channels;
  return Array.from({ length: Math.min(count, most) }, (_, k) => {
    const clip = (samples.data as Float32Array).subarray(k * size, (k + 1) * size);
    return {
      tag: numberedTag(tag, "audio", most, k),
      audio: {
        sampleRate,
        numChannels: BigInt(channels),
        lengthFrames: BigInt(frames),
        encodedAudioString: wavFromSamples(clip, channels, sampleRate),
        contentType: "audio/wav",
      },
    };
  });
}

export const AudioSummary = defineOp("AudioSummary", {
  inputs: { tag: "string", tensor: "float32" },
  outputs: { summary: "string" },
  attrs: { sampleRate: attr.float(), maxOutputs: attr.int(3, 1) },
  removed: [15, "Use AudioSummaryV2."],
  shape: () => scalar,
  gradient: "none",
  lower: ({ tag, tensor, sampleRate, maxOutputs }) => audioSummary(tag, tensor, sampleRate, maxOutputs),
});

export const AudioSummaryV2 = defineOp("AudioSummaryV2", {
  inputs: { tag: "string", tensor: "float32", sampleRate: "float32" },
  outputs: { summary: "string" },
  attrs: { maxOutputs: attr.int(3, 1) },
  shape: () => scalar,
  gradient: "none",
  lower: ({ tag, tensor, sampleRate, maxOutputs }) => audioSummary(tag, tensor, sampleRate, maxOutputs),
});

/** @throws InvalidArgumentError for bytes that are no summary. */
function summaryIn(bytes: Uint8Array): Message<"Summary"> {
  try {
    return messageFromBytes("Summary", bytes);
  } catch (error) {
    if (error instanceof DataLossError) throw new InvalidArgumentError("Could not parse one of the summary inputs");
    throw error;
  }
}

export const MergeSummary = defineOp("MergeSummary", {
  inputs: { inputs: "N*string" },
  outputs: { summary: "string" },
  attrs: { N: attr.int(undefined, 1) },
  shape: () => scalar,
  gradient: "none",
  lower: ({ inputs }) =>
    summaryOf("MergeSummary", inputs, arrays => {
      const merged: MessageInit<"SummaryValue">[] = [];
      const tags = new Set<string>();
      for (const array of arrays)
        for (let i = 0; i < array.size; i++)
          for (const value of summaryIn(bytesAt(array, i)).value) {
            if (value.tag !== "" && tags.has(value.tag))
              throw new InvalidArgumentError(`Duplicate tag ${value.tag} found in summary inputs`);
            tags.add(value.tag);
            merged.push(value);
          }
      return merged;
    }),
});

/** A summary that holds the tensor itself. Its node names it for TensorBoard. */
export const TensorSummary = defineOp("TensorSummary", {
  inputs: { tensor: "T" },
  outputs: { summary: "string" },
  attrs: { T: attr.type(), description: attr.string(""), labels: attr.strings([]), displayName: attr.string("") },
  shape: () => scalar,
  gradient: "none",
  lower: ({ tensor }, { name }) => summaryOf("TensorSummary", [tensor], ([array]) => [{ nodeName: name, tensor: arrayToMessage(array) }]),
});

export const TensorSummaryV2 = defineOp("TensorSummaryV2", {
  inputs: { tag: "string", tensor: "T", serializedSummaryMetadata: "string" },
  outputs: { summary: "string" },
  attrs: { T: attr.type() },
  shape: () => scalar,
  gradient: "none",
  lower: ({ tag, tensor, serializedSummaryMetadata }) =>
    summaryOf("TensorSummaryV2", [tag, tensor, serializedSummaryMetadata], ([tags, array, metadata]) => [
      { tag: scalarTag(tags), tensor: arrayToMessage(array), metadata: messageFromBytes("SummaryMetadata", bytesAt(metadata, 0)) },
    ]),
});
