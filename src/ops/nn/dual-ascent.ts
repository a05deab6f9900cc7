// Linear models trained by stochastic dual coordinate ascent (Shalev-Shwartz and Zhang 2013; the additive steps of several partitions are those of Ma and
// others, 2015): the optimizer, the shrinking of its weights and the fingerprints of its examples. Computed in double precision on the host.

import { InvalidArgumentError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp, renameOp, type StateHandle } from "../../graph/op-definition.ts";
import * as ir from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import { s } from "../../ir/scalar.ts";
import { numbersOf } from "../array/array.ts";
import { fingerprint128 } from "../string/hash.ts";
import { bytesAt } from "../string/string.ts";
import { cNumber } from "../arguments.ts";

const f32 = Math.fround;

// ---- losses ----

/** What an example is while its dual is sought: label, weight and dual, w·x, and |x|²/λ times the number of partitions. */
interface Step {
  readonly label: number;
  readonly weight: number;
  readonly dual: number;
  readonly wx: number;
  readonly norm: number;
}

interface Loss {
  /** The label as the loss takes it. @throws InvalidArgumentError for one that it does not know. */
  readonly labelOf: (label: number) => number;
  /** The dual that is best for this example alone. */
  readonly bestDual: (step: Step) => number;
  readonly primal: (wx: number, label: number) => number;
  readonly conjugate: (dual: number, label: number) => number;
  readonly derivative: (wx: number, label: number) => number;
  readonly smoothness: number;
}

function binaryLabel(label: number): number {
  if (label !== 0 && label !== 1)
    throw new InvalidArgumentError(`Only labels of 0.0 or 1.0 are supported right now. Found example with label: ${cNumber(label)}`);
  return label === 0 ? -1 : 1;
}

/** A dual within what a hinge admits: label·dual in [0, 1]. */
const admitted = (dual: number, label: number): number => (label * dual < 0 ? 0 : label * dual > 1 ? label : dual);

/** Ten steps of Newton's method. */
function newton(start: number, step: (x: number) => number): number {
  let x = start;
  for (let i = 0; i < 10; i++) x = step(x);
  return x;
}

const losses = {
  logistic_loss: {
    labelOf: binaryLabel,
    bestDual: ({ label, weight, dual, wx, norm }) => {
      const x = newton(0, at => {
        const tanh = Math.tanh(at);
        const value = -2 * label * at - wx - norm * weight * ((0.5 * (1 + tanh)) / label - dual);
        return at - value / (-2 * label - (norm * weight * (1 - tanh * tanh) * 0.5) / label);
      });
      return (0.5 * (1 + Math.tanh(x))) / label;
    },
    primal: (wx, label) => (label * wx > 0 ? Math.log1p(Math.exp(-label * wx)) : Math.log1p(Math.exp(label * wx)) - label * wx),
    conjugate: (dual, label) => {
      const [a, rest] = [dual * label, 1 - dual * label];
      return a * (a > 0 ? Math.log(a) : 0) + rest * (rest > 0 ? Math.log(rest) : 0);
    },
    derivative: (wx, label) => -label / (1 + Math.exp(label * wx)),
    smoothness: 4,
  },
  squared_loss: {
    labelOf: label => label,
    bestDual: ({ label, weight, dual, wx, norm }) => dual + (label - dual - wx) / (1 + norm * weight),
    primal: (wx, label) => (wx - label) ** 2 * 0.5,
    conjugate: (dual, label) => dual * (0.5 * dual - label),
    derivative: (wx, label) => wx - label,
    smoothness: 1,
  },
  hinge_loss: {
    labelOf: binaryLabel,
    bestDual: ({ label, weight, dual, wx, norm }) => admitted(dual + (label - wx) / (norm * weight), label),
    primal: (wx, label) => Math.max(0, 1 - label * wx),
    conjugate: (dual, label) => (admitted(dual, label) === dual ? -dual * label : Number.MAX_VALUE),
    derivative: (wx, label) => (label * wx < 1 ? -label : 0),
    smoothness: 0,
  },
  smooth_hinge_loss: {
    labelOf: binaryLabel,
    bestDual: ({ label, weight, dual, wx, norm }) => admitted(dual + (label - wx - dual) / (norm * weight + 1), label),
    primal: (wx, label) => (label * wx >= 1 ? 0 : label * wx <= 0 ? 0.5 - label * wx : (1 - label * wx) ** 2 * 0.5),
    conjugate: (dual, label) => (admitted(dual, label) === dual ? -dual * label + 0.5 * dual * dual : Number.MAX_VALUE),
    derivative: (wx, label) => (label * wx >= 1 ? 0 : label * wx <= 0 ? -label : wx - label),
    smoothness: 1,
  },
  poisson_loss: {
    labelOf: label => {
      if (label < 0)
        throw new InvalidArgumentError(
          `Only non-negative labels can be used with the Poisson log loss. Found example with label: ${cNumber(label)}`,
        );
      return label;
    },
    bestDual: ({ label, weight, dual, wx, norm }) => {
      const x = newton(label > dual ? Math.log(label - dual) : 0, at => {
        const exp = Math.exp(at);
        return at - (at - wx - norm * weight * (label - dual - exp)) / (1 + norm * weight * exp);
      });
      return label - Math.exp(x);
    },
    primal: (wx, label) => Math.exp(wx) - wx * label,
    conjugate: (dual, label) => {
      const rest = label - dual;
      return rest === 0 ? 0 : rest < 0 ? Number.MAX_VALUE : rest * (Math.log(rest) - 1);
    },
    derivative: (wx, label) => Math.exp(wx) - label,
    smoothness: 1,
  },
} as const satisfies Readonly<Record<string, Loss>>;

