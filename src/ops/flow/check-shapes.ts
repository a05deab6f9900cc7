// Shapes of several tensors checked together, sizes being numbers or names for what must be the same everywhere.

import { UnimplementedError, ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Named } from "../../graph/op-definition.ts";
import type { Operation, Tensor } from "../../graph/operation.ts";
import { constant, rank as rankOf, shape as shapeOf } from "../array/array.ts";
import { getItem } from "../array/slicing.ts";
import { equal } from "../math/comparison.ts";
import { collect } from "../arguments.ts";
import { inNameScope } from "../named.ts";
import { assertRank, assertRankAtLeast, assertRankIn, type CheckOptions } from "./check.ts";
import { cond } from "./control-flow-contexts.ts";
import { Assert, group } from "./control-flow.ts";

/** A size, a name for one, or null (".") for any; "..." or "*" at the beginning stands for any number of sizes. */
export type SymbolicShape = string | readonly (number | string | null)[];

interface Constraint {
  readonly tensor: Tensor;
  /** Are there sizes before those that are given? */
  readonly isOpen: boolean;
  readonly sizes: readonly (number | string | null)[];
  /** The sizes that the tensor has: numbers, as far as they are known. */
  readonly actual: readonly (number | Tensor)[] | Tensor;
}

const isAny = (symbol: unknown): boolean => symbol === null || symbol === undefined || symbol === ".";
const isRest = (symbol: unknown): boolean => symbol === "..." || symbol === "*";
const numberIn = (symbol: number | string | null | Tensor): number | null =>
  typeof symbol === "number" ? symbol : typeof symbol === "string" && /^\s*[-+]?\d+\s*$/.test(symbol) ? Number(symbol) : null;
const whole = (size: number | Tensor): Tensor => convertToTensor(typeof size === "number" ? NDArray.from(size, "int32") : size);

function actualSizes(x: Tensor): Constraint["actual"] {
  const sizes = shapeOf(x);
  const { dims } = x.shape;
  if (dims?.length === 0) return [1];
  if (dims !== null) return dims.map((size, axis) => size ?? getItem(sizes, axis));
  const one = (): Tensor => constant(NDArray.from([1], "int32"));
  return cond(equal(rankOf(x), 0), one, () => sizes) as Tensor;
}

function constraintOf(tensor: Tensor, symbols: SymbolicShape, prefix: string): Constraint {
  if (typeof symbols !== "string" && !Array.isArray(symbols))
    throw new ValueError(
      `${prefix}Tensor ${tensor.name}.  Specified shape must be an iterable.  An iterable has the attribute \`__iter__\` or \`__getitem__\`.  Received specified shape: ${symbols}`,
    );
  const list: readonly (number | string | null)[] = typeof symbols === "string" ? [...symbols] : symbols;
  const misplaced = list.findIndex((symbol, i) => i > 0 && isRest(symbol));
  if (misplaced > 0)
    throw new ValueError(
      `${prefix}Tensor ${tensor.name} specified shape index ${misplaced}.  Symbol \`...\` or \`*\` for a variable number of unspecified dimensions is only allowed as the first entry`,
    );
  const isOpen = list.length > 0 && isRest(list[0]);
  const actual = actualSizes(tensor);
  const sizes = isOpen ? list.slice(1) : list;
  return { tensor, isOpen, actual, sizes: sizes.length === 0 ? [1] : sizes };
}

function rankCheck({ tensor, isOpen, sizes }: Constraint, options: CheckOptions): Operation | undefined {
  const count = sizes.length;
  if (isOpen) return count <= 1 ? undefined : assertRankAtLeast(tensor, NDArray.from(count, "int32"), options);
  const ranks = [0, 1].map(rank => NDArray.from(rank, "int32"));
  return count <= 1 ? assertRankIn(tensor, ranks, options) : assertRank(tensor, NDArray.from(count, "int32"), options);
}

const names = ["data", "summarize", "message", "name"] as const;

/** Fails the run unless tensors have the given shapes, `[[x, ["N", 3]], [y, ["N", "Q"]]]`: equal names are equal sizes. TF: tf.debugging.assert_shapes.
 *  @throws ValueError at once where known shapes differ. */
export function assertShapes(
  shapes: readonly (readonly [TensorLike, SymbolicShape | null])[] | ReadonlyMap<Tensor, SymbolicShape | null>,
  ...rest: unknown[]
): Operation {
  const options = collect<CheckOptions & Named>(names, rest);
  const { data, summarize, message, name } = options;
  const prefix = message ? `${message}.  ` : "";
  const given = [...shapes].filter((pair): pair is [TensorLike, SymbolicShape] => pair[1] !== null);
  const { ranks, checks } = inNameScope({ name }, "assert_shapes", [given.map(([x]) => x), data], () => {
    const tensors = given.map(([x]) => {
      if (typeof x === "object" && x !== null && "denseShape" in x)
        throw new UnimplementedError("assert_shapes of a SparseTensor is not there: check x.denseShape and x.values");
      return convertToTensor(x);
    });
    const constraints = tensors.map((tensor, i) => constraintOf(tensor, given[i][1], prefix));
    const ranks = constraints.map(constraint => rankCheck(constraint, options)).filter(check => check !== undefined);
    const behindRanks = <R>(body: () => R): R => getDefaultGraph().controlDependencies(ranks, body);
    const known = new Map<string, { readonly size: number | Tensor; readonly by: Tensor; readonly axis: number }>();
    const checks: Operation[] = [];
    for (const { tensor, isOpen, sizes, actual } of constraints) {
      sizes.forEach((symbol, i) => {
        if (isAny(symbol)) return;
        const axis = isOpen ? i - sizes.length : i;
        const size = (): number | Tensor =>
          behindRanks(() => (Array.isArray(actual) ? (actual.at(axis) as number | Tensor) : getItem(actual as Tensor, axis)));
        const number = numberIn(symbol);
        const before = number === null ? known.get(symbol as string) : undefined;
        if (number === null && before === undefined) {
          known.set(symbol as string, { size: size(), by: tensor, axis });
          return;
        }
        const wanted = number ?? (before?.size as number | Tensor);
        const reason = before === undefined ? "Specified explicitly" : `Specified by tensor ${before.by.name} dimension ${before.axis}`;
        const own = size();
        if (typeof own === "number" && typeof wanted === "number") {
          if (own === wanted) return;
          throw new ValueError(
            `${prefix}${reason}.  Tensor ${tensor.name} dimension ${axis} must have size ${wanted}.  Received size ${own}, shape ${tensor.shape}`,
          );
        }
        const isSame = equal(whole(own), whole(wanted));
        const place = NDArray.from(axis, "int32");
        const shownSize = typeof wanted === "number" ? NDArray.from(wanted, "int32") : wanted;
        const shown = [prefix, reason, `Tensor ${tensor.name} dimension`, place, "must have size", shownSize, "Received shape: "];
        checks.push(Assert(isSame, data ?? [...shown, shapeOf(tensor)], { summarize: summarize ?? undefined }));
      });
    }
    return { ranks, checks };
  });
  return getDefaultGraph().controlDependencies(ranks, () => group(checks));
}
