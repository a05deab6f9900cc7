// Fetch structures: one tensor, operations, names, nested arrays and objects; the results come back in the same nesting, typed.

import type { ArrayLike, NDArray } from "../base/ndarray.ts";
import { ValueError, withHint } from "../base/errors.ts";
import { type Composite, isComposite } from "../graph/composite.ts";
import { pythonStr, pythonType } from "../base/python-text.ts";
import type { Graph } from "../graph/graph.ts";
import { IndexedSlices } from "../graph/indexed-slices.ts";
import { SparseTensor } from "../graph/sparse-tensor.ts";
import { type Operation, Tensor } from "../graph/operation.ts";

/** A variable or other object that names a graph element. */
export interface Fetchable {
  asGraphElement(): Tensor | Operation;
}

/** What may be fetched. */
export type Fetches =
  | Tensor
  | Operation
  | IndexedSlices
  | SparseTensor
  | Composite
  | Fetchable
  | string
  | readonly Fetches[]
  | { readonly [name: string]: Fetches };

/** A list whose places have names (an LSTM's state): its result is another of the kind. */
interface NamedList {
  withItems(items: readonly unknown[]): unknown;
}

/** What a run returns for a fetch: an array for tensors and variables, null for operations, the same nesting for structures. */
// `any`: of fetches whose structure is not known while checking, nothing is known of the results
export type Results<F> = Fetches extends F
  ? any
  : F extends Operation
    ? null
    : F extends Tensor & readonly unknown[]
      ? // `any`: one tensor, or several (what a queue gives)
        any
      : F extends Tensor | Fetchable
        ? NDArray
        : F extends Composite
          ? ReturnType<F["ofParts"]>
          : F extends SparseTensor
            ? SparseTensorValue
            : F extends IndexedSlices
              ? IndexedSlicesValue
              : F extends string
                ? // `any`: a name may mean a tensor ("x:0") or an operation ("x")
                  any
                : F extends NamedList
                  ? readonly NDArray[] & { readonly [K in keyof F as F[K] extends Tensor ? K : never]: NDArray }
                  : F extends readonly unknown[]
                    ? { -readonly [K in keyof F]: Results<F[K]> }
                    : F extends object
                      ? { -readonly [K in keyof F]: Results<F[K]> }
                      : never;

/** What a run gives for a sparse tensor, and what may be fed for one: coordinates `[n, rank]`, values `[n]`, the shape of the whole. TF: tf.SparseTensorValue. */
export class SparseTensorValue<I extends ArrayLike = NDArray, V extends ArrayLike = I, S extends ArrayLike = I> {
  readonly indices: I;
  readonly values: V;
  readonly denseShape: S;

  constructor(indices: I, values: V, denseShape: S) {
    this.indices = indices;
    this.values = values;
    this.denseShape = denseShape;
  }

  toString(): string {
    return `SparseTensorValue(indices=${this.indices}, values=${this.values}, dense_shape=${this.denseShape})`;
  }
}

/** TF: tf.IndexedSlicesValue. */
export class IndexedSlicesValue {
  readonly values: NDArray;
  readonly indices: NDArray;
  readonly denseShape: NDArray | null;

  constructor(values: NDArray, indices: NDArray, denseShape: NDArray | null) {
    this.values = values;
    this.indices = indices;
    this.denseShape = denseShape;
  }

  /** In the order of TensorFlow's tuple. */
  [Symbol.iterator](): ArrayIterator<NDArray | null> {
    return [this.values, this.indices, this.denseShape].values();
  }
}

/** Flat fetches, and how to put their results back. */
export interface FetchPlan {
  readonly tensors: readonly Tensor[];
  readonly targets: readonly Operation[];
  /** The results in the nesting of the fetches. */
  assemble(values: readonly NDArray[]): unknown;
  /** Are these fetches what was planned? The same elements in the same nesting, whether the lists around them are the same or not. */
  isOf(fetches: unknown): boolean;
}

type Part = Pick<FetchPlan, "assemble" | "isOf">;

/** @throws TypeError or ValueError with TensorFlow's text for what cannot be fetched. */
export function planFetches(graph: Graph, fetches: unknown): FetchPlan {
  const tensors: Tensor[] = [];
  const positions = new Map<Tensor, number>();
  const targets: Operation[] = [];
  const take = (tensor: Tensor): Part["assemble"] => {
    let at = positions.get(tensor);
    if (at === undefined) {
      at = tensors.length;
      positions.set(tensor, at);
      tensors.push(tensor);
    }
    const position = at;
    return values => values[position];
  };
  const visit = (fetch: unknown): Part => {
    if (Array.isArray(fetch)) return list(fetch, Array.from(fetch as unknown[], visit));
    if (fetch instanceof IndexedSlices || fetch instanceof SparseTensor) return slices(fetch, visit);
    if (isPlainObject(fetch)) return fields(fetch, visit);
    if (isComposite(fetch)) return composite(fetch, visit);
    const element = elementOf(graph, fetch);
    // What stands for an element may come to stand for another.
    const isItself = fetch === element || typeof fetch === "string";
    const isOf = (given: unknown): boolean => given === fetch && (isItself || graph.asGraphElement(given) === element);
    if (element instanceof Tensor) return { assemble: take(element), isOf };
    targets.push(element);
    return { assemble: () => null, isOf };
  };
  return { ...visit(fetches), tensors, targets };
}

