// A JavaScript function as a node: tf.pyFunc. It runs on the host between compiled segments, on whole arrays. A graph with such a node is not
// portable: an export holds only the function's token, which means something to the program that made it and to no other.

import { type DType, isDType, noDtype } from "../../base/dtype.ts";
import { InvalidArgumentError, type OpError, OutOfRangeError, UnimplementedError, UnknownError, ValueError } from "../../base/errors.ts";
import { type ArrayLike, dtypeOfTypedArray, isTypedArray, NDArray } from "../../base/ndarray.ts";
import { pythonClass, pythonStr } from "../../base/python-text.ts";
import { TensorShape } from "../../base/shape.ts";
import { itemsOf } from "../../graph/iterating.ts";
import * as attr from "../../graph/attributes.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { graphFor } from "../../graph/default-graph.ts";
import type { Graph } from "../../graph/graph.ts";
import { defineOp, type Gradients, type Named } from "../../graph/op-definition.ts";
import { type Operation, Tensor } from "../../graph/operation.ts";
import { cTypeOf } from "./tensor-array-failures.ts";

/** Takes the inputs' arrays, gives one value for each output (or a promise of them). */
export type HostFunction = (...inputs: NDArray[]) => ArrayLike | readonly ArrayLike[] | null | undefined | Promise<unknown>;

/** The functions of the program by token, as long as the graph that they were given to lives. */
const registered = new Map<string, WeakRef<HostFunction>>();
let nextToken = 0;
const functionsOf = (graph: Graph): HostFunction[] => graph.attached(functionsOf, () => []);

function register(func: HostFunction, graph: Graph): string {
  const token = `pyfunc_${nextToken++}`;
  // A function of its own, so that one given to two graphs lives as long as each.
  const own: HostFunction = (...inputs) => func(...inputs);
  functionsOf(graph).push(own);
  registered.set(token, new WeakRef(own));
  return token;
}

function registeredAs(token: string): HostFunction {
  const func = registered.get(token)?.deref();
  if (func) return func;
  registered.delete(token);
  throw new InvalidArgumentError(
    `ValueError: Could not find callback with key=${token} in the registry.\n\nThe function of a PyFunc node lives in the program that made the graph.`,
  );
}

/** What TensorFlow makes of an error of the function. */
function failureOf(error: unknown): OpError {
  // JavaScript's StopIteration.
  if (error instanceof OutOfRangeError) return error;
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  if (error instanceof ValueError || error instanceof TypeError) return new InvalidArgumentError(text);
  return error instanceof UnimplementedError ? new UnimplementedError(text) : new UnknownError(text);
}

const fields = {
  inputs: { input: "Tin" },
  outputs: { output: "Tout" },
  attrs: { token: attr.string(), Tin: attr.types(undefined, { minimum: 0 }), Tout: attr.types(undefined, { minimum: 0 }) },
  shape: ({ Tout }: { Tout: readonly DType[] }) => Tout.map(() => TensorShape.unknown()),
  gradient: "none",
  host: async ({ input, token, Tout }: { input: readonly NDArray[]; token: string; Tout: readonly DType[] }): Promise<NDArray[]> => {
    const func = registeredAs(token);
    let result: unknown;
    try {
      result = await func(...input);
    } catch (error) {
      throw failureOf(error);
    }
    const isNothing = result === null || result === undefined;
    const values = isNothing ? [] : Tout.length === 1 && !isListOfOne(result) ? [result] : result;
    if (!Array.isArray(values) || values.length !== Tout.length)
      throw new InvalidArgumentError(
        `${token} returns ${Array.isArray(values) ? values.length : 1} values, but expects to see ${Tout.length} values.`,
      );
    return values.map((value: unknown, i) => typed(value as ArrayLike, Tout[i], i, token));
  },
} as const;

/** A list that holds the one result, rather than being it. */
const isListOfOne = (result: unknown): result is readonly [NDArray] =>
  Array.isArray(result) && result.length === 1 && result[0] instanceof NDArray;