// ---- examples ----

/** A feature of an example: which weight of which group, and its value. */
interface Feature {
  readonly weights: Float32Array;
  readonly deltas: Float32Array;
  readonly at: number;
  readonly value: number;
  readonly isDense: boolean;
}

interface Inputs {
  readonly sparseExampleIndices: readonly NDArray[];
  readonly sparseFeatureIndices: readonly NDArray[];
  readonly sparseFeatureValues: readonly NDArray[];
  readonly denseFeatures: readonly NDArray[];
  readonly exampleWeights: NDArray;
  readonly exampleLabels: NDArray;
  readonly sparseIndices: readonly NDArray[];
  readonly sparseWeights: readonly NDArray[];
  readonly denseWeights: readonly NDArray[];
  readonly exampleStateData: NDArray;
}

const dataOf = (array: NDArray): Float32Array => Float32Array.from(numbersOf(array));

/** The features of each example, weights and their changes beside them. */
function featuresOf(given: Inputs, sparseDeltas: readonly Float32Array[], denseDeltas: readonly Float32Array[]): Feature[][] {
  const examples: Feature[][] = Array.from({ length: given.exampleWeights.size }, () => []);
  given.sparseExampleIndices.forEach((rows, group) => {
    const [owners, ids] = [numbersOf(rows), numbersOf(given.sparseFeatureIndices[group])];
    if (owners.length !== ids.length)
      throw new InvalidArgumentError(`Found mismatched example_indices and feature_indices [${owners.join(" ")}] vs [${ids.join(" ")}]`);
    const values = given.sparseFeatureValues.length > group ? numbersOf(given.sparseFeatureValues[group]) : null;
    const places = new Map(numbersOf(given.sparseIndices[group]).map((id, at) => [id, at]));
    const weights = dataOf(given.sparseWeights[group]);
    const seen = examples.map(() => new Set<number>());
    owners.forEach((owner, k) => {
      if (owner < 0 || owner >= examples.length) return;
      const at = places.get(ids[k]);
      if (at === undefined) throw new InvalidArgumentError(`Found sparse feature indices out of valid range: ${ids[k]}`);
      if (seen[owner].has(ids[k])) throw new InvalidArgumentError("Duplicate index in sparse vector.");
      seen[owner].add(ids[k]);
      examples[owner].push({ weights, deltas: sparseDeltas[group], at, value: values?.[k] ?? 1, isDense: false });
    });
  });
  given.denseFeatures.forEach((features, group) => {
    if (features.rank !== 2) throw new InvalidArgumentError(`Dense features at index ${group} must be rank 2 but is rank ${features.rank}`);
    const width = features.shape[1];
    if (width === 0 || width > given.denseWeights[group].size)
      throw new InvalidArgumentError(`More dense features than we have parameters for: ${width}`);
    const weights = dataOf(given.denseWeights[group]);
    const values = numbersOf(features);
    examples.forEach((example, row) => {
      for (let at = 0; at < width; at++)
        example.push({ weights, deltas: denseDeltas[group], at, value: values[row * width + at], isDense: true });
    });
  });
  return examples;
}

