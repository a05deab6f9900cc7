// Structured control flow: what the Switch/Merge/Enter/Exit nodes of TensorFlow 1 are raised to before lowering:
// optimize/raise-control-flow.ts finds it, lower/structured.ts makes branches and loops of it.

import { InvalidArgumentError } from "../base/errors.ts";
import type { Operation, Tensor } from "./operation.ts";

type Node = Operation | StructuredNode;

/** tf.cond (or case): runs one list of nodes; `outputs[k]` is defined from `results[k]` of the case taken. A null result is never read when that
 *  case is taken: anything of the right shape will do. A number is an int32: which of its inputs a Merge took. */
export interface StructuredCond {
  readonly kind: "cond";
  readonly name: string;
  /** bool (cases are [false, true]) or int32. */
  readonly predicate: Tensor;
  readonly cases: readonly Case[];
  readonly outputs: readonly Tensor[];
  /** Tensors inside that are other names of outer ones (outputs of a Switch on an outer value): inner → outer. */
  readonly aliases: ReadonlyMap<Tensor, Tensor>;
  /** Every operation this stands for, so that control edges on them are known to be met. */
  readonly operations: ReadonlySet<Operation>;
}

export interface Case {
  readonly nodes: readonly Node[];
  readonly results: readonly (Tensor | number | null)[];
  /** Why the run stops if this case is taken: a fetch waits for another, and so has no value. */
  readonly failure?: InvalidArgumentError | undefined;
}

/** TensorFlow's complaint about a fetch that never gets a value. */
export const noValue = (fetch: Tensor, index: number, reason: string): InvalidArgumentError =>
  new InvalidArgumentError(`Retval[${index}] does not have value\n\n'${fetch.name}' ${reason}`, fetch.op);

/** tf.while_loop. Variable k starts as `initial[k]`, goes by the names `current[k]` in condition and body, becomes `body.results[k]`, and leaves as `exits[k]`. */
export interface StructuredLoop {
  readonly kind: "loop";
  readonly name: string;
  readonly initial: readonly Tensor[];
  readonly current: readonly (readonly Tensor[])[];
  readonly condition: { readonly nodes: readonly Node[]; readonly result: Tensor };
  readonly body: { readonly nodes: readonly Node[]; readonly results: readonly Tensor[] };
  readonly exits: readonly (Tensor | undefined)[];
  /** Loop-invariant Enters: inside tensor → outer tensor. */
  readonly aliases: ReadonlyMap<Tensor, Tensor>;
  readonly operations: ReadonlySet<Operation>;
}

export type StructuredNode = StructuredCond | StructuredLoop;

export const isTensor = (result: Tensor | number | null): result is Tensor => typeof result === "object" && result !== null;

/** The operations of nodes, those inside branches and loops too. */
export const operationsOf = (nodes: readonly Node[]): Operation[] =>
  nodes.flatMap(node => ("kind" in node ? [...node.operations] : [node]));

/** The tensors a node reads, those inside it too. */
export function inputsOf(node: Node): readonly Tensor[] {
  if (!("kind" in node)) return node.inputs;
  const inner =
    node.kind === "cond"
      ? [node.predicate, ...node.cases.flatMap(({ nodes, results }) => [...nodes.flatMap(inputsOf), ...results.filter(isTensor)])]
      : [
          ...node.initial,
          ...node.condition.nodes.flatMap(inputsOf),
          ...node.body.nodes.flatMap(inputsOf),
          node.condition.result,
          ...node.body.results,
        ];
  return [...node.aliases.values(), ...inner];
}
