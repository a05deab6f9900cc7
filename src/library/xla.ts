// tf.xla.experimental: asked for a compiler, this one answers.

import { convertToTensor, type TensorLike } from "../graph/conversion.ts";
import type { Tensor } from "../graph/operation.ts";
import { identity } from "../ops/array/array.ts";
import { flatten, type Nested } from "../ops/flow/nested.ts";

// any: inputs may be any nesting
type Computation = (...inputs: any[]) => Nested;

/** What `computation` gives of the inputs, as a list of tensors: every run is compiled whole. TF: tf.xla.experimental.compile. */
export function compile(computation: Computation, { inputs }: { readonly inputs?: readonly TensorLike[] | null } = {}): Tensor[] {
  const given = (inputs ?? []).map(input => identity(convertToTensor(input)));
  return flatten(computation(...given)).map(result => identity(convertToTensor(result as TensorLike)));
}

/** What `body` makes: every run is compiled whole. TF: tf.xla.experimental.jit_scope. */
export const jitScope = <R>(body: () => R): R => body();
