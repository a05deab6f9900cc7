// Kullback-Leibler divergences: which function computes that of two distributions, by the nearest classes for which there is one.

import { pythonType } from "../../base/python-text.ts";
import { NotImplementedError, ValueError } from "../../base/errors.ts";
import type { Named } from "../../graph/op-definition.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Tensor } from "../../graph/operation.ts";
import { identity } from "../../ops/array/array.ts";
import { Assert } from "../../ops/flow/control-flow.ts";
import { logicalNot } from "../../ops/math/comparison.ts";
import { isNan } from "../../ops/math/functions.ts";
import { reduceAny } from "../../ops/math/reduction.ts";
import { inNameScope } from "../../ops/named.ts";
import { add } from "../../ops/operators.ts";
import { refuseOthers } from "../../ops/arguments.ts";

/** What is asked of a distribution here. */
interface Compared {
  readonly name: string;
  entropy(): Tensor;
}

// `any`: a function takes the two classes that it is registered for
type Divergence = (a: any, b: any, options: Named) => Tensor;
// `any`: the constructors of distributions differ
type DistributionClass = abstract new (...args: any[]) => Compared;

/** Those that users register. A class whose divergence from itself is known has it as a static method instead. */
const registered = new Map<object, Map<object, Divergence>>();

const withItself = (type: object): Divergence | undefined =>
  Object.hasOwn(type, "divergence") ? (a, b, options) => (type as { divergence: Divergence }).divergence(a, b, options) : undefined;

const divergenceOf = (a: object, b: object): Divergence | undefined => registered.get(a)?.get(b) ?? (a === b ? withItself(a) : undefined);

/** A class and those above it, nearest first. */
function ancestry(type: object): object[] {
  const parent: unknown = Object.getPrototypeOf(type);
  return typeof parent === "function" && parent !== Function.prototype ? [type, ...ancestry(parent)] : [type];
}

function nearest(a: Compared, b: Compared): Divergence | undefined {
  let found: Divergence | undefined;
  let least = Infinity;
  if (a === null || b === null) return undefined;
  ancestry(a.constructor).forEach((parentA, stepsA) => {
    ancestry(b.constructor).forEach((parentB, stepsB) => {
      const candidate = stepsA + stepsB < least ? divergenceOf(parentA, parentB) : undefined;
      if (candidate === undefined) return;
      found = candidate;
      least = stepsA + stepsB;
    });
  });
  return found;
}

interface DivergenceOptions extends Named {
  readonly allowNanStats?: boolean | null;
}

/** KL(a ‖ b) = E_a[log a(x) − log b(x)]. TF: tf.distributions.kl_divergence.
 *  @throws NotImplementedError if it is not known for these classes. */
export function klDivergence(
  distributionA: Compared,
  distributionB: Compared,
  { allowNanStats, name, ...others }: DivergenceOptions = {},
): Tensor {
  refuseOthers(others);
  const divergence = nearest(distributionA, distributionB);
  if (divergence === undefined) {
    const [a, b] = [distributionA, distributionB].map(pythonType);
    throw new NotImplementedError(
      `No KL(distribution_a || distribution_b) registered for distribution_a type ${a} and distribution_b type ${b}`,
    );
  }
  return getDefaultGraph().nameScope("KullbackLeibler", () => {
    const value = divergence(distributionA, distributionB, { name });
    if (allowNanStats ?? true) return value;
    const kl = identity(value, { name: "kl" });
    const says = `KL calculation between ${distributionA.name} and ${distributionB.name} returned NaN values (and was called with allow_nan_stats=False). Values:`;
    const isFree = logicalNot(reduceAny(isNan(kl)));
    return kl.graph.controlDependencies([Assert(isFree, [says, kl])], () => identity(kl, { name: "checked_kl" }));
  });
}

/** H(ref) + KL(ref ‖ other). */
export const crossEntropy = (ref: Compared, other: Compared, { allowNanStats, name, ...others }: DivergenceOptions = {}): Tensor => {
  refuseOthers(others);
  return inNameScope({ name }, "cross_entropy", [], () => add(ref.entropy(), klDivergence(ref, other, { allowNanStats })));
};

type Register = <F extends Divergence>(klFn: F) => F;
export interface RegisterKL extends Register {}
/** Called with the function that computes the divergence of two classes, it registers it: `new RegisterKL(A, B)((a, b, { name }) => …)`, TensorFlow's
 *  decorator. TF: tf.distributions.RegisterKL. @throws ValueError if there is one. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: what the constructor returns is the function
export class RegisterKL {
  constructor(distClsA: DistributionClass, distClsB: DistributionClass) {
    const register = <F extends Divergence>(klFn: F): F => {
      if (typeof klFn !== "function") throw new TypeError(`kl_fn must be callable, received: ${String(klFn)}`);
      const known = divergenceOf(distClsA, distClsB);
      if (known !== undefined)
        throw new ValueError(`KL(${distClsA.name} || ${distClsB.name}) has already been registered to: ${known.name || String(known)}`);
      const row = registered.get(distClsA) ?? new Map<object, Divergence>();
      registered.set(distClsA, row.set(distClsB, klFn));
      return klFn;
    };
    // biome-ignore lint/correctness/noConstructorReturn: it is called like a function, as the decorator is in Python
    return Object.setPrototypeOf(register, new.target.prototype) as RegisterKL;
  }
}
