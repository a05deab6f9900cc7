// Connectionist temporal classification of dense labels: a forward and a backward loop over time in logarithms, for all sequences at once.
// Sim, Narayanan, Bagby, Sainath, Bacchiani, Improving the efficiency of forward-backward algorithm using batched computation in TensorFlow (2017).
// States of a sequence: none yet, its labels, then a blank before, between and after them. The loss of sparse labels is ops/nn/ctc.ts.

import type { DType } from "../base/dtype.ts";
import { ValueError } from "../base/errors.ts";
import { NDArray } from "../base/ndarray.ts";
import { convertToTensor, type TensorLike } from "../graph/conversion.ts";
import type { Named } from "../graph/op-definition.ts";
import type { Tensor } from "../graph/operation.ts";
import { SparseTensor } from "../graph/sparse-tensor.ts";
import { customGradient } from "../gradients/custom-gradient.ts";
import { expandDims, fill, oneHot, ones, onesLike, reshape, shape, squeeze, zeros, zerosLike } from "../ops/array/array.ts";
import { gather, scatterNd, tensorScatterAdd, tensorScatterUpdate } from "../ops/array/gather.ts";
import { Empty } from "../ops/array/inplace.ts";
import { eye } from "../ops/array/matrix.ts";
import { pad, tile } from "../ops/array/padding.ts";
import { range, sequenceMask } from "../ops/array/ranges.ts";
import { transpose } from "../ops/array/rearranging.ts";
import { where } from "../ops/array/selection.ts";
import { concat, getItem, stack } from "../ops/array/slicing.ts";
import { loopOfFunctions } from "../ops/flow/function-graph.ts";
import { cast } from "../ops/math/cast.ts";
import { equal, less } from "../ops/math/comparison.ts";
import { exp, log, negative } from "../ops/math/functions.ts";
import { reduceLogsumexp, reduceMax, reduceSum } from "../ops/math/reduction.ts";
import { inNameScope } from "../ops/named.ts";
import { ctcLoss } from "../ops/nn/ctc.ts";
import { logSoftmax } from "../ops/nn/nn.ts";
import * as operator from "../ops/operators.ts";
import { minus, plus, type Size, times } from "../ops/sizes.ts";

interface DenseOptions extends Named {
  /** Default true: `logits` are `[time, batch, classes]`. */
  readonly logitsTimeMajor?: boolean;
  /** What ctcUniqueLabels gave for the labels: fewer states to sum over where classes are many. */
  readonly unique?: readonly [labels: TensorLike, places: TensorLike] | null;
  /** The class of the blank, 0 by default; a sparse tensor of labels needs it. */
  readonly blankIndex?: number | null;
}

const all = [null, null] as const;
/** A size that is known and not zero, else the one while running. */
const sizeOf = (x: Tensor, axis: number): Size => x.shape.dim(axis) || (getItem(shape(x), axis) as Tensor);
const logOfZero = (): Tensor => log(0);

/** The loss `[batch]` of label sequences under `logits`, the blank being any class. `labels` are a sparse int32 tensor, or `[batch, most labels]` of which `labelLength` count.
 *  TF: tf.nn.ctc_loss_v2. @throws ValueError for sparse labels without `blankIndex`. */
export function ctcLossV2(
  labels: SparseTensor | TensorLike,
  logits: TensorLike,
  labelLength: TensorLike | null,
  logitLength: TensorLike,
  { logitsTimeMajor = true, unique = null, blankIndex = null, name }: DenseOptions = {},
): Tensor {
  if (labels instanceof SparseTensor) return lossOfSparse(labels, convertToTensor(logits), logitLength, logitsTimeMajor, blankIndex);
  return inNameScope({ name }, "ctc_loss_dense", [logits, labels, labelLength, logitLength], () => {
    const given = convertToTensor(logits, { name: "logits" });
    const integers = (value: TensorLike | null, what: string): Tensor =>
      convertToTensor(value as TensorLike, { name: what, preferredDtype: "int32" });
    const [dense, labelSizes, frames] = [
      integers(labels as TensorLike, "labels"),
      integers(labelLength, "label_length"),
      integers(logitLength, "logit_length"),
    ];
    const isNarrow = given.dtype === "float16" || given.dtype === "bfloat16";
    let turned = isNarrow ? cast(given, "float32") : given;
    if (!logitsTimeMajor) turned = transpose(turned, [1, 0, 2]);
    let shifted = dense;
    let distinct = unique;
    if ((blankIndex ?? 0) !== 0) {
      const at = blankIndex as number;
      const blank = at < 0 ? plus(at, sizeOf(turned, 2)) : at;
      // The blank becomes the first class.
      const shift = (value: TensorLike): Tensor => where(less(value, blank), operator.add(value as Tensor, 1), value) as Tensor;
      const classes = turned;
      const part = (...bounds: readonly (Size | null)[]): Tensor => getItem(classes, all, all, bounds as never) as Tensor;
      turned = concat([part(blank, plus(blank, 1)), part(null, blank), part(plus(blank, 1), null)], 2);
      shifted = shift(dense);
      if (distinct) {
        const [ids, places] = distinct;
        const shiftedIds = shift(ids);
        const counts = operator.add(reduceMax(places, { axis: 1 }), 1);
        const isLabel = sequenceMask(counts, sizeOf(shiftedIds, 1));
        distinct = [where(isLabel, shiftedIds, zerosLike(shiftedIds)) as Tensor, places];
      }
    }
    const loss = customGradient((...args) => {
      const [x, ids, idSizes, times, ...others] = args;
      const [losses, gradient] = lossAndGradient(x, ids, idSizes, times, others);
      const none = args.slice(1).map(() => null);
      return [losses, (flowing: Tensor) => [operator.mul(reshape(flowing, [1, -1, 1]), gradient), ...none]];
    })(turned, shifted, labelSizes, frames, ...(distinct ?? [])) as Tensor;
    return isNarrow ? cast(loss, given.dtype) : loss;
  });
}

