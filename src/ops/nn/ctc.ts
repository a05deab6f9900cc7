// Connectionist temporal classification: its loss, greedy decoding, and the edit distance that judges decoded sequences.
// Graves, Supervised Sequence Labelling with Recurrent Neural Networks (2012), chapter 7; sums over paths are kept as logarithms, in double precision.

import type { DType } from "../../base/dtype.ts";
import { FailedPreconditionError, InternalError, InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { decodeText, NDArray } from "../../base/ndarray.ts";
import { pythonStr, pythonType } from "../../base/python-text.ts";
import { mergedDimension, sizeOf, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Gradients } from "../../graph/op-definition.ts";
import { Tensor } from "../../graph/operation.ts";
import { SparseTensor } from "../../graph/sparse-tensor.ts";
import * as ir from "../../ir/build.ts";
import { collect, eitherName, need } from "../arguments.ts";
import { expandDims, numbersOf, onesLike, PreventGradient, reshape, shape } from "../array/array.ts";
import { scatterNd } from "../array/gather.ts";
import { pad } from "../array/padding.ts";
import { unique } from "../array/partition.ts";
import { range, sequenceMask } from "../array/ranges.ts";
import { transpose } from "../array/rearranging.ts";
import { booleanMask } from "../array/selection.ts";
import { concat, getItem } from "../array/slicing.ts";
import { mapFn } from "../flow/functional.ts";
import { cast } from "../math/cast.ts";
import { logicalAnd, notEqual } from "../math/comparison.ts";
import { multiply } from "../math/math.ts";
import { reduceMax, reduceSum } from "../math/reduction.ts";
import { inNameScope, type NameOption } from "../named.ts";
import * as operator from "../operators.ts";
import { sortedAdvice } from "../sparse/parts.ts";

const types = ["float32", "float64"] as const satisfies readonly DType[];

// ---- loss ----

const logOfSum = (a: number, b: number): number => {
  const most = Math.max(a, b);
  return most === -Infinity ? most : most + Math.log1p(Math.exp(Math.min(a, b) - most));
};

interface Rules {
  readonly preprocessCollapseRepeated: boolean;
  readonly ctcMergeRepeated: boolean;
  readonly ignoreLongerOutputsThanInputs: boolean;
}

/** Labels of each sequence. Classes from the blank on end a sequence, as padding does. @throws InvalidArgumentError for labels that do not fit. */
function* labelsOf(indices: NDArray, values: NDArray, batch: number, blank: number, collapse: boolean): Generator<[number, number[]]> {
  const all: number[][] = Array.from({ length: batch }, () => []);
  const places = Array.from({ length: values.size }, (_, n) => [0, 1].map(axis => Number(indices.get(2 * n + axis))));
  places.forEach(([b], n) => void all[b].push(Number(values.get(n))));
  for (const [b, given] of all.entries()) {
    if (given.length === 0) throw new InvalidArgumentError(`Labels length is zero in batch ${b}`);
    const kept = collapse ? given.filter((label, i) => label !== given[i - 1]) : given;
    const end = kept.findIndex(label => label >= blank);
    const labels = end < 0 ? kept : kept.slice(0, end);
    if (end >= 0 && kept.slice(end).some(label => label < blank))
      throw new InvalidArgumentError(
        `Saw a non-null label (index >= num_classes - 1) following a null label, batch: ${b} num_classes: ${blank + 1} labels: ${given} labels seen so far: ${labels}`,
      );
    if (labels.some(label => label < 0))
      throw new InvalidArgumentError(`All labels must be nonnegative integers, batch: ${b} labels: ${given}`);
    yield [b, labels];
  }
}

/** Log probabilities of all paths that have come to (forward) or start from (backward) each place `u` of a sequence at each time. */
interface Paths {
  readonly forward: Float64Array[];
  readonly backward: Float64Array[];
}

/** `states`: the labels with blanks before, between and after. `logs[t][c]`: log probability of class c at time t. */
function pathsOf(states: readonly number[], logs: readonly Float64Array[], blank: number, merge: boolean): Paths {
  const [times, count] = [logs.length, states.length];
  const table = (): Float64Array[] => logs.map(() => new Float64Array(count).fill(-Infinity));
  const [forward, backward] = [table(), table()];
  const stays = (u: number): boolean => merge || states[u] === blank;
  const skips = (from: number, to: number): boolean => states[to] !== blank && !(merge && states[from] === states[to]);
  for (let u = 0; u < Math.min(2, count); u++) {
    forward[0][u] = logs[0][states[u]];
    backward[times - 1][count - 1 - u] = 0;
  }
  for (let t = 1; t < times; t++) {
    const before = forward[t - 1];
    for (let u = 0; u < count; u++) {
      let sum = stays(u) ? before[u] : -Infinity;
      if (u > 0) sum = logOfSum(sum, before[u - 1]);
      if (u > 1 && skips(u - 2, u)) sum = logOfSum(sum, before[u - 2]);
      forward[t][u] = sum + logs[t][states[u]];
    }
  }
  for (let t = times - 2; t >= 0; t--) {
    const after = (u: number): number => backward[t + 1][u] + logs[t + 1][states[u]];
    for (let u = 0; u < count; u++) {
      let sum = stays(u) ? after(u) : -Infinity;
      if (u + 1 < count) sum = logOfSum(sum, after(u + 1));
      if (u + 2 < count && skips(u, u + 2)) sum = logOfSum(sum, after(u + 2));
      backward[t][u] = sum;
    }
  }
  return { forward, backward };
}

/** Log softmax of the classes at one time of one sequence. */
function logProbabilities(inputs: NDArray, from: number, classes: number): Float64Array {
  const row = Float64Array.from({ length: classes }, (_, c) => Number(inputs.get(from + c)));
  const most = row.reduce((a, b) => Math.max(a, b), -Infinity);
  const total = Math.log(row.reduce((sum, x) => sum + Math.exp(x - most), 0)) + most;
  return row.map(x => x - total);
}

function lossOf(
  inputs: NDArray,
  b: number,
  labels: readonly number[],
  times: number,
  merge: boolean,
  loss: NDArray,
  gradient: NDArray,
): void {
  const [, batch, classes] = inputs.shape;
  const blank = classes - 1;
  const states = [blank, ...labels.flatMap(label => [label, blank])];
  const logs = Array.from({ length: times }, (_, t) => logProbabilities(inputs, (t * batch + b) * classes, classes));
  const { forward, backward } = pathsOf(states, logs, blank, merge);
  const total = forward[0].reduce((sum, x, u) => logOfSum(sum, x + backward[0][u]), -Infinity);
  loss.set(b, -total);
  for (let t = 0; t < times; t++) {
    const sums = new Float64Array(classes).fill(-Infinity);
    states.forEach((c, u) => {
      sums[c] = logOfSum(sums[c], forward[t][u] + backward[t][u]);
    });
    for (let c = 0; c < classes; c++) {
      const share = total === -Infinity ? 0 : Math.exp(sums[c] - total);
      gradient.set((t * batch + b) * classes + c, Math.exp(logs[t][c]) - share);
    }
  }
}

/** Minus the log probability of the labels, summed over all ways to stretch them over time, and its gradient. The last class is the blank. */
export const CTCLoss = defineOp("CTCLoss", {
  inputs: { inputs: "T", labelsIndices: "int64", labelsValues: "int32", sequenceLength: "int32" },
  outputs: { loss: "T", gradient: "T" },
  attrs: {
    preprocessCollapseRepeated: attr.bool(false),
    ctcMergeRepeated: attr.bool(true),
    ignoreLongerOutputsThanInputs: attr.bool(false),
    T: attr.type(types, "float32"),
  },
  shape: ({ inputs, labelsIndices, labelsValues, sequenceLength }) => {
    const known = inputs.withRank(3);
    labelsIndices.withRank(2);
    labelsValues.withRank(1);
    const lengths = sequenceLength.withRank(1);
    if (labelsIndices.dims !== null) new TensorShape([labelsIndices.dim(0)]).checkPrefix(labelsValues);
    new TensorShape([known.dim(1)]).checkPrefix(lengths);
    const batch = lengths.dim(0) ?? known.dim(1);
    return [new TensorShape([batch]), new TensorShape([known.dim(0), batch, known.dim(2)])];
  },
  checks: ({ inputs, labelsIndices, labelsValues, sequenceLength }) => {
    need(inputs.length === 3, () => "inputs is not a 3-Tensor");
    need(sequenceLength.length === 1, () => "sequence_length is not a vector");
    need(labelsIndices.length === 2, () => "labels_indices is not a matrix");
    need(labelsIndices[1] > 1, () => `labels_indices second dimension must be >= 1. Received ${labelsIndices[1]}`);
    need(labelsValues.length === 1, () => "labels_values is not a vector");
    const [times, batch] = inputs;
    need(times !== 0, () => "Max time or first dimension of input cannot be 0.");
    need(
      sequenceLength[0] === batch,
      () => `len(sequence_length) != batch_size.  len(sequence_length):  ${sequenceLength[0]} batch_size: ${batch}`,
    );
    need(
      labelsIndices[0] === labelsValues[0],
      () =>
        `labels_indices and labels_values must contain the same number of rows, but saw shapes: [${labelsIndices}] vs. [${labelsValues}]`,
    );
    need(labelsIndices[1] === 2, () => "Order length must be SparseTensor rank.");
    need(batch !== 0, () => "batch_size must not be 0");
  },
  gradient: ({ gradient }, d): Gradients => {
    const message =
      "Currently there is no way to take the second  derivative of ctc_loss due to the fused implementation's interaction  with tf.gradients()";
    return { inputs: multiply(expandDims(d.loss, -1), PreventGradient({ input: gradient, message })) };
  },
  lower: ({ inputs, labelsIndices, labelsValues, sequenceLength, T, ...rules }) => {
    const [times, batch, classes] = inputs.shape;
    const run = (given: readonly NDArray[], results: readonly NDArray[]): void => losses(given, results, times, rules);
    const outputs = [
      { dtype: T, shape: [batch] },
      { dtype: T, shape: [times, batch, classes] },
    ];
    return ir.call({ name: "CTCLoss", run }, [inputs, labelsIndices, labelsValues, sequenceLength], outputs);
  },
});

/** Labels lie within the batch and in order, each place once. */
function checkOrdered(indices: NDArray, batch: number): void {
  const places = Array.from({ length: indices.shape[0] }, (_, n) => [Number(indices.get(2 * n)), Number(indices.get(2 * n + 1))] as const);
  const longest = places.reduce((most, [, k]) => Math.max(most, k + 1), 0);
  places.forEach(([b, k], n) => {
    const which = `label SparseTensor is not valid: indices[${n}] = [${b},${k}]`;
    need(b >= 0 && b < batch && k >= 0, () => `${which} is out of bounds: need 0 <= index < [${batch},${longest}]`);
    if (n === 0) return;
    const order = b - places[n - 1][0] || k - places[n - 1][1];
    need(order !== 0, () => `${which} is repeated`);
    need(order > 0, () => `${which} is out of order. ${sortedAdvice}`);
  });
}

function losses(
  [inputs, indices, values, lengths]: readonly NDArray[],
  [loss, gradient]: readonly NDArray[],
  most: number,
  rules: Rules,
): void {
  const [, batch, classes] = inputs.shape;
  checkOrdered(indices, batch);
  for (const [b, labels] of labelsOf(indices, values, batch, classes - 1, rules.preprocessCollapseRepeated)) {
    const times = Number(lengths.get(b));
    need(times >= 0, () => `seq_len(${b}) < 0`);
    need(times <= most, () => `sequence_length(${b}) <= ${most}`);
    if (labels.length > times && !rules.ignoreLongerOutputsThanInputs)
      throw new InvalidArgumentError(
        `Not enough time for target transition sequence (required: ${labels.length}, available: ${times})${b}You can turn this error into a warning by using the flag ignore_longer_outputs_than_inputs`,
      );
    if (times > 0 && labels.length <= times) lossOf(inputs, b, labels, times, rules.ctcMergeRepeated, loss, gradient);
  }
}

interface LossOptions extends Partial<Rules> {
  readonly inputs?: TensorLike;
  readonly sequenceLength?: TensorLike;
  readonly timeMajor?: boolean;
  readonly logits?: TensorLike;
}

/** The loss `[batch]` of label sequences (a sparse int32 tensor) under `inputs` `[time, batch, classes]`, unnormalized log probabilities; with
 *  timeMajor false `[batch, time, classes]`. The last class is the blank. TF: tf.nn.ctc_loss(labels, inputs, sequence_length,
 *  preprocess_collapse_repeated, ctc_merge_repeated, ignore_longer_outputs_than_inputs, time_major, logits). */
export function ctcLoss(labels: SparseTensor, ...rest: unknown[]): Tensor {
  const names = [
    "inputs",
    "sequenceLength",
    "preprocessCollapseRepeated",
    "ctcMergeRepeated",
    "ignoreLongerOutputsThanInputs",
    "timeMajor",
    "logits",
  ];
  const { inputs, logits, sequenceLength, timeMajor = true, ...rules } = collect<LossOptions>(names, rest);
  if (!(labels instanceof SparseTensor))
    throw new TypeError(
      `Expected argument \`labels\` to be a SparseTensor. Received labels=${(labels as unknown) instanceof Tensor ? labels : pythonStr(labels)} of type: ${pythonType(labels)}`,
    );
  const given = convertToTensor(eitherName("logits", logits, "inputs", inputs) as TensorLike, { name: "logits" });
  const byTime = timeMajor ? given : transpose(given, [1, 0, 2]);
  const length = sequenceLength as TensorLike;
  return CTCLoss({ inputs: byTime, labelsIndices: labels.indices, labelsValues: labels.values, sequenceLength: length, ...rules }).loss;
}

// ---- greedy decoding ----

/** The likeliest class at each time, without repeats (if merged) and blanks. */
export const CTCGreedyDecoder = defineOp("CTCGreedyDecoder", {
  inputs: { inputs: "T", sequenceLength: "int32" },
  outputs: { decodedIndices: "int64", decodedValues: "int64", decodedShape: "int64", logProbability: "T" },
  attrs: { mergeRepeated: attr.bool(false), blankIndex: attr.int(-1), T: attr.type(types, "float32") },
  checks: ({ inputs, sequenceLength }) => {
    need(inputs.length === 3, () => "inputs is not a 3-Tensor");
    need(!inputs.includes(0), () => "inputs must not be empty");
    need(sequenceLength.length === 1, () => "sequence_length is not a vector");
    need(
      inputs[1] === sequenceLength[0],
      () => `len(sequence_length) != batch_size.  len(sequence_length):  ${sequenceLength[0]} batch_size: ${inputs[1]}`,
      FailedPreconditionError,
    );
  },
  gradient: "none",
  shape: ({ inputs, sequenceLength }) => {
    const batch = mergedDimension(inputs.withRank(3).dim(1), sequenceLength.withRank(1).dim(0));
    return [new TensorShape([null, 2]), new TensorShape([null]), new TensorShape([2]), new TensorShape([batch, 1])];
  },
  compileTimeInputs: ["inputs", "sequenceLength"],
  lower: ({ inputs, sequenceLength, mergeRepeated, blankIndex, T }) => {
    const [most, batch, classes] = inputs.shape;
    numbersOf(sequenceLength).forEach(
      (length, b) => void need(length <= most, () => `sequence_length(${b}) <= ${most}`, FailedPreconditionError),
    );
    const blank = blankIndex < 0 ? classes + blankIndex : blankIndex;
    const decoded = numbersOf(sequenceLength).map((times, b) => greedyPath(inputs, b, times, blank, mergeRepeated));
    const indices = decoded.flatMap(({ labels }, b) => labels.flatMap((_, k) => [b, k]));
    const values = decoded.flatMap(({ labels }) => labels);
    const longest = Math.max(0, ...decoded.map(({ labels }) => labels.length));
    return [
      NDArray.from(indices, "int64", [values.length, 2]),
      NDArray.from(values, "int64", [values.length]),
      NDArray.from([batch, longest], "int64"),
      NDArray.from(
        decoded.map(({ score }) => score),
        T,
        [batch, 1],
      ),
    ].map(ir.constant);
  },
});

function greedyPath(inputs: NDArray, b: number, times: number, blank: number, merge: boolean): { labels: number[]; score: number } {
  const [most, batch, classes] = inputs.shape;
  if (times > most) throw new InvalidArgumentError(`sequence_length(${b}) <= ${most}`);
  const labels: number[] = [];
  let score = 0;
  for (let t = 0, before = -1; t < times; t++) {
    const row = Array.from({ length: classes }, (_, c) => Number(inputs.get((t * batch + b) * classes + c)));
    const best = row.indexOf(row.reduce((x, y) => Math.max(x, y)));
    score -= row[best];
    if (best !== blank && !(merge && best === before)) labels.push(best);
    before = best;
  }
  return { labels, score };
}

interface DecoderOptions {
  readonly mergeRepeated?: boolean;
  readonly blankIndex?: number;
  readonly beamWidth?: number;
  readonly topPaths?: number;
}

/** Decodes `inputs` `[time, batch, classes]` by the likeliest class at each time: the labels (a list of one sparse tensor) and minus the sums of
 *  their inputs `[batch, 1]`. TF: tf.nn.ctc_greedy_decoder(inputs, sequence_length, merge_repeated, blank_index). */
export function ctcGreedyDecoder(inputs: TensorLike, sequenceLength: TensorLike, ...rest: unknown[]): [SparseTensor[], Tensor] {
  const { mergeRepeated = true, blankIndex = -1 } = collect<DecoderOptions>(["mergeRepeated", "blankIndex"], rest);
  const made = CTCGreedyDecoder({ inputs, sequenceLength, mergeRepeated, blankIndex });
  return [[new SparseTensor(made.decodedIndices, made.decodedValues, made.decodedShape)], made.logProbability];
}

// ---- beam search ----

/** The likeliest label sequences, summed over all ways to write each: the `topPaths` best of a beam. */
export const CTCBeamSearchDecoder = defineOp("CTCBeamSearchDecoder", {
  inputs: { inputs: "T", sequenceLength: "int32" },
  outputs: { decodedIndices: "topPaths*int64", decodedValues: "topPaths*int64", decodedShape: "topPaths*int64", logProbability: "T" },
  attrs: {
    beamWidth: attr.int(undefined, 1),
    topPaths: attr.int(undefined, 1),
    mergeRepeated: attr.bool(true),
    T: attr.type(types, "float32"),
  },
  gradient: "none",
  shape: ({ inputs, sequenceLength, topPaths }) => {
    const batch = mergedDimension(inputs.withRank(3).dim(1), sequenceLength.withRank(1).dim(0));
    const each = (shape: TensorShape): TensorShape[] => Array.from({ length: topPaths }, () => shape);
    const [indices, values, dims] = [new TensorShape([null, 2]), new TensorShape([null]), new TensorShape([2])];
    return [...each(indices), ...each(values), ...each(dims), new TensorShape([batch, topPaths])];
  },
  compileTimeInputs: ["inputs", "sequenceLength"],
  lower: ({ inputs, sequenceLength, beamWidth, topPaths, mergeRepeated, T }) => {
    const lengths = checkedLengths(inputs, sequenceLength);
    const round = T === "float32" ? Math.fround : (x: number): number => x;
    const found = lengths.map((times, b) => beamPaths(inputs, b, times, { beamWidth, topPaths, mergeRepeated, round }));
    const paths = Array.from({ length: topPaths }, (_, p) => found.map(best => best[p].labels));
    const values = paths.map(all => all.flat());
    return [
      ...paths.map((all, p) =>
        NDArray.from(
          all.flatMap((labels, b) => labels.flatMap((_, k) => [b, k])),
          "int64",
          [values[p].length, 2],
        ),
      ),
      ...values.map(labels => NDArray.from(labels, "int64", [labels.length])),
      ...paths.map(all => NDArray.from([all.length, Math.max(0, ...all.map(labels => labels.length))], "int64")),
      NDArray.from(
        found.flatMap(best => best.map(({ score }) => score)),
        T,
        [found.length, topPaths],
      ),
    ].map(ir.constant);
  },
});

/** @throws InvalidArgumentError, FailedPreconditionError with the decoder's text. */
function checkedLengths(inputs: NDArray, sequenceLength: NDArray): readonly number[] {
  if (inputs.rank !== 3) throw new InvalidArgumentError("inputs is not a 3-Tensor");
  if (inputs.size === 0) throw new InvalidArgumentError("inputs must not be empty");
  if (sequenceLength.rank !== 1) throw new InvalidArgumentError("sequence_length is not a vector");
  const [most, batch] = inputs.shape;
  if (sequenceLength.size !== batch)
    throw new FailedPreconditionError(
      `len(sequence_length) != batch_size.  len(sequence_length):  ${sequenceLength.size} batch_size: ${batch}`,
    );
  const lengths = numbersOf(sequenceLength);
  lengths.forEach((times, b) => {
    if (times > most) throw new FailedPreconditionError(`sequence_length(${b}) <= ${most}`);
  });
  return lengths;
}

interface Chances {
  total: number;
  blank: number;
  label: number;
}
const none = (): Chances => ({ total: -Infinity, blank: -Infinity, label: -Infinity });

/** A label sequence: the last label after another sequence. */
interface Beam {
  readonly parent: Beam | null;
  readonly label: number;
  readonly children: Map<number, Beam>;
  before: Chances;
  now: Chances;
}
const beamAfter = (parent: Beam | null, label: number): Beam => ({ parent, label, children: new Map(), before: none(), now: none() });
const isActive = ({ now }: Beam): boolean => now.total !== -Infinity;

interface BeamRules {
  readonly beamWidth: number;
  readonly topPaths: number;
  readonly mergeRepeated: boolean;
  /** To the precision of the inputs. */
  readonly round: (x: number) => number;
}

/** Prefix search with a beam (Graves 2012, 7.5.2), in logarithms. */
function beamPaths(
  inputs: NDArray,
  b: number,
  times: number,
  { beamWidth, topPaths, mergeRepeated, round }: BeamRules,
): readonly { labels: number[]; score: number }[] {
  const [, batch, classes] = inputs.shape;
  const blank = classes - 1;
  const plus = (x: number, y: number): number => {
    if (x === -Infinity && y === -Infinity) return x;
    // TensorFlow takes exp and log1p in single precision whatever the inputs' type.
    const more = (difference: number): number => Math.fround(Math.log1p(Math.fround(Math.exp(Math.fround(difference)))));
    return x > y ? round(x + more(y - x)) : round(y + more(x - y));
  };
  const root = beamAfter(null, -1);
  Object.assign(root.now, { total: 0, blank: 0 });
  let leaves: Beam[] = [root];
  const bottom = (): Beam => leaves.reduce((least, leaf) => (leaf.now.total < least.now.total ? leaf : least));
  const isCandidate = ({ total }: Chances): boolean => total > -Infinity && (leaves.length < beamWidth || total > bottom().now.total);
  const descending = (all: readonly Beam[]): Beam[] => [...all].sort((x, y) => y.now.total - x.now.total);
  for (let t = 0; t < times; t++) {
    const row = Array.from({ length: classes }, (_, c) => Number(inputs.get((t * batch + b) * classes + c)));
    const largest = Math.max(...row);
    const norm = round(largest + round(Math.log(row.reduce((sum, x) => round(sum + round(Math.exp(round(x - largest)))), 0))));
    const chance = row.map(x => round(x - norm));
    const branches = descending(leaves);
    for (const branch of branches) branch.before = { ...branch.now };
    for (const { parent, label, before, now } of branches) {
      if (parent !== null) {
        if (isActive(parent)) now.label = plus(now.label, label === parent.label ? parent.before.blank : parent.before.total);
        now.label = round(now.label + chance[label]);
      }
      now.blank = round(before.total + chance[blank]);
      now.total = plus(now.blank, now.label);
    }
    leaves = [...branches];
    for (const branch of branches) {
      if (!isCandidate(branch.before)) continue;
      for (let label = 0; label < blank; label++) {
        const child = branch.children.get(label) ?? beamAfter(branch, label);
        branch.children.set(label, child);
        if (isActive(child)) continue;
        const start = label === branch.label ? branch.before.blank : branch.before.total;
        child.now = { blank: -Infinity, label: round(chance[label] + start), total: round(chance[label] + start) };
        if (!isCandidate(child.now)) {
          child.before = none();
          child.now = none();
          continue;
        }
        if (leaves.length === beamWidth) {
          const last = bottom();
          last.now = none();
          leaves.splice(leaves.indexOf(last), 1);
        }
        leaves.push(child);
      }
    }
  }
  if (topPaths > beamWidth) throw new InvalidArgumentError("requested more paths than the beam width.");
  if (topPaths > leaves.length) throw new InvalidArgumentError("Less leaves in the beam search than requested.");
  return descending(leaves)
    .slice(0, topPaths)
    .map(leaf => ({ labels: pathOf(leaf, mergeRepeated), score: leaf.now.total }));
}

function pathOf(leaf: Beam, mergeRepeated: boolean): number[] {
  const labels: number[] = [];
  let later = -1;
  for (let beam = leaf; beam.parent !== null; beam = beam.parent) {
    if (!mergeRepeated || beam.label !== later) labels.unshift(beam.label);
    later = beam.label;
  }
  return labels;
}

function searched(inputs: TensorLike, sequenceLength: TensorLike, rules: DecoderOptions): [SparseTensor[], Tensor] {
  const { decodedIndices, decodedValues, decodedShape, logProbability } = CTCBeamSearchDecoder({ inputs, sequenceLength, ...rules });
  return [decodedIndices.map((indices, p) => new SparseTensor(indices, decodedValues[p], decodedShape[p])), logProbability];
}

/** Decodes `inputs` `[time, batch, classes]` (the last class is the blank) by a beam search: the `topPaths` likeliest label sequences, each a sparse tensor, and their log
 *  probabilities `[batch, topPaths]`. TF: tf.nn.ctc_beam_search_decoder(inputs, sequence_length, beam_width, top_paths, merge_repeated). */
export function ctcBeamSearchDecoder(inputs: TensorLike, sequenceLength: TensorLike, ...rest: unknown[]): [SparseTensor[], Tensor] {
  const { beamWidth = 100, topPaths = 1, mergeRepeated = true } = collect<DecoderOptions>(["beamWidth", "topPaths", "mergeRepeated"], rest);
  return searched(inputs, sequenceLength, { beamWidth, topPaths, mergeRepeated });
}

/** The same with repeated labels kept. TF: tf.nn.ctc_beam_search_decoder_v2(inputs, sequence_length, beam_width, top_paths). */
export function ctcBeamSearchDecoderV2(inputs: TensorLike, sequenceLength: TensorLike, ...rest: unknown[]): [SparseTensor[], Tensor] {
  const { beamWidth = 100, topPaths = 1 } = collect<DecoderOptions>(["beamWidth", "topPaths"], rest);
  return searched(inputs, sequenceLength, { beamWidth, topPaths, mergeRepeated: false });
}

// ---- edit distance ----

type Item = number | bigint | boolean | string;

/** Least number of insertions, deletions and replacements. Levenshtein 1965. */
function distance(from: readonly Item[], to: readonly Item[]): number {
  let row = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (const [i, item] of from.entries()) {
    const next = [i + 1];
    for (const [j, other] of to.entries()) next.push(Math.min(next[j] + 1, row[j + 1] + 1, row[j] + (item === other ? 0 : 1)));
    row = next;
  }
  return row[to.length];
}

/** Sequences of a sparse tensor, by their place among the outer dimensions. */
function sequencesOf(indices: NDArray, values: NDArray, outer: readonly number[]): Map<number, Item[]> {
  const found = new Map<number, Item[]>();
  const [rank, count] = [outer.length + 1, sizeOf(outer)];
  for (let n = 0; n < values.size; n++) {
    const place = outer.reduce((sum, size, axis) => sum * size + Number(indices.get(n * rank + axis)), 0);
    need(
      place >= 0 && place < count,
      () =>
        `Got an inner product ${place} which would require writing to outside of the buffer for the output tensor (max elements ${count})`,
      InternalError,
    );
    const value = values.get(n);
    const item = value instanceof Uint8Array ? decodeText(value) : typeof value === "object" ? `${value.re} ${value.im}` : value;
    found.set(place, [...(found.get(place) ?? []), item]);
  }
  return found;
}

/** The larger of two shapes' outer dimensions. */
const outerShape = (a: readonly number[], b: readonly number[]): number[] => a.slice(0, -1).map((size, axis) => Math.max(size, b[axis]));

/** How many edits make each hypothesis its truth, in parts of the truth's length if normalized. */
type EditSizes = Readonly<Record<`${"hypothesis" | "truth"}${"Indices" | "Values" | "Shape"}`, readonly number[]>>;

function checkEditShapes(sizes: EditSizes): void {
  const sides = ["hypothesis", "truth"] as const;
  for (const side of sides) {
    const [indices, values, dense] = [sizes[`${side}Indices`], sizes[`${side}Values`], sizes[`${side}Shape`]];
    need(indices.length === 2, () => `${side}_indices should be a matrix, but got shape: [${indices}]`);
    need(values.length === 1, () => `${side}_values should be a vector, but got shape: [${values}]`);
    need(dense.length === 1, () => `${side}_shape should be a vector, but got shape: [${dense}]`);
    need(
      values[0] === indices[0],
      () => `Expected ${side}_values.NumElements == #rows(${side}_indices), their shapes are: [${values}] and [${indices}]`,
    );
    if (side === "truth") need(dense[0] >= 2, () => `Input SparseTensors must have rank at least 2, but truth_shape rank is: ${dense[0]}`);
    need(
      dense[0] === indices[1],
      () => `Expected ${side}_shape.NumElements == #cols(${side}_indices), their shapes are: [${dense}] and [${indices}]`,
    );
  }
  const { truthShape, hypothesisShape } = sizes;
  need(
    truthShape[0] === hypothesisShape[0],
    () => `Expected truth and hypothesis to have matching ranks, but their shapes are: [${truthShape}] and [${hypothesisShape}]`,
  );
}

/** @throws ValueError unless the parts of a sparse tensor may fit each other. TF: ValidateSparseTensor. */
function checkSparse(indices: TensorShape, values: TensorShape, shape: TensorShape): void {
  const [places, numbers, sizes] = [indices.withRank(2), values.withRank(1), shape.withRank(1)];
  const [count, rank] = [places.dim(0), places.dim(1)];
  const [size, length] = [numbers.dim(0), sizes.dim(0)];
  if (count !== null && size !== null && count !== size)
    throw new ValueError(`Number of elements in index (${count}) and values (${size}) do not match.`);
  if (rank !== null && length !== null && rank !== length)
    throw new ValueError(`Index rank (${rank}) and shape rank (${length}) do not match.`);
}

export const EditDistance = defineOp("EditDistance", {
  inputs: {
    hypothesisIndices: "int64",
    hypothesisValues: "T",
    hypothesisShape: "int64",
    truthIndices: "int64",
    truthValues: "T",
    truthShape: "int64",
  },
  outputs: { output: "float32" },
  attrs: { normalize: attr.bool(true), T: attr.type() },
  checks: sizes => checkEditShapes(sizes),
  gradient: "none",
  shape: ({ hypothesisIndices, hypothesisValues, hypothesisShape, truthIndices, truthValues, truthShape }, context) => {
    checkSparse(hypothesisIndices, hypothesisValues, hypothesisShape);
    checkSparse(truthIndices, truthValues, truthShape);
    const [a, b] = [context.constant("hypothesisShape"), context.constant("truthShape")];
    if (!a || !b) return TensorShape.unknown();
    if (a.size !== b.size) throw new ValueError(`Num elements of hypothesis_shape does not match truth_shape: ${a.size} vs. ${b.size}`);
    return new TensorShape(outerShape(numbersOf(a), numbersOf(b)));
  },
  compileTimeInputs: ["hypothesisShape", "truthShape"],
  lower: ({ hypothesisIndices, hypothesisValues, hypothesisShape, truthIndices, truthValues, truthShape, normalize }) => {
    for (const size of [...numbersOf(hypothesisShape), ...numbersOf(truthShape)]) need(size >= 0, () => `Dimension ${size} must be >= 0`);
    const shape = outerShape(numbersOf(hypothesisShape), numbersOf(truthShape));
    const run = ([hIndices, hValues, tIndices, tValues]: readonly NDArray[], [output]: readonly NDArray[]): void => {
      const [guesses, truths] = [sequencesOf(hIndices, hValues, shape), sequencesOf(tIndices, tValues, shape)];
      for (let i = 0; i < sizeOf(shape); i++) {
        const [guess, truth] = [guesses.get(i) ?? [], truths.get(i) ?? []];
        const edits = distance(guess, truth);
        output.set(i, normalize && edits > 0 ? edits / truth.length : edits);
      }
    };
    const given = [hypothesisIndices, hypothesisValues, truthIndices, truthValues];
    return ir.call({ name: "EditDistance", run }, given, [{ dtype: "float32", shape }]);
  },
});

interface DistanceOptions {
  readonly normalize?: boolean;
  readonly name?: string;
}

/** Levenshtein distances between the sequences (along the last dimension) of two sparse tensors; infinite where normalized by an empty truth.
 *  TF: tf.edit_distance(hypothesis, truth, normalize, name). */
export function editDistance(hypothesis: SparseTensor, truth: SparseTensor, ...rest: unknown[]): Tensor {
  const { normalize = true, name = "edit_distance" } = collect<DistanceOptions>(["normalize", "name"], rest);
  if (!(hypothesis instanceof SparseTensor)) throw new TypeError("Hypothesis must be a SparseTensor.");
  if (!(truth instanceof SparseTensor)) throw new TypeError("Truth must be a SparseTensor.");
  return EditDistance(
    {
      hypothesisIndices: hypothesis.indices,
      hypothesisValues: hypothesis.values,
      hypothesisShape: hypothesis.denseShape,
      truthIndices: truth.indices,
      truthValues: truth.values,
      truthShape: truth.denseShape,
      normalize,
    },
    { name },
  );
}

/** Labels `[batch, time]` without repetitions that follow one another, at the front of rows as long as the longest needs, zeros behind; and how many
 *  each row has. Labels behind `seqLength` do not count. TF: tf.nn.collapse_repeated. */
export const collapseRepeated = (labels: TensorLike, seqLength: TensorLike, options?: NameOption): [collapsed: Tensor, lengths: Tensor] =>
  inNameScope(options, "collapse_repeated_labels", [labels, seqLength], () => {
    const all = [null, null] as const;
    const rows = convertToTensor(labels, { name: "labels" });
    const lengths = convertToTensor(seqLength, { name: "seq_length", preferredDtype: "int32" });
    const sizeOf = (x: Tensor, axis: number): number | Tensor => x.shape.dim(axis) || (getItem(shape(x), axis) as Tensor);
    const first = onesLike(getItem(rows, all, [null, 1]), { dtype: "bool" });
    const isNew = concat([first, notEqual(getItem(rows, all, [1, null]), getItem(rows, all, [null, -1]))], 1);
    const isKept = logicalAnd(isNew, sequenceMask(lengths, { maxlen: sizeOf(rows, 1) }));
    const counts = reduceSum(cast(isKept, "int32"), 1);
    const most = reduceMax(counts);
    const isPlace = sequenceMask(counts, { maxlen: most });
    const [flatRows, flatKept, flatPlaces] = [rows, isKept, isPlace].map(part => reshape(part, [-1]));
    const places = booleanMask(range(sizeOf(flatPlaces, 0)), flatPlaces);
    const flat = scatterNd(expandDims(places, 1), booleanMask(flatRows, flatKept), shape(flatPlaces));
    const collapsed = reshape(flat, [sizeOf(rows, 0), most] as TensorLike);
    return [collapsed, cast(counts, lengths.dtype)];
  });

/** The distinct labels of each row in the order in which they come, zeros behind them, and for each label its place among them.
 *  TF: tf.nn.ctc_unique_labels(labels, name), `[batch, n]` → `[batch, n]` twice. */
export const ctcUniqueLabels = (labels: TensorLike, options?: NameOption): [unique: Tensor, places: Tensor] =>
  inNameScope(options, "ctc_unique_labels", [labels], () => {
    const rows = convertToTensor(labels, { name: "labels" });
    const sizeOfFirst = (x: Tensor): TensorLike => x.shape.dim(0) ?? getItem(shape(x), 0);
    const distinct = (row: Tensor): Tensor[] => {
      const { y, idx } = unique(row);
      const [all, kept] = [sizeOfFirst(idx), sizeOfFirst(y)];
      const missing = typeof all === "number" && typeof kept === "number" ? all - kept : operator.sub(all, kept);
      return [cast(pad(y, [[0, missing]] as TensorLike), "int64"), idx];
    };
    return mapFn(distinct, rows, ["int64", "int32"]);
  });
