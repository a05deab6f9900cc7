// The operators of ragged tensors, under the names of those of tensors: `rt.add(1)`, `rt.less(other)`, `rt.at(0)`. Unlike tensors' they make the nodes
// of the functions of these names (`AddV2` is called Add), as in TensorFlow. TF: ops/ragged/ragged_operators.

import type { IndexSpec } from "../../graph/tensor-operators.ts";
import { abs, negative } from "../../ops/math/functions.ts";
import * as math from "../../ops/math/math.ts";
import * as comparison from "../../ops/math/comparison.ts";
import { binary, type Ragged, type RaggedLike, unary } from "./ragged-elementwise.ts";
import { raggedGetItem } from "./ragged-selection.ts";
import type { RaggedTensor } from "./ragged-tensor.ts";

const twoSided = () => ({
  add: math.add,
  sub: math.subtract,
  mul: math.multiply,
  div: math.truediv,
  truediv: math.truediv,
  floordiv: math.floordiv,
  mod: math.floormod,
  pow: math.pow,
  less: comparison.less,
  lessEqual: comparison.lessEqual,
  greater: comparison.greater,
  greaterEqual: comparison.greaterEqual,
  equal: comparison.equal,
  notEqual: comparison.notEqual,
  and: comparison.logicalAnd,
  or: comparison.logicalOr,
  xor: comparison.logicalXor,
  logicalAnd: comparison.logicalAnd,
  logicalOr: comparison.logicalOr,
});
const oneSided = () => ({ neg: negative, abs, invert: comparison.logicalNot, logicalNot: comparison.logicalNot });

type RaggedOperators = {
  [K in keyof ReturnType<typeof twoSided>]: (y: RaggedLike) => RaggedTensor;
} & { [K in keyof ReturnType<typeof oneSided>]: () => RaggedTensor } & {
  /** Python's `rt[…]`: `rt.at(0)` is a row, `rt.at([], [1, null])` all rows without their first elements. */
  at(...spec: readonly IndexSpec[]): Ragged;
};

declare module "./ragged-tensor.ts" {
  interface RaggedTensor extends RaggedOperators {}
}

/** Gives ragged tensors their operators. May be called again. */
export function attachRaggedOperators(target: { readonly prototype: object }): void {
  if ("at" in target.prototype) return;
  const define = (name: string, value: (this: RaggedTensor, ...given: never[]) => Ragged): unknown =>
    Object.defineProperty(target.prototype, name, { value, writable: true, configurable: true });
  for (const [name, plain] of Object.entries(twoSided()))
    define(name, function (y: RaggedLike) {
      return binary(plain, this, y);
    });
  for (const [name, plain] of Object.entries(oneSided()))
    define(name, function () {
      return unary(plain, this);
    });
  define("at", function (...spec: IndexSpec[]) {
    return raggedGetItem(this, ...spec);
  });
}