function lossOfSparse(labels: SparseTensor, logits: Tensor, frames: TensorLike, timeMajor: boolean, blankIndex: number | null): Tensor {
  if (blankIndex === null) throw new ValueError("Argument `blank_index` must be provided when labels is a SparseTensor.");
  const blank = blankIndex < 0 ? plus(blankIndex, sizeOf(logits, 2)) : blankIndex;
  const last = minus(sizeOf(logits, 2), 1);
  if (blank === last) return ctcLoss(labels, logits, frames, { timeMajor });
  // The kernel's blank is the last class: this one changes places with those behind it.
  const part = (...bounds: readonly (Size | null)[]): Tensor => getItem(logits, all, all, bounds as never) as Tensor;
  const turned = concat([part(null, blank), part(plus(blank, 1), null), part(blank, plus(blank, 1))], 2);
  const { indices, values, denseShape } = labels;
  const shifted = where(less(values, blank), values, operator.sub(values, 1)) as Tensor;
  return ctcLoss(new SparseTensor(indices, shifted, denseShape), turned, frames, { timeMajor });
}

/** The loss `[batch]`, and what it changes by with the logits `[time, batch, classes]`. */
function lossAndGradient(
  logits: Tensor,
  labels: Tensor,
  labelSizes: Tensor,
  frames: Tensor,
  unique: readonly Tensor[],
): [loss: Tensor, gradient: Tensor] {
  const classes = sizeOf(logits, 2);
  const most = sizeOf(labels, 1);
  const logOfClasses = logSoftmax(logits);
  const observed = statesOfClasses(labels, classes, logOfClasses);
  const transitions = transitionsOf(labels);
  const [first, last] = endsOf(labelSizes, most);
  const [states, likelihood] = forwardAndBackward(log(transitions), first, last, observed, frames);
  const heard =
    unique.length > 0 ? classesOfUnique(labels, classes, states, unique as [Tensor, Tensor]) : classesOfStates(labels, classes, states);
  const difference = operator.sub(exp(logOfClasses), exp(heard));
  const mask = sequenceMask(frames, sizeOf(logits, 0), { dtype: "float32" });
  const gradient = operator.mul(difference, expandDims(transpose(mask, [1, 0]), 2));
  return [negative(likelihood), gradient];
}

/** Log probabilities `[time, batch, states]` out of those of classes. */
function statesOfClasses(labels: Tensor, classes: Size, logOfClasses: Tensor): Tensor {
  const count = sizeOf(labels, 1);
  const ofBlank = getItem(logOfClasses, all, all, [null, 1]) as Tensor;
  const blank = tile(ofBlank, [1, 1, plus(count, 1)] as TensorLike);
  const isLabel = expandDims(oneHot(labels, classes), 0);
  const chosen = reduceSum(operator.mul(expandDims(logOfClasses, 2), isLabel), { axis: 3 });
  const states = concat([chosen, blank], 2);
  const zero = logOfZero();
  return pad(
    states,
    [
      [0, 0],
      [0, 0],
      [1, 0],
    ],
    { constantValues: zero },
  );
}

