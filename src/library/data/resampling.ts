// Elements drawn so that their classes come as often as asked: tf.data.experimental.rejection_resample. Elements are kept with a probability for each class;
// what can be taken without a draw is mixed in, so that fewer are thrown away.

import { NDArray } from "../../base/ndarray.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import type { Tensor } from "../../graph/operation.ts";
import { staticValue } from "../../graph/static-value.ts";
import { expandDims, fill, oneHot, shape } from "../../ops/array/array.ts";
import { gather } from "../../ops/array/gather.ts";
import { tile } from "../../ops/array/padding.ts";
import { getItem } from "../../ops/array/slicing.ts";
import { cond } from "../../ops/flow/control-flow-contexts.ts";
import { Print } from "../../ops/flow/control-flow.ts";
import type { Nested } from "../../ops/flow/nested.ts";
import { cast } from "../../ops/math/cast.ts";
import { less } from "../../ops/math/comparison.ts";
import { add, mul, sub, truediv } from "../../ops/operators.ts";
import { reduceMax, reduceMin, reduceSum } from "../../ops/math/reduction.ts";
import { randomUniform } from "../../ops/random/random.ts";
import { Dataset, spread } from "./dataset.ts";
import { refuseOthers } from "../../ops/arguments.ts";

// `any`: what the function gets follows from the dataset's elements, and may be any nesting
type ClassFunction = (...element: any[]) => Tensor;

interface ResampleOptions {
  /** The classes' shares in the dataset; estimated from the elements without it. */
  readonly initialDist?: TensorLike | null;
  readonly seed?: number | null;
}

/** The smallest normal number of float32. */
const tiny = 2 ** -126;
/** So many elements at a time, and so many of each class taken for granted, where shares are estimated. */
const estimated = { batch: 32, smoothing: 10 };

/** With which probabilities elements of each class are kept, and an element is taken as it comes. */
function acceptance(initial: Tensor, target: Tensor): [accepted: Tensor, original: Tensor] {
  const ratio = truediv(target, add(initial, tiny));
  const [most, least] = [reduceMax(ratio), reduceMin(ratio)];
  return [truediv(sub(ratio, least), sub(most, least)), least];
}

/** The classes' shares so far, for each element. */
function estimatedShares(classes: Dataset, target: Tensor): Dataset {
  const count = target.shape.dims?.[0] ?? getItem(shape(target), 0);
  const seen = fill([count], BigInt(estimated.smoothing));
  const update = (counts: Tensor, batch: Tensor): readonly [Tensor, Tensor] => {
    const depth = counts.shape.dims?.[0] ?? getItem(shape(counts), 0);
    const next = add(counts, reduceSum(oneHot(batch, depth, { dtype: "int64" }), 0));
    const shares = cast(truediv(next, reduceSum(next)), "float32");
    return [next, tile(expandDims(shares, 0), [estimated.batch, 1])];
  };
  return classes.batch(estimated.batch).scan(seen, update).unbatch();
}

const rejectsMuch = (accepted: Tensor, initial: Tensor): Tensor => {
  const rejected = reduceSum(mul(sub(1, accepted), initial));
  const message = "Proportion of examples rejected by sampler is high: ";
  return cond(
    less(rejected, 0.5),
    () => accepted,
    () => Print(accepted, [rejected, initial, accepted], { message, summarize: 100, firstN: 10 }),
  ) as Tensor;
};

/** For `apply`: pairs of a class (what `classFunc` gives for an element, an int32 scalar) and an element, in which classes come with the shares `targetDist`.
 *  TF: tf.data.experimental.rejection_resample. */
export const rejectionResample = (
  classFunc: ClassFunction,
  targetDist: TensorLike,
  { initialDist = null, seed = null, ...others }: ResampleOptions = {},
): ((dataset: Dataset) => Dataset) => {
  refuseOthers(others);
  return dataset => {
    const target = cast(convertToTensor(targetDist, { name: "target_dist" }), "float32");
    const classOf = (element: Nested): Tensor => spread(classFunc, element) as Tensor;
    const forEver = (tensor: Tensor): Dataset => Dataset.fromTensors(tensor).repeat();
    let shares: Dataset;
    let accepted: Dataset;
    let original: Dataset;
    let share: number | undefined;
    if (initialDist === null) {
      shares = estimatedShares(dataset.map(classFunc), target);
      const both = shares.map((initial: Tensor) => acceptance(initial, target));
      accepted = both.map((kept: Tensor) => kept);
      original = both.map((_: Tensor, taken: Tensor) => taken);
    } else {
      const initial = cast(convertToTensor(initialDist, { name: "initial_dist" }), "float32");
      const [kept, taken] = acceptance(initial, target);
      [shares, accepted, original] = [forEver(initial), forEver(kept), forEver(taken)];
      share = knownShare(initial, target);
    }
    const filtered = Dataset.zip([Dataset.zip([accepted, shares]).map(rejectsMuch), dataset])
      .map((kept: Tensor, element: Nested) => {
        const group = classOf(element);
        return [group, gather(kept, group), element];
      })
      .filter((_: Tensor, chance: Tensor) => less(randomUniform([], { seed, dtype: "float32" }), chance))
      .map((group: Tensor, _: Tensor, element: Nested) => [group, element])
      .prefetch(3);
    const withClass = (): Dataset =>
      dataset.map((...element: Nested[]) => {
        const whole = element.length === 1 ? element[0] : element;
        return [classFunc(...element), whole];
      });
    if (share === 1) return withClass();
    if (share === 0) return filtered;
    const datasets = [withClass(), filtered];
    const weights = original.map((taken: Tensor) => convertToTensor([[taken, sub(1, taken)]]));
    return Dataset.sampleFromDatasets(datasets, { weights, seed, stopOnEmptyDataset: true });
  };
};

/** The share of elements that are taken as they come, where it is known before a run. */
function knownShare(initial: Tensor, target: Tensor): number | undefined {
  const [from, to] = [staticValue(initial), staticValue(target)];
  if (from === undefined || to === undefined) return undefined;
  const ratios = NDArray.from(
    Array.from({ length: from.size }, (_, i) => Number(to.get(i)) / (Number(from.get(i)) + tiny)),
    "float32",
  );
  return Math.min(...Array.from({ length: ratios.size }, (_, i) => Number(ratios.get(i))));
}