/** All examples in random order. */
function shuffledOrder(count: number): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

const random = (): number => globalThis.crypto.getRandomValues(new Uint32Array(1))[0] / 2 ** 32;

/** Examples by chance, the likelier the more they would gain. One that was picked k times is kept with a chance of 10⁻ᵏ; those never picked come last. */
function sampledOrder(gains: readonly number[]): number[] {
  const total = gains.reduce((sum, gain) => sum + gain, 0);
  const picks = gains.map(() => 0);
  const order: number[] = [];
  for (let misses = 0; total > 0 && order.length < gains.length && misses < gains.length; ) {
    let rest = random() * total;
    const found = gains.findIndex(gain => (rest -= gain) < 0);
    const at = found < 0 ? gains.length - 1 : found;
    if (random() > 0.1 ** picks[at]) misses++;
    else {
      picks[at]++;
      order.push(at);
    }
  }
  const unseen = gains.map((_, i) => i).filter(i => picks[i] === 0);
  return [...order, ...unseen.sort((a, b) => gains[b] - gains[a])].slice(0, gains.length);
}

// ---- the optimizer ----

const optimizerAttrs = {
  lossType: attr.oneOf(["logistic_loss", "squared_loss", "hinge_loss", "smooth_hinge_loss", "poisson_loss"]),
  numSparseFeatures: attr.int(undefined, 0),
  numSparseFeaturesWithValues: attr.int(undefined, 0),
  numDenseFeatures: attr.int(undefined, 0),
  l1: attr.float(),
  l2: attr.float(),
  numLossPartitions: attr.int(undefined, 1),
  numInnerIterations: attr.int(undefined, 1),
};

/** A pass over a batch of examples: their duals and losses `[examples, 4]`, and what is to be added to the weights. */
export const SdcaOptimizerV2 = defineOp("SdcaOptimizerV2", {
  inputs: {
    sparseExampleIndices: "numSparseFeatures*int64",
    sparseFeatureIndices: "numSparseFeatures*int64",
    sparseFeatureValues: "numSparseFeaturesWithValues*float32",
    denseFeatures: "numDenseFeatures*float32",
    exampleWeights: "float32",
    exampleLabels: "float32",
    sparseIndices: "numSparseFeatures*int64",
    sparseWeights: "numSparseFeatures*float32",
    denseWeights: "numDenseFeatures*float32",
    exampleStateData: "float32",
  },
  outputs: {
    outExampleStateData: "float32",
    outDeltaSparseWeights: "numSparseFeatures*float32",
    outDeltaDenseWeights: "numDenseFeatures*float32",
  },
  attrs: { adaptive: attr.bool(false), ...optimizerAttrs },
  gradient: "none",
  shape: ({ sparseWeights, denseWeights }) => [new TensorShape([null, 4]), ...sparseWeights, ...denseWeights],
  host: given => {
    const { l1, l2, numLossPartitions, exampleWeights, exampleLabels, exampleStateData, sparseWeights, denseWeights } = given;
    // The older form spells it so.
    const isAdaptive = Boolean(given.adaptive ?? (given as { readonly adaptative?: boolean }).adaptative);
    if (sparseWeights.length + denseWeights.length === 0) throw new InvalidArgumentError("Requires at least one feature to train.");
    const count = exampleWeights.size;
    if (exampleLabels.size !== count) throw new InvalidArgumentError(`Expected ${count} example labels but got ${exampleLabels.size}`);
    if (exampleStateData.rank !== 2)
      throw new InvalidArgumentError(`example_state_data must be rank 2 but is rank ${exampleStateData.rank}`);
    if (exampleStateData.shape[0] !== count || exampleStateData.shape[1] !== 4)
      throw new InvalidArgumentError(`Expected shape [${count},4] for example_state_data, got [${exampleStateData.shape}]`);
    const [sparseDeltas, denseDeltas] = [sparseWeights, denseWeights].map(all => all.map(({ size }) => new Float32Array(size)));
    const examples = featuresOf(given, sparseDeltas, denseDeltas);
    const loss: Loss = losses[given.lossType];
    const shrinkage = l1 / l2;
    const shrunk = (weight: number): number => Math.sign(weight) * Math.max(Math.abs(weight) - shrinkage, 0);
    const product = (features: readonly Feature[], weightOf: (feature: Feature) => number): number =>
      features.reduce((sum, feature) => sum + feature.value * shrunk(weightOf(feature)), 0);
    const moved = ({ weights, deltas, at }: Feature): number => weights[at] + deltas[at] * numLossPartitions;
    const squares = examples.map(features => features.reduce((sum, { value }) => sum + value * value, 0));
    const state = dataOf(exampleStateData);
    const labels = isAdaptive ? numbersOf(exampleLabels).map(loss.labelOf) : null;
    const order = labels
      ? sampledOrder(
          examples.map((features, i) => {
            const gain = state[4 * i] + loss.derivative(product(features, moved), labels[i]);
            return Number(exampleWeights.get(i)) * Math.sqrt(squares[i] + l2 * loss.smoothness) * Math.abs(gain);
          }),
        )
      : shuffledOrder(count);
    for (const i of order) {
      const features = examples[i];
      const [weight, label, dual] = [Number(exampleWeights.get(i)), loss.labelOf(Number(exampleLabels.get(i))), state[4 * i]];
      const norm = (squares[i] / l2) * numLossPartitions;
      const best = loss.bestDual({ label, weight, dual, wx: product(features, moved), norm });
      const before = product(features, ({ weights, at }) => weights[at]);
      const change = ((best - dual) * weight) / l2;
      for (const { deltas, at, value, isDense } of features) deltas[at] += isDense ? f32(value * f32(change)) : value * change;
      state.set([best, loss.primal(before, label) * weight, loss.conjugate(dual, label) * weight, weight], 4 * i);
    }
    const results = [...sparseWeights, ...denseWeights].map(
      ({ shape }, k) => new NDArray("float32", shape, [...sparseDeltas, ...denseDeltas][k]),
    );
    return [new NDArray("float32", [count, 4], state), ...results];
  },
});

