// tf.summary: summary nodes under the names that TensorFlow gives them, listed in the collection that mergeAll reads. Their ops are in
// ops/summary.ts; writing them to files is io/summary-writer.ts.

import { itemsOf } from "../graph/iterating.ts";
import { ValueError } from "../base/errors.ts";
import { decodeText, NDArray } from "../base/ndarray.ts";
import { messageClass, type MessageObject } from "../formats/message-class.ts";
import { messageFromJson, messageToBytes } from "../formats/message-codec.ts";
import type { Message, MessageInit } from "../formats/messages.ts";
import { convertToTensor, type TensorLike } from "../graph/conversion.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import type { Named } from "../graph/op-definition.ts";
import { type Operation, Tensor } from "../graph/operation.ts";
import { inNameScope } from "../ops/named.ts";
import { AudioSummaryV2, HistogramSummary, ImageSummary, MergeSummary, ScalarSummary, TensorSummaryV2 } from "../ops/summary/summary.ts";
import { GraphKeys } from "./variables/graph-keys.ts";
import { refuseOthers } from "../ops/arguments.ts";

interface SummaryOptions {
  /** Collections to be listed in; default the summaries. */
  readonly collections?: readonly string[] | null;
  /** Groups tags in TensorBoard, and goes before the name. */
  readonly family?: string | null;
}

/** Characters that tags may not have become "_". */
const cleanTag = (name: string): string => name.replace(/[^-/\w.]/g, "_").replace(/^\/+/, "");

/** Makes a summary in its scope; `make` gets the tag and the node's name. */
function summary(
  name: string,
  values: readonly unknown[],
  { collections, family }: SummaryOptions,
  make: (tag: string, scope: string) => Tensor,
): Tensor {
  if (name === null || name === undefined) throw new ValueError("At least one of name (None) and default_name (None) must be provided.");
  const clean = cleanTag(name);
  const group = family === null || family === undefined ? null : cleanTag(family);
  return inNameScope({ name: group === null ? clean : `${group}/${clean}` }, "", values, scope => {
    const path = String(scope).replace(/\/+$/, "");
    const node = make(group === null ? path : `${group}/${path}`, String(scope));
    for (const key of collections ?? [GraphKeys.SUMMARIES]) getDefaultGraph().addToCollection(key, node);
    return node;
  });
}

/** A number over time. TF: tf.summary.scalar. */
export const scalar = (name: string, tensor: TensorLike, options: SummaryOptions = {}): Tensor =>
  summary(name, [tensor], options, (tags, scope) => ScalarSummary({ tags, values: tensor }, { name: scope }));

/** How values are distributed over time. @throws InvalidArgumentError while running if one is not finite. TF: tf.summary.histogram. */
export const histogram = (name: string, values: TensorLike, options: SummaryOptions = {}): Tensor =>
  summary(name, [values], options, (tag, scope) => HistogramSummary({ tag, values }, { name: scope }));

/** Pictures `[batch, height, width, channels]` with 1, 3 or 4 channels; floats are scaled to their largest. TF: tf.summary.image. */
export const image = (name: string, tensor: TensorLike, options: SummaryOptions & { readonly maxOutputs?: number } = {}): Tensor =>
  summary(name, [tensor], options, (tag, scope) => ImageSummary({ tag, tensor, maxImages: options.maxOutputs ?? 3 }, { name: scope }));

/** Sounds `[batch, frames]` or `[batch, frames, channels]` of samples from -1 to 1. TF: tf.summary.audio. */
export const audio = (
  name: string,
  tensor: TensorLike,
  sampleRate: TensorLike,
  options: SummaryOptions & { readonly maxOutputs?: number } = {},
): Tensor =>
  summary(name, [tensor], options, (tag, scope) =>
    AudioSummaryV2(
      {
        tag,
        tensor,
        sampleRate: convertToTensor(sampleRate, { dtype: "float32", name: "sample_rate" }),
        maxOutputs: options.maxOutputs ?? 3,
      },
      { name: scope },
    ),
  );

/** A tensor as it is, with what TensorBoard's plugins want to know. TF: tf.summary.tensor_summary. */
export function tensorSummary(
  name: string,
  tensor: TensorLike,
  options: SummaryOptions & {
    readonly summaryDescription?: string | null;
    readonly summaryMetadata?: MessageInit<"SummaryMetadata"> | null;
    readonly displayName?: string | null;
  } = {},
): Tensor {
  const { summaryDescription, displayName } = options;
  const metadata = messageToBytes("SummaryMetadata", {
    ...options.summaryMetadata,
    ...(summaryDescription != null && { summaryDescription }),
    ...(displayName != null && { displayName }),
  });
  return summary(name, [tensor], options, (tag, scope) =>
    TensorSummaryV2({ tag, tensor, serializedSummaryMetadata: new NDArray("string", [], [metadata]) }, { name: scope }),
  );
}

/** Text, of which TensorBoard shows Markdown. @throws ValueError unless it is a string tensor. TF: tf.summary.text. */
export function text(name: string, tensor: TensorLike, { collections }: { readonly collections?: readonly string[] | null } = {}): Tensor {
  const given = convertToTensor(tensor);
  if (given.dtype !== "string")
    throw new ValueError(`Expected tensor ${given.name} to have dtype string, got <dtype: '${given.dtypeName}'>`);
  return tensorSummary(name, given, { summaryMetadata: { pluginData: { pluginName: "text" } }, collections: collections ?? null });
}

interface MergeOptions extends Named {
  readonly collections?: readonly string[] | null;
}

/** Several summaries as one. @throws InvalidArgumentError while running if two have one tag. TF: tf.summary.merge. */
export function merge(inputs: readonly TensorLike[], { collections, name, ...others }: MergeOptions = {}): Tensor {
  refuseOthers(others);
  const clean = name === null || name === undefined ? name : cleanTag(String(name));
  if (typeof inputs === "object" && inputs !== null) itemsOf(inputs, "asks");
  return inNameScope({ name: clean }, "Merge", [inputs], () => {
    const node = MergeSummary({ inputs }, { name: clean });
    for (const key of collections ?? []) getDefaultGraph().addToCollection(key, node);
    return node;
  });
}

/** All summaries of the graph as one, or null without any. TF: tf.summary.merge_all. */
export function mergeAll(
  key: string = GraphKeys.SUMMARIES,
  { scope = null, name, ...others }: Named & { readonly scope?: string | null } = {},
): Tensor | null {
  refuseOthers(others);
  const summaries = getDefaultGraph()
    .getCollection(key, scope)
    .filter(item => item instanceof Tensor);
  return summaries.length === 0 ? null : merge(summaries, { name });
}

/** What kind of values a summary's node has. TF: tf.summary.SummaryDescription. */
export const SummaryDescription = messageClass("SummaryDescription");

/** The description in a TensorSummary node, as graphs of older versions have it. TF: tf.summary.get_summary_description. @throws ValueError for other nodes. */
export function getSummaryDescription(nodeDef: Message<"NodeDef">): MessageObject<"SummaryDescription"> {
  if (nodeDef.op !== "TensorSummary") throw new ValueError(`Can't get_summary_description on ${nodeDef.op}`);
  const text = nodeDef.attr.get("description")?.s;
  const json: unknown = text === undefined ? {} : JSON.parse(decodeText(text));
  return SummaryDescription.of(messageFromJson("SummaryDescription", json));
}

/** Those of TensorFlow 2's summaries, of which there are none in graphs. TF: tf.summary.all_v2_summary_ops. */
export const allV2SummaryOps = (): Operation[] => [];