/** Which state may follow which, `[batch, states, states]`: a label does not follow its like without a blank between. */
function transitionsOf(given: Tensor): Tensor {
  return inNameScope({}, "ctc_state_trans", [], () => {
    const labels = convertToTensor(given, { name: "label_seq" });
    const [batch, count] = [sizeOf(labels, 0), sizeOf(labels, 1)];
    const labelStates = plus(count, 1);
    const states = times(2, labelStates);
    const ofLabels = range(labelStates);
    const ofBlanks = operator.add(ofLabels, labelStates);
    const blankToLabel = stack([getItem(ofLabels, [1, null]), getItem(ofBlanks, [null, -1])], 1);
    const labelToBlank = stack([ofBlanks, ofLabels], 1);
    const always = concat([[[1, 0]], blankToLabel, labelToBlank] as TensorLike[], 0);
    const fixed = operator.add(scatterNd(always, ones([sizeOf(always, 0)] as never), [states, states] as TensorLike), eye(states));
    const later = getItem(ofLabels, [2, null]) as Tensor;
    const pairs = stack([zerosLike(later), getItem(ofLabels, [2, null]), getItem(ofLabels, [1, -1])], 1);
    const ofAll = tile(expandDims(pairs, 0), [batch, 1, 1] as TensorLike);
    const rows = operator.mul(expandDims(range(batch), 1), [1, 0, 0]);
    const indices = operator.add(ofAll, expandDims(rows, 1));
    const isRepeated = equal(getItem(labels, all, [null, -1]) as Tensor, getItem(labels, all, [1, null]) as Tensor);
    const labelToLabel = scatterNd(indices, operator.sub(1, cast(isRepeated, "float32")), [batch, states, states] as TensorLike);
    return operator.add(expandDims(fixed, 0), labelToLabel);
  });
}

/** Log probabilities `[batch, states]` of where a sequence begins and ends. */
function endsOf(labelSizes: Tensor, most: Size): [first: Tensor, last: Tensor] {
  const batch = sizeOf(labelSizes, 0);
  const labelStates = plus(most, 1);
  const states = times(2, labelStates);
  const never = cast(log(operator.add(cast(NDArray.from(0, "int32"), "float64"), 1e-307)), "float32");
  const first = oneHot(zeros([batch] as never, { dtype: "int32" }), states, { onValue: 0, offValue: never, axis: 1 });
  const isLast = oneHot(labelSizes, labelStates, { axis: 0 });
  const ofBoth = operator.mul(ones([2, 1, batch] as never), isLast);
  const last = reshape(operator.mul(operator.sub(1, ofBoth), never), [states, batch] as TensorLike);
  return [first, transpose(last)];
}

/** What a class is heard with, `[time, batch, classes]`: sums over the states that stand for it. */
function classesOfStates(labels: Tensor, classes: Size, states: Tensor): Tensor {
  const labelStates = plus(sizeOf(labels, 1), 1);
  const ofLabels = getItem(states, all, all, [1, labelStates] as never) as Tensor;
  const ofBlanks = getItem(states, all, all, [labelStates, null] as never) as Tensor;
  const shifted = operator.sub(labels, 1);
  const isClass = expandDims(oneHot(shifted, minus(classes, 1), { onValue: 0, offValue: logOfZero() }), 0);
  const heard = reduceLogsumexp(operator.add(expandDims(ofLabels, 3), isClass), { axis: 2 });
  return concat([reduceLogsumexp(ofBlanks, { axis: 2, keepdims: true }), heard], -1);
}

function classesOfUnique(labels: Tensor, classes: Size, states: Tensor, [ids, places]: readonly [Tensor, Tensor]): Tensor {
  const labelStates = plus(sizeOf(labels, 1), 1);
  const ofLabels = getItem(states, all, all, [1, labelStates] as never) as Tensor;
  const ofBlanks = getItem(states, all, all, [labelStates, null] as never) as Tensor;
  const summed = sumsOfUnique(places, ofLabels);
  const [time, batch] = [sizeOf(states, 0), sizeOf(states, 1)];
  const count = minus(labelStates, 1);
  const updates = reshape(transpose(summed, [1, 2, 0]), [times(batch, count), time] as TensorLike);
  const offsets = operator.mul(range(batch, { dtype: ids.dtype as DType }), classes);
  const indices = reshape(operator.add(ids, expandDims(offsets, -1)), [-1, 1]);
  const spread = (values: Tensor): Tensor =>
    reshape(scatterNd(indices, values, [times(batch, classes), time] as TensorLike), [batch, classes, time] as TensorLike);
  const scattered = spread(updates);
  const isThere = spread(onesLike(updates, { dtype: "bool" }));
  const heard = where(isThere, scattered, fill(shape(scattered) as never, logOfZero())) as Tensor;
  const byTime = getItem(transpose(heard, [2, 0, 1]), all, all, [1, null]) as Tensor;
  return concat([reduceLogsumexp(ofBlanks, { axis: 2, keepdims: true }), byTime], -1);
}