function typed(value: ArrayLike, dtype: DType, i: number, token: string): NDArray {
  const given = value instanceof NDArray ? value.dtype : isTypedArray(value) ? dtypeOfTypedArray(value) : dtype;
  if (given !== dtype)
    throw new InvalidArgumentError(`${i}-th value returned by ${token} is ${cTypeOf(given)}, but expects ${cTypeOf(dtype)}`);
  return NDArray.from(value, dtype);
}

/** Calls a function of the host that TensorFlow would run eagerly. Its gradient is that of the calls in it, which nobody records here. */
export const EagerPyFunc = defineOp("EagerPyFunc", {
  ...fields,
  attrs: { ...fields.attrs, isAsync: attr.bool(false) },
  stateful: true,
  gradient: (_, __, { name }): Gradients => {
    throw new UnimplementedError(
      `The gradient of '${name}' is not known: its function computes on arrays.\n\nGive one by tf.customGradient, with tf.pyFunction for the values and another for the gradients.`,
    );
  },
});
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
  op: typeof PyFunc | typeof EagerPyFunc = stateful === false ? PyFuncStateless : PyFunc,
): Tensor | readonly Tensor[] | Operation {
  if (typeof func !== "function")
    throw new ValueError(`Expected func to be callable. Received func=${pythonStr(func)} of type ${pythonClass(func)}.`);
  for (const type of [Tout ?? null].flat()) if (!isDType(type)) throw noDtype(type);
  const inputs = [...itemsOf(inp)];
  const graph = graphFor(inputs.find(each => each instanceof Tensor)?.graph);
  const token = register(func, graph);
  const types = typeof Tout === "string" ? [Tout] : [...Tout];
  const outputs = graph.asDefault(() => op({ input: inputs, token, Tout: types }, { name }));
  if (types.length === 0) return graph.getOperations().at(-1) as Operation;
  return typeof Tout === "string" ? outputs[0] : outputs;
}

/** The results of a JavaScript function of arrays as tensors of the given types: `pyFunc(x => NDArray, [x], "float32")`. Their shapes are unknown:
 *  use setShape. No gradient flows through it. Its errors become UnknownError with their text (InvalidArgumentError for TypeError). TF: tf.py_func. */
export function pyFunc(func: HostFunction, inp: readonly TensorLike[], Tout: DType, options?: PyFuncOptions): Tensor;
export function pyFunc(func: HostFunction, inp: readonly TensorLike[], Tout: readonly [], options?: PyFuncOptions): Operation;
export function pyFunc(func: HostFunction, inp: readonly TensorLike[], Tout: readonly DType[], options?: PyFuncOptions): readonly Tensor[];
export function pyFunc(
  func: HostFunction,
  inp: readonly TensorLike[],
  Tout: DType | readonly DType[],
  options: PyFuncOptions = {},
): Tensor | readonly Tensor[] | Operation {
  return makeNode(func, inp, Tout, options);
}

/** The same as a node of another type, with the function's results converted to the types asked for. No gradient is known of it: see tf.customGradient.
 *  TF: tf.py_function. */
export function pyFunction(func: HostFunction, inp: readonly TensorLike[], Tout: DType, options?: Named): Tensor;
export function pyFunction(func: HostFunction, inp: readonly TensorLike[], Tout: readonly [], options?: Named): Operation;
export function pyFunction(func: HostFunction, inp: readonly TensorLike[], Tout: readonly DType[], options?: Named): readonly Tensor[];
export function pyFunction(
  func: HostFunction,
  inp: readonly TensorLike[],
  Tout: DType | readonly DType[],
  options: Named = {},
): Tensor | readonly Tensor[] | Operation {
  return makeNode(func, inp, Tout, options, EagerPyFunc);
}

/** The same under its newer name. TF: tf.numpy_function. */
export const numpyFunction: typeof pyFunc = pyFunc;
