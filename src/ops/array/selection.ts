// Selection by conditions: where (Select, SelectV2, Where) and booleanMask.

import { ValueError } from "../../base/errors.ts";
import { NDArray, numbersIn } from "../../base/ndarray.ts";
import { broadcastShapes, TensorShape, sameShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Gradients, type Named } from "../../graph/op-definition.ts";
import { Tensor } from "../../graph/operation.ts";
import { staticValue } from "../../graph/static-value.ts";
import * as ir from "../../ir/build.ts";
import { s } from "../../ir/scalar.ts";
import { collect, need } from "../arguments.ts";
import { reshape, shape, squeeze, zeros, zerosLike } from "./array.ts";
import { gather } from "./gather.ts";
import { concat, getItem } from "./slicing.ts";
import { reduceToOperands } from "../math/math.ts";
import { Prod } from "../math/reduction.ts";
import { inNameScope, type NameOption } from "../named.ts";

/** t where the condition holds, else e: all of one shape, or the condition a scalar or a vector over the first axis. */
export const Select = defineOp("Select", {
  inputs: { condition: "bool", t: "T", e: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type() },
  shape: ({ condition, t, e }) => {
    const merged = t.mergeWith(e);
    if (condition.rank === null || merged.dims === null || condition.rank === 0) return merged;
    if (condition.rank === 1 && merged.dims.length !== 1) {
      if (merged.dims.length === 0) throw new ValueError("Shapes must be equal rank, but are 0 and 1");
      condition.mergeWith(merged.slice(0, 1));
      return merged;
    }
    return condition.rank === 1 && merged.rank === 1 ? condition.mergeWith(merged) : merged.mergeWith(condition);
  },
  gradient: ({ condition, t }, d): Gradients => {
    const none = zerosLike(t);
    return { t: where(condition, d.output, none), e: where(condition, none, d.output) };
  },
  isLenient: true,
  checks: ({ condition, t, e }, { name, type }) => {
    if (condition.length === 0 || (condition.length === 1 && t.length !== 1)) {
      const isRows = condition.length === 1;
      need(!isRows || t.length > 0, () => `'then' must be at least a vector, but saw shape: [${t}]`);
      need(
        !isRows || t[0] === condition[0],
        () => `Number of batches of 'then' must match size of 'cond', but saw: ${t[0]} vs. ${condition[0]}`,
      );
      return need(sameShape(t, e), () => `'then' and 'else' must have the same size.  but received: [${t}] vs. [${e}]`);
    }
    [t, e].forEach(
      (dims, k) =>
        void need(
          sameShape(dims, condition),
          () =>
            `Inputs to operation ${name} of type ${type} must have the same size and shape.  Input 0: [${condition}] != input ${k + 1}: [${dims}]`,
        ),
    );
  },
  lower: ({ condition, t, e }) =>
    ir.generate(t.shape, i => s.select(s.load(condition, i.slice(0, condition.shape.length)), s.load(t, i), s.load(e, i))),
});

/** t where the condition holds, else e, all three broadcast. */
export const SelectV2 = defineOp("SelectV2", {
  inputs: { condition: "bool", t: "T", e: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type() },
  shape: ({ condition, t, e }) => broadcastShapes(condition, broadcastShapes(t, e)),
  checks: ({ condition, t, e }) => {
    const sizesAt = (k: number): Set<number> => new Set([condition, t, e].map(dims => dims.at(-1 - k) ?? 1).filter(size => size !== 1));
    const rank = Math.max(condition.length, t.length, e.length);
    const isFit = Array.from({ length: rank }, (_, k) => sizesAt(k).size <= 1).every(Boolean);
    need(isFit, () => `condition [${condition}], then [${t}], and else [${e}] must be broadcastable`);
  },
  gradient: ({ condition, t, e, output }, d): Gradients => {
    const none = zeros([], d.output.dtype);
    const [gt, ge] = [whereV2(condition, d.output, none), whereV2(condition, none, d.output)];
    return { t: reduceToOperands(t, output, gt, null)[0], e: reduceToOperands(e, output, ge, null)[0] };
  },
  partial: ({ condition, t, e }) => {
    if (!condition || !t || !e || [condition, t, e].some(value => value.shape.length > 1)) return undefined;
    const count = Math.max(condition.values.length, t.values.length, e.values.length);
    const at = (value: typeof t, i: number): number | null => (value.values.length === 1 ? value.values[0] : value.values[i]);
    const values = Array.from({ length: count }, (_, i) => {
      const c = at(condition, i);
      return c === null ? null : at(c ? t : e, i);
    });
    return { shape: [condition, t, e].some(value => value.shape.length === 1) ? [count] : [], values };
  },
  lower: ({ condition, t, e }) => ir.map((c, x, y) => s.select(c, x, y), condition, t, e),
});

