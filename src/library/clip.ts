// Clipping by norms; clipByValue is in ops/math.ts.

import { type TensorLike, convertToTensor } from "../graph/conversion.ts";
import { pythonClass } from "../base/python-text.ts";
import { IndexedSlices } from "../graph/indexed-slices.ts";
import { Tensor } from "../graph/operation.ts";
import { collect, refuseOthers } from "../ops/arguments.ts";
import { constant, identity, onesLike, rank, size } from "../ops/array/array.ts";
import { where } from "../ops/array/selection.ts";
import { range } from "../ops/array/ranges.ts";
import { sqrt, rsqrt } from "../ops/math/functions.ts";
import { cast } from "../ops/math/cast.ts";
import { maximum, minimum } from "../ops/math/math.ts";
import { reduceSum } from "../ops/math/reduction.ts";
import { inNameScope } from "../ops/named.ts";
import { L2Loss } from "../ops/nn/nn.ts";
import { stack } from "../ops/array/slicing.ts";
import { add, greater, mul, sub, truediv } from "../ops/operators.ts";

interface Named {
  readonly name?: string | null;
}

type Clippable = TensorLike | IndexedSlices;
type Clipped<T> = T extends IndexedSlices ? IndexedSlices : T extends null | undefined ? null : Tensor;

const valuesOf = (t: Clippable, name: string): Tensor => convertToTensor(t instanceof IndexedSlices ? t.values : t, { name });
const like = (t: unknown, values: Tensor): Tensor | IndexedSlices =>
  t instanceof IndexedSlices ? new IndexedSlices(values, t.indices, t.denseShape) : values;

interface NormOptions extends Named {
  /** Dimensions that make up one norm; default all. */
  readonly axes?: readonly number[] | null;
}

/** t · clipNorm / max(‖t‖, clipNorm): shortened to at most `clipNorm`. TF: tf.clip_by_norm. */
export function clipByNorm<T extends Clippable>(
  t: T,
  clipNorm: TensorLike,
  ...rest: readonly (NormOptions | readonly number[] | string | null)[]
): Clipped<T> {
  const { axes, name } = collect<NormOptions>(["axes", "name"], rest);
  return inNameScope({ name: name ?? undefined }, "clip_by_norm", [t, clipNorm], scope => {
    const values = valuesOf(t, "t");
    const limit = typeof clipNorm === "number" ? Math.max(clipNorm, 0) : cast(maximum(clipNorm, 0), values.dtype);
    const squares = reduceSum(mul(values, values), axes ?? null, { keepdims: true });
    const positive = greater(squares, 0);
    const safe = where(positive, squares, onesLike(squares)) as Tensor;
    const norm = where(positive, sqrt(safe), squares) as Tensor;
    const scaled = mul(values, limit);
    return like(t, identity(truediv(scaled, maximum(norm, limit)), { name: scope })) as Clipped<T>;
  });
}

/** √(Σ ‖t‖²) over all tensors of the list; null entries do not count. TF: tf.global_norm. */
export function globalNorm(tList: readonly (Clippable | null)[], { name, ...others }: Named = {}): Tensor {
  refuseOthers(others);
  assertList(tList);
  return inNameScope({ name: name ?? undefined }, "global_norm", [...tList], () => {
    const values = tList.map((t, i) => (t === null ? null : valuesOf(t, `t_${i}`)));
    const halves = values
      .filter(value => value !== null)
      .map(value => value.graph.colocateWith(value.op, undefined, () => L2Loss({ t: value })));
    const half = reduceSum(stack(halves));
    return sqrt(mul(half, constant(2, half.dtype)), { name: "global_norm" });
  });
}

/** How Python would name the class of what was given. */
const className = (value: unknown): string =>
  value instanceof Tensor ? "<class 'tensorflow.python.framework.ops.SymbolicTensor'>" : `${pythonClass(value)}`;

function assertList(tList: unknown): void {
  if (!Array.isArray(tList)) throw new TypeError(`\`t_list\` should be a sequence of tensors. Received ${className(tList)}.`);
}

interface GlobalOptions extends Named {
  /** The norm to use in place of that of the list. */
  readonly useNorm?: TensorLike | null;
}

/** All tensors scaled by the same factor, so that their joint norm is at most `clipNorm`; returns them and the norm. Not a finite norm: all NaN.
 *  TF: tf.clip_by_global_norm. */
export function clipByGlobalNorm<const L extends readonly (Clippable | null)[]>(
  tList: L,
  clipNorm: TensorLike,
  ...rest: readonly (GlobalOptions | TensorLike | null)[]
): [clipped: { -readonly [K in keyof L]: Clipped<L[K]> }, globalNorm: Tensor] {
  assertList(tList);
  const { useNorm, name } = collect<GlobalOptions>(["useNorm", "name"], rest);
  const norm = useNorm ? convertToTensor(useNorm) : globalNorm(tList, { name });
  const clipped = inNameScope({ name: name ?? undefined }, "clip_by_global_norm", [...tList, clipNorm], scope => {
    if (typeof clipNorm === "string") throw new TypeError(`\`x\` and \`y\` must have the same dtype, got tf.${norm.dtype} != tf.string.`);
    const finite = mul(clipNorm, minimum(truediv(1, norm), truediv(constant(1, norm.dtype), clipNorm)));
    // Adds 0 to a finite scale, and NaN where the norm is infinite or NaN.
    const scale = add(finite, sub(norm, norm));
    const values = tList.map((t, i) => (t === null ? null : valuesOf(t, `t_${i}`)));
    return values.map((value, i) =>
      value === null
        ? null
        : value.graph.colocateWith(value.op, undefined, () =>
            like(tList[i], identity(mul(value, cast(scale, value.dtype)), { name: `${scope}_${i}` })),
          ),
    );
  });
  return [clipped as { -readonly [K in keyof L]: Clipped<L[K]> }, norm];
}

/** t · clipNorm / max(‖t‖ / size, clipNorm). TF: tf.clip_by_average_norm. */
export function clipByAverageNorm(t: TensorLike, clipNorm: TensorLike, { name, ...others }: Named = {}): Tensor {
  refuseOthers(others);
  return inNameScope({ name: name ?? undefined }, "clip_by_average_norm", [t, clipNorm], scope => {
    const value = convertToTensor(t, { name: "t" });
    const count = cast(size(value), "float32");
    const inverse = rsqrt(reduceSum(mul(value, value), range(rank(value))));
    const scaled = mul(value, clipNorm);
    const factor = minimum(mul(inverse, count), truediv(constant(1), clipNorm));
    return identity(mul(scaled, factor), { name: scope });
  });
}
