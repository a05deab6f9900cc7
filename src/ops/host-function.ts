// A JavaScript function as a node: tf.pyFunc. It runs on the host between compiled segments, on whole arrays. A graph with such a node is not
// portable: an export holds only the function's token.

import type { DType } from "../base/dtype.ts";
import { InvalidArgumentError } from "../base/errors.ts";
import { type ArrayLike, NDArray } from "../base/ndarray.ts";
import { TensorShape } from "../base/shape.ts";
import * as attr from "../graph/attributes.ts";
import type { TensorLike } from "../graph/conversion.ts";
import { convertToTensor } from "../graph/conversion.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import type { Graph } from "../graph/graph.ts";
import { defineOp, type Named } from "../graph/op-definition.ts";
import type { Operation, Tensor } from "../graph/operation.ts";

/** Takes the inputs' arrays, gives one value for each output (or a promise of them). */
export type HostFunction = (...inputs: NDArray[]) => ArrayLike | readonly ArrayLike[] | null | undefined | Promise<unknown>;

/** The functions of a graph, by token. */
const functionsOf = (graph: Graph): Map<string, HostFunction> => graph.attached(functionsOf, () => new Map<string, HostFunction>());

const fields = {
  inputs: { input: "Tin" },
  outputs: { output: "Tout" },
  attrs: { token: attr.string(), Tin: attr.types(undefined, { minimum: 0 }), Tout: attr.types(undefined, { minimum: 0 }) },
  shape: ({ Tout }: { Tout: readonly DType[] }) => Tout.map(() => TensorShape.unknown()),
  gradient: "none",
  host: async (
    { input, token, Tout }: { input: readonly NDArray[]; token: string; Tout: readonly DType[] },
    { op }: { op: Operation },
  ): Promise<NDArray[]> => {
    const func = functionsOf(op.graph).get(token);
    if (func === undefined)
      throw new InvalidArgumentError(
        `callback ${token} is not found\n\nThe function of a PyFunc node lives in the program that made the graph.`,
      );
    const result = await func(...input);
    const values =
      Tout.length === 1 && !isListOfOne(result) ? [result] : result === null || result === undefined ? [] : (result as unknown[]);
    if (!Array.isArray(values) || values.length !== Tout.length)
      throw new InvalidArgumentError(
        `${token} returns ${Array.isArray(values) ? values.length : 1} values, but expects to see ${Tout.length} values.`,
      );
    return values.map((value: unknown, i) => typed(value as ArrayLike, Tout[i], i));
  },
} as const;

/** A list that holds the one result, rather than being it. */
const isListOfOne = (result: unknown): result is readonly [NDArray] =>
  Array.isArray(result) && result.length === 1 && result[0] instanceof NDArray;

function typed(value: ArrayLike, dtype: DType, i: number): NDArray {
  if (value instanceof NDArray && value.dtype !== dtype)
    throw new InvalidArgumentError(`${i}-th value returned by pyfunc_0 is ${value.dtype}, but expects ${dtype}`);
  return NDArray.from(value, dtype);
}

/** Calls a function of the host; one with a state of its own runs in every run. */
export const PyFunc = defineOp("PyFunc", { ...fields, stateful: true });
/** The same for a function whose results depend on nothing but its inputs. */
export const PyFuncStateless = defineOp("PyFuncStateless", fields);

export interface PyFuncOptions extends Named {
  /** With false the function's results depend on its inputs alone. Default true. */
  readonly stateful?: boolean | null;
}

function makeNode(
  func: HostFunction,
  inp: readonly TensorLike[],
  Tout: DType | readonly DType[],
  { stateful, name }: PyFuncOptions,
): Tensor | readonly Tensor[] | Operation {
  const inputs = inp.map(value => convertToTensor(value));
  const graph = inputs[0]?.graph ?? getDefaultGraph();
  const functions = functionsOf(graph);
  const token = `pyfunc_${functions.size}`;
  functions.set(token, func);
  const types = typeof Tout === "string" ? [Tout] : [...Tout];
  const op = stateful === false ? PyFuncStateless : PyFunc;
  const outputs = graph.asDefault(() => op({ input: inputs, token, Tin: inputs.map(({ dtype }) => dtype), Tout: types }, { name }));
  return typeof Tout === "string" ? outputs[0] : outputs;
}

/** The results of a JavaScript function of arrays as tensors of the given types: `pyFunc(x => NDArray, [x], "float32")`. Their shapes are unknown:
 *  use setShape. No gradient flows through it. TF: tf.py_func. */
export function pyFunc(func: HostFunction, inp: readonly TensorLike[], Tout: DType, options?: PyFuncOptions): Tensor;
export function pyFunc(func: HostFunction, inp: readonly TensorLike[], Tout: readonly DType[], options?: PyFuncOptions): readonly Tensor[];
export function pyFunc(
  func: HostFunction,
  inp: readonly TensorLike[],
  Tout: DType | readonly DType[],
  options: PyFuncOptions = {},
): Tensor | readonly Tensor[] | Operation {
  return makeNode(func, inp, Tout, options);
}

/** The same under its newer name. TF: tf.numpy_function. */
export const numpyFunction: typeof pyFunc = pyFunc;