/** The older form. */
export const SdcaOptimizer = renameOp("SdcaOptimizer", SdcaOptimizerV2, {
  gradient: "none",
  attrs: { adaptative: attr.bool(false), ...optimizerAttrs },
});

/** Brings weights nearer to zero by l1 / l2, and those within to it. */
export const SdcaShrinkL1 = defineOp("SdcaShrinkL1", {
  inputs: { weights: "numFeatures*Ref(float32)" },
  outputs: {},
  gradient: "none",
  attrs: { numFeatures: attr.int(undefined, 0), l1: attr.float(), l2: attr.float() },
  shape: () => undefined,
  lower: ({ weights, l1, l2 }) => {
    const shrinkage = f32(l1 / l2);
    for (const handle of weights as readonly (Value | StateHandle)[])
      if ("write" in handle) handle.write(ir.map(w => s.mul(s.sign(w), s.max(s.sub(s.abs(w), shrinkage), 0)), handle.read()));
  },
});

/** A fingerprint of 128 bits of each string, as two numbers of which the first is never 0 or 1. */
export const SdcaFprint = defineOp("SdcaFprint", {
  inputs: { input: "string" },
  outputs: { output: "int64" },
  attrs: {},
  gradient: "none",
  shape: ({ input }) => new TensorShape([input.withRank(1).dim(0), 2]),
  lower: ({ input }) => {
    if (input.shape.length !== 1) throw new InvalidArgumentError(`Input must be a vector, got shape [${input.shape}]`);
    const run = ([texts]: readonly NDArray[], [out]: readonly NDArray[]): void => {
      for (let i = 0; i < texts.size; i++) {
        const [low, high] = fingerprint128(bytesAt(texts, i));
        out.set(2 * i, BigInt.asIntN(64, low >= 2n ? low : low - 2n));
        out.set(2 * i + 1, BigInt.asIntN(64, high));
      }
    };
    return ir.call({ name: "SdcaFprint", run }, [input], [{ dtype: "int64", shape: [input.shape[0], 2] }])[0];
  },
});

export type LossType = keyof typeof losses;
