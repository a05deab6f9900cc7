// How tf.layers are told of windows: sizes and strides as one number or one for each dimension, padding and data format as words.

import { ValueError } from "../../base/errors.ts";
import { pythonClass, pythonStr } from "../../base/python-text.ts";

/** One number for all spatial dimensions, or one for each. */
export type Sizes = number | readonly number[];
export type DataFormat = "channels_last" | "channels_first";
export type PaddingWord = "valid" | "same" | "causal" | "VALID" | "SAME" | "CAUSAL";

/** @throws ValueError unless it is one integer, or `rank` of them, above zero (or zero with `allowZero`). */
export function sizesOf(value: Sizes, rank: number, name: string, allowZero = false): number[] {
  const isList = Array.isArray(value);
  const shown = isList ? `(${value.join(", ")}${value.length === 1 ? "," : ""})` : pythonStr(value);
  const rule = `The \`${name}\` argument must be a tuple of ${rank} integers. Received: ${shown}`;
  const isOne = typeof value === "boolean" || Number.isInteger(value);
  if (isList ? value.length !== rank : !isOne) throw new ValueError(rule);
  // Python's int() cuts fractions off.
  const list = (isList ? value : Array<number>(rank).fill(Number(value))).map((item: unknown) => {
    const size = typeof item === "number" || typeof item === "boolean" ? Math.trunc(Number(item)) : Number.NaN;
    if (Number.isNaN(size)) throw new ValueError(`${rule}including element ${pythonStr(item)} of type ${pythonClass(item)}`);
    return size;
  });
  const wrong = [...new Set(list.filter(item => (allowZero ? item < 0 : item <= 0)))];
  if (wrong.length > 0)
    throw new ValueError(
      `The \`${name}\` argument must be a tuple of ${rank} integers. Received: ${shown} including {${wrong.join(", ")}} that does not satisfy the requirement \`${allowZero ? ">= 0" : "> 0"}\`.`,
    );
  return list;
}

/** @throws ValueError for other words; "causal" is for sequences. */
export function paddingOf(padding: string, allowsCausal: true): "SAME" | "VALID" | "CAUSAL";
export function paddingOf(padding: string, allowsCausal: false): "SAME" | "VALID";
export function paddingOf(padding: string, allowsCausal: boolean): "SAME" | "VALID" | "CAUSAL";
export function paddingOf(padding: string, allowsCausal: boolean): "SAME" | "VALID" | "CAUSAL" {
  const upper = padding.toUpperCase();
  if (upper === "CAUSAL") {
    if (allowsCausal) return upper;
    throw new ValueError("Causal padding is only supported for `Conv1D`and `SeparableConv1D`.");
  }
  if (upper !== "SAME" && upper !== "VALID")
    throw new ValueError(
      `The \`padding\` argument must be a list/tuple or one of "valid", "same" (or "causal", only for \`Conv1D). Received: ${padding.toLowerCase()}`,
    );
  return upper;
}

/** Do channels come first? @throws ValueError for other words. */
export function formatOf(dataFormat: string): boolean {
  if (dataFormat === "channels_last") return false;
  if (dataFormat === "channels_first") return true;
  throw new ValueError(`The \`data_format\` argument must be one of "channels_first", "channels_last". Received: ${dataFormat}`);
}