/** The positions of elements that are true or not zero, one row each. How many there are is known only with the values. */
export const Where = defineOp("Where", {
  inputs: { input: "T" },
  outputs: { index: "int64" },
  attrs: { T: attr.type([...attr.numbers, "bool"], "bool") },
  shape: ({ input }) => new TensorShape([null, input.rank]),
  gradient: "none",
  checks: ({ input }) => need(input.length >= 1 && input.length <= 8, () => `WhereOp : Unhandled input dimensions: ${input.length}`),
  compileTimeInputs: ["input"],
  lower: ({ input }) => {
    const { shape, rank } = input;
    const words = numbersIn(input);
    const width = words.length / Math.max(input.size, 1);
    const flags = new Uint8Array(input.size);
    let count = 0;
    for (let i = 0; i < flags.length; i++)
      if (words[width * i] !== 0 || words[width * (i + 1) - 1] !== 0) {
        flags[i] = 1;
        count++;
      }
    const result = new BigInt64Array(count * rank);
    // As pairs of 32 bits: a bigint for each place would take most of the time.
    const halves = new Int32Array(result.buffer);
    const place = Array<number>(rank).fill(0);
    const inner = shape[rank - 1];
    for (let from = 0, at = 0; at < halves.length; from += inner) {
      for (let k = 0; k < inner; k++) {
        if (flags[from + k] === 0) continue;
        for (let axis = 0; axis < rank - 1; axis++) halves[at + 2 * axis] = place[axis];
        at += 2 * rank;
        halves[at - 2] = k;
      }
      for (let axis = rank - 2; axis >= 0 && ++place[axis] === shape[axis]; axis--) place[axis] = 0;
    }
    return ir.constant(new NDArray("int64", [count, rank], result));
  },
});

const positions = (condition: TensorLike, name: Named["name"]): Tensor =>
  inNameScope({ name }, "Where", [condition], scope => {
    const tensor = convertToTensor(condition, { name: "condition", preferredDtype: condition instanceof Tensor ? undefined : "bool" });
    return Where({ input: tensor }, scope);
  });

type Branch = TensorLike | null;

/** x where the condition holds, else y (Select: one shape, or a condition of the first axis); without x and y the positions that hold,
 *  int64 `[count, rank]`. TF: tf.where. @throws ValueError if only one of x and y is given. */
export function where(condition: TensorLike, x: Branch, y: Branch, options?: NameOption): Tensor;
export function where(condition: TensorLike, options?: Named & { readonly x?: Branch; readonly y?: Branch }): Tensor;
export function where(condition: TensorLike, ...rest: unknown[]): Tensor {
  const { x, y, name } = collect<Named & { x: TensorLike; y: TensorLike }>(["x", "y", "name"], rest);
  if (x === undefined && y === undefined) return positions(condition, name);
  if (x === undefined || y === undefined) throw new ValueError("x and y must both be non-None or both be None.");
  return Select({ condition, t: x, e: y }, { name });
}

/** x where the condition holds, else y, all broadcast; without x and y the positions that hold. TF: tf.where_v2. */
export function whereV2(condition: TensorLike, x: Branch, y: Branch, options?: NameOption): Tensor;
export function whereV2(condition: TensorLike, options?: Named & { readonly x?: Branch; readonly y?: Branch }): Tensor;
export function whereV2(condition: TensorLike, ...rest: unknown[]): Tensor {
  const { x, y, name } = collect<Named & { x: TensorLike; y: TensorLike }>(["x", "y", "name"], rest);
  if (x === undefined && y === undefined) return positions(condition, name);
  if (x === undefined || y === undefined) throw new ValueError("x and y must both be non-None or both be None.");
  return SelectV2({ condition, t: x, e: y }, { name });
}

interface MaskOptions extends Named {
  readonly axis?: number | Tensor | null;
}

/** The elements where a mask is true; the mask covers consecutive axes from `axis` (0). TF: tf.boolean_mask(tensor, mask, name, axis).
 *  @throws ValueError for a scalar mask, a mask of unknown rank, or shapes that do not fit. */
export function booleanMask(tensor: TensorLike, mask: TensorLike, ...rest: unknown[]): Tensor {
  const { name, axis: given = 0 } = collect<MaskOptions>(["name", "axis"], rest);
  return inNameScope({ name }, "boolean_mask", [tensor, mask], () => {
    const x = convertToTensor(tensor, { name: "tensor" });
    const m = convertToTensor(mask, { name: "mask" });
    const maskRank = m.shape.rank;
    if (maskRank === 0) throw new ValueError("mask cannot be scalar.");
    if (maskRank === null)
      throw new ValueError(
        "Number of mask dimensions must be specified, even if some dimensions are None.  E.g. shape=[None] is ok, but shape=None is not.",
      );
    const axis = given instanceof Tensor ? Number(staticValue(given)?.item()) : (given ?? 0);
    if (Number.isNaN(axis)) throw new ValueError("The axis of a boolean mask must be known while the graph is built.");
    const covered = x.shape.slice(axis, axis + maskRank);
    if (!covered.isCompatibleWith(m.shape)) throw new ValueError(`Shapes ${covered} and ${m.shape} are incompatible`);
    const leading = Prod({ input: getItem(shape(x), [axis, axis + maskRank]), reductionIndices: [0] });
    const [head, tail] = [getItem(shape(x), [null, axis]), getItem(shape(x), [axis + maskRank, null])];
    const flat = reshape(x, concat([head, [leading], tail], 0));
    flat.setShape(
      x.shape
        .slice(0, axis)
        .concatenate([covered.size])
        .concatenate(x.shape.slice(axis + maskRank)),
    );
    const indices = squeeze(whereV2(reshape(m, [-1])), [1]);
    return gather(flat, indices, { axis });
  });
}