function list(fetch: readonly unknown[] | (readonly unknown[] & NamedList), items: readonly Part[]): Part {
  const assemble = (values: readonly NDArray[]): unknown[] => {
    // Of its length from the start: a list that grows takes room for seventeen.
    const results = new Array<unknown>(items.length);
    for (let i = 0; i < items.length; i++) results[i] = items[i].assemble(values);
    return results;
  };
  const isOf = (given: readonly unknown[]): boolean => {
    if (given.length !== items.length) return false;
    for (let i = 0; i < items.length; i++) if (!items[i].isOf(given[i])) return false;
    return true;
  };
  if ("withItems" in fetch) return { assemble: values => fetch.withItems(assemble(values)), isOf: given => given === fetch && isOf(fetch) };
  return { assemble, isOf: given => Array.isArray(given) && !("withItems" in given) && isOf(given) };
}

function fields(fetch: Record<string, unknown>, visit: (fetch: unknown) => Part): Part {
  const entries = Object.entries(fetch).map(([name, item]) => [name, visit(item)] as const);
  // Outputs that are also taken by place, as through the compat door, give results that are.
  const hidden = Reflect.ownKeys(fetch).filter(key => !Object.prototype.propertyIsEnumerable.call(fetch, key));
  const ways: PropertyDescriptorMap = Object.fromEntries(hidden.map(key => [key, Reflect.getOwnPropertyDescriptor(fetch, key) ?? {}]));
  const byName: Part["assemble"] = values => Object.fromEntries(entries.map(([name, { assemble }]) => [name, assemble(values)]));
  return {
    assemble: hidden.length === 0 ? byName : values => Object.defineProperties(byName(values), ways),
    isOf: given =>
      isPlainObject(given) &&
      Object.keys(given).length === entries.length &&
      entries.every(([name, { isOf }]) => Object.hasOwn(given, name) && isOf(given[name])),
  };
}

function slices(fetch: IndexedSlices | SparseTensor, visit: (fetch: unknown) => Part): Part {
  const absent: Part["assemble"] = () => null;
  const [values, indices, denseShape] = [fetch.values, fetch.indices, fetch.denseShape].map(part => (part ? visit(part).assemble : absent));
  return {
    assemble: results => {
      const [given, at, shape] = [values, indices, denseShape].map(part => part(results));
      return fetch instanceof SparseTensor
        ? new SparseTensorValue(at as NDArray, given as NDArray, shape as NDArray)
        : new IndexedSlicesValue(given as NDArray, at as NDArray, shape as NDArray | null);
    },
    isOf: given => given === fetch,
  };
}

function composite(fetch: Composite, visit: (fetch: unknown) => Part): Part {
  const parts = fetch.parts.map(visit);
  return {
    assemble: values => fetch.ofParts(parts.map(({ assemble }) => assemble(values) as NDArray)),
    isOf: given => given === fetch,
  };
}

const isPlainObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" &&
  value !== null &&
  (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null);

function elementOf(graph: Graph, fetch: unknown): Tensor | Operation {
  if (fetch === null || fetch === undefined) throw nothingFetched();
  try {
    const element = graph.asGraphElement(fetch);
    if (!graph.isFetchable(element)) {
      const op = element instanceof Tensor ? element.op : element;
      throw new ValueError(
        `Operation ${op.name} has been marked as not fetchable. Typically this happens when it is defined in another function or code block. Use return values, explicit Python locals or TensorFlow collections to access it.`,
      );
    }
    return element;
  } catch (error) {
    if (error instanceof TypeError) {
      const refused = new TypeError(
        `Argument \`fetch\` = ${typeof fetch === "boolean" ? pythonStr(fetch) : String(fetch)} has invalid type "${pythonType(fetch)}" must be a string or Tensor. (${firstLine(error)})`,
      );
      throw fetch instanceof Promise ? withHint(refused, "It is a promise: await it, or fetch the tensor that it was made from.") : refused;
    }
    if (error instanceof Error && /not an element|does not exist|not in the graph|looks|not a valid/.test(error.message))
      throw new ValueError(`Argument \`fetch\` = ${String(fetch)} cannot be interpreted as a Tensor. (${quoted(error)})`, hintOf(error));
    throw error;
  }
}

const firstLine = (error: Error): string => error.message.split("\n\n")[0];
/** Python shows a KeyError's text in quotes. */
const quoted = (error: Error): string => (error.name === "KeyError" ? `"${firstLine(error)}"` : firstLine(error));
const hintOf = (error: Error): string | undefined => error.message.split("\n\n")[1];

const nothingFetched = (): TypeError =>
  withHint(
    new TypeError('Argument `fetch` = None has invalid type "NoneType". Cannot be None'),
    "Leave it out. tf.summary.mergeAll() without summaries, optimizers' slots that are not made yet and gradients that do not exist are null.",
  );
