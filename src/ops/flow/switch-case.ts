// tf.switch_case: a node that calls one of several functions by its number, in plain graphs too.

import { isInteger } from "../../base/dtype.ts";
import { AssertionError, ValueError } from "../../base/errors.ts";
import { pythonStr, pythonType } from "../../base/python-text.ts";
import { representation } from "../../graph/conversion.ts";
import { IndexedSlices } from "../../graph/indexed-slices.ts";
import type { Named } from "../../graph/op-definition.ts";
import { Tensor } from "../../graph/operation.ts";
import { inNameScope } from "../named.ts";
import { type Branch, packResults } from "./control-flow-contexts.ts";
import { branch, branchOf } from "./function-graph.ts";
import { assertSameStructure, flatten, type Nested } from "./nested.ts";

/** The result of the function with the number `branchIndex` (an integer tensor), of `default` (else the last) for a number that has none. Functions
 *  are a list, a list of `[number, function]`, or an object of numbers from 0 on; all return the same structure of tensors of the same types. They
 *  are built in graphs of their own, which one Case node calls: what happens in them without giving a result, and variables of ref kind that are
 *  assigned to, belong outside. TF: tf.switch_case.
 *  @throws ValueError for numbers with gaps, TypeError for results that differ. */
export function switchCase(
  branchIndex: Tensor,
  branchFns: readonly Branch[] | readonly (readonly [number, Branch])[] | Readonly<Record<number, Branch>>,
  options: Named & { readonly default?: Branch | null } = {},
): Nested {
  if (!(branchIndex instanceof Tensor)) throw new TypeError(`'branch_index' must be a Tensor, got <class '${pythonType(branchIndex)}'>`);
  if (!isInteger(branchIndex.dtype)) throw new TypeError(`'branch_index' must be an integer Tensor, got <dtype: '${branchIndex.dtype}'>`);
  const fns = [...inOrder(branchFns), ...(options.default ? [options.default] : [])];
  return inNameScope({ name: options.name ?? "switch_case" }, "switch_case", [branchIndex], () =>
    inNameScope({}, "indexed_case", [branchIndex], scope => {
      const built = fns.map(fn => branchOf(fn, branchIndex));
      const results = branch(
        branchIndex,
        built.map(({ build }) => build),
        () => requireAlike(built),
        scope,
      );
      return packResults(built[0].original, results);
    }),
  );
}

function inOrder(given: unknown): Branch[] {
  if (typeof given !== "object" || given === null) throw new TypeError("'branch_fns' must be a list, tuple, or dict");
  const isList = Array.isArray(given);
  const items: unknown[] = isList ? given : Object.entries(given).map(([key, fn]) => [Number(key), fn]);
  if (items.length === 0) throw new ValueError("Must provide at least one item in 'branch_fns'");
  const pairs = items.every(item => typeof item === "function") ? items.map((fn, k) => [k, fn]) : items;
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2)
      throw new TypeError(`Each entry in 'branch_fns' must be a 2-tuple. Received ${pythonStr(pair)}.`);
    const [key, fn] = pair as [unknown, unknown];
    if (!Number.isInteger(key)) throw new TypeError(`key must be a Python \`int\`, got <class '${pythonType(key)}'>`);
    if (typeof fn !== "function") throw new TypeError(`fn for key ${key} must be callable.`);
  }
  const sorted = (pairs as [number, Branch][]).toSorted(([a], [b]) => a - b);
  const { length } = sorted;
  if (sorted.some(([key], k) => key !== k))
    throw new ValueError(
      `branch indices (keys) must form contiguous range of [0 to ${length}) but found {${sorted.map(([key]) => key).join(",")}}`,
    );
  return sorted.map(([, fn]) => fn);
}

type Built = ReturnType<typeof branchOf>;

/** @throws unless all branches give the same structure of the same types. */
function requireAlike(built: readonly Built[]): void {
  const leaves = built.map(({ original }) => flatten(original));
  const counts = [...new Set(leaves.map(({ length }) => length))];
  if (counts.length > 1) throw new AssertionError(`[${leaves.map(({ length }) => length).join(", ")}]`);
  leaves[0].forEach((_, k) => {
    const each = leaves.map(branchLeaves => branchLeaves[k]);
    if (new Set(each.map(leaf => leaf instanceof IndexedSlices)).size > 1)
      throw new TypeError(
        `Cannot reconcile tf.switch_case ${k}-th outputs:\n  branches returned: (${each.map(representation).join(", ")})`,
      );
  });
  const [first] = built;
  built.forEach(({ original, results }, k) => {
    const different = (detail: string): TypeError =>
      new TypeError(
        `branches[0] and branches[${k}] arguments to tf.switch_case must have the same number, type, and overall structure of return values.\n\nbranches[0] output: ${pythonStr(first.original)}\nbranches[${k}] output: ${pythonStr(original)}\n\nError details:\n${detail}`,
      );
    try {
      assertSameStructure(first.original, original);
    } catch (error) {
      throw different((error as Error).message);
    }
    if (results.length !== first.results.length)
      throw new ValueError(
        `Lengths of branch outputs of case must match.\nlen(graphs[0].outputs): ${first.results.length}\nlen(graphs[${k}].outputs): ${results.length}\n`,
      );
    results.forEach((result, at) => {
      const other = first.results[at];
      if (result.dtype !== other.dtype) throw different(`${other} and ${result} have different types`);
    });
  });
}