/** Sums over equal labels, by the places of the distinct ones. */
function sumsOfUnique(places: Tensor, states: Tensor): Tensor {
  return inNameScope({}, "sum_states", [], () => {
    const idx = convertToTensor(places, { name: "idx" });
    const count = sizeOf(states, 2);
    const wide = expandDims(states, 2);
    const isSame = oneHot(idx, count, { onValue: 0, offValue: logOfZero(), axis: 1 });
    return reduceLogsumexp(operator.add(wide, isSame), { axis: -1 });
  });
}

/** Log probabilities `[time, batch, states]` of being in a state given all that is heard, and the log likelihood `[batch]`. */
function forwardAndBackward(
  transitions: Tensor,
  first: Tensor,
  last: Tensor,
  observed: Tensor,
  frames: Tensor,
): [states: Tensor, likelihood: Tensor] {
  const back = transpose(transitions, [0, 2, 1]);
  const batch = sizeOf(observed, 1);
  /** A step through a table of transitions. */
  const through = (state: Tensor, table: Tensor): Tensor => reduceLogsumexp(operator.add(expandDims(state, 1), table), { axis: -1 });
  const totalOf = (state: Tensor): Tensor => reduceLogsumexp(state, { axis: -1, keepdims: true });
  const [forward] = scanned(
    ([state], [heard]) => {
      const next = operator.add(through(state, transitions), heard);
      return [operator.sub(next, totalOf(next))];
    },
    [observed],
    [first],
    false,
  );
  const nothing = zeros([batch] as never);
  const mask = transpose(sequenceMask(frames, sizeOf(observed, 0), { dtype: "float32" }), [1, 0]);
  const [backward, sums] = scanned(
    ([state, sum], [heard, isHeard]) => {
      const before = through(operator.add(state, heard), back);
      const total = totalOf(before);
      const scaled = operator.sub(before, total);
      const added = operator.add(sum, operator.mul(squeeze(total, [-1]), isHeard));
      const rows = expandDims(isHeard, 1);
      const kept = operator.mul(scaled, rows);
      return [operator.add(kept, operator.mul(last, operator.sub(1, rows))), added];
    },
    [observed, mask],
    [last, nothing],
    true,
  );
  const later = (x: Tensor): Tensor => getItem(x, [1, null]) as Tensor;
  const both = operator.add(later(forward), later(backward));
  const scaled = operator.sub(both, reduceLogsumexp(both, { axis: 2, keepdims: true }));
  const states = operator.add(scaled, log(expandDims(mask, 2)));
  return [states, operator.add(getItem(backward, 0, all, 0) as Tensor, getItem(sums, 0) as Tensor)];
}

/** All values that `step` takes on from `initial` through the rows of `elements`, the initial ones with them: one While node. No gradient goes through it. */
function scanned(
  step: (state: readonly Tensor[], row: readonly Tensor[]) => Tensor[],
  elements: readonly Tensor[],
  initial: readonly Tensor[],
  isReverse: boolean,
): Tensor[] {
  const [rows] = elements;
  const n = initial.length;
  const countOf = (): Tensor => getItem(shape(rows), 0) as Tensor;
  const count = countOf();
  const start = isReverse ? operator.sub(countOf(), 1) : convertToTensor(0, { dtype: "int32" });
  const room = operator.add(countOf(), 1);
  const tables = initial.map(value => {
    const empty = Empty({ shape: concat([[room], shape(value)] as TensorLike[], 0), dtype: value.dtype, init: true });
    return tensorScatterAdd(empty, [[operator.add(start, isReverse ? 1 : 0)]] as TensorLike, [value] as TensorLike);
  });
  const results = loopOfFunctions(
    ([i, size]) => (isReverse ? operator.greaterEqual(i, 0) : operator.less(i, size)),
    ([i, size, ...rest]) => {
      i.setShape([]);
      const row = elements.map(element => gather(element, i));
      const state = step(rest.slice(n), row);
      const at = isReverse ? i : operator.add(i, 1);
      const written = rest.slice(0, n).map((table, k) => tensorScatterUpdate(table, [[at]] as TensorLike, [state[k]] as TensorLike));
      return [isReverse ? operator.sub(i, 1) : operator.add(i, 1), size, ...written, ...state];
    },
    [start, count, ...tables, ...initial],
  );
  return results.slice(2, n + 2);
}
