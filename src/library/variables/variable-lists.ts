// Lists of a graph's variables, and operations on whole lists: initialize them, report those without a value.

import { itemsOf } from "../../graph/iterating.ts";
import { convertToTensor } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Named } from "../../graph/op-definition.ts";
import type { Operation, Tensor } from "../../graph/operation.ts";
import { constant, Rank } from "../../ops/array/array.ts";
import { booleanMask } from "../../ops/array/selection.ts";
import { stack } from "../../ops/array/slicing.ts";
import { group, noOp } from "../../ops/flow/control-flow.ts";
import { logicalNot } from "../../ops/math/comparison.ts";
import { inNameScope } from "../../ops/named.ts";
import { GraphKeys } from "./graph-keys.ts";
import { isVariableInitialized, type Variable } from "./variables.ts";
import { type ByName, byName, refuseOthers } from "../../ops/arguments.ts";

type InScope = ByName<"scope", string | null>;
const listed = (key: string, scope: InScope | undefined): Variable[] => getDefaultGraph().getCollection(key, byName("scope", scope));

/** All variables in order of creation, local ones aside; `scope` keeps names that match it as a regular expression from the start. */
export const globalVariables = (scope?: InScope): Variable[] => listed(GraphKeys.GLOBAL_VARIABLES, scope);
/** The variables that optimizers train. */
export const trainableVariables = (scope?: InScope): Variable[] => listed(GraphKeys.TRAINABLE_VARIABLES, scope);
export const localVariables = (scope?: InScope): Variable[] => listed(GraphKeys.LOCAL_VARIABLES, scope);
export const modelVariables = (scope?: InScope): Variable[] => listed(GraphKeys.MODEL_VARIABLES, scope);
export const movingAverageVariables = (scope?: InScope): Variable[] => listed(GraphKeys.MOVING_AVERAGE_VARIABLES, scope);
/** Deprecated name of globalVariables. */
export const allVariables = (): Variable[] => globalVariables();

/** An operation that gives every variable of the list its initial value. */
export const variablesInitializer = (varList: readonly Variable[] | null, { name = "init", ...others }: Named = {}): Operation => {
  refuseOthers(others);
  return varList === null || varList.length === 0
    ? noOp({ name })
    : group(...itemsOf(varList).map(variable => variable.initializer), { name });
};

export const globalVariablesInitializer = (): Operation => variablesInitializer(globalVariables());
export const localVariablesInitializer = (): Operation => variablesInitializer(localVariables());
/** Deprecated names. */
export const initializeVariables = variablesInitializer;
export const initializeAllVariables = globalVariablesInitializer;
export const initializeLocalVariables = localVariablesInitializer;

const listOrAll = (varList: readonly Variable[] | null | undefined): readonly Variable[] =>
  varList ?? [...globalVariables(), ...localVariables()];

/** A string vector: the names of those variables that hold no value. TF: tf.report_uninitialized_variables. */
export function reportUninitializedVariables(
  varList?: readonly Variable[] | null,
  { name = "report_uninitialized_variables", ...others }: Named = {},
): Tensor {
  refuseOthers(others);
  const list = listOrAll(varList);
  const graph = getDefaultGraph();
  return graph.nameScope(String(name), () => {
    const held = list.map(variable => isVariableInitialized(variable));
    return graph.device("/cpu:0", () => {
      if (list.length === 0) return constant([], "string");
      const mask = logicalNot(stack(held));
      return booleanMask(
        constant(
          list.map(variable => variable.op.name),
          "string",
        ),
        mask,
      );
    });
  });
}

/** An obsolete check: the rank of each variable's value, which a run reads. It fails with FailedPreconditionError where a ref variable holds none; of
 *  resource variables TensorFlow's optimizer, too, knows the rank without a read. null if there are none. TF: tf.assert_variables_initialized. */
export function assertVariablesInitialized(varList?: readonly Variable[] | null): Tensor | null {
  const graph = getDefaultGraph();
  const given: readonly (Variable | Tensor)[] = itemsOf(listOrAll(varList));
  const list =
    given.length > 0
      ? given
      : graph
          .getOperations()
          .filter(({ type }) => /^Variable(V2)?$|^AutoReloadVariable$/.test(type))
          .map(({ outputs }) => outputs[0]);
  if (list.length === 0) return null;
  // The node reads, however well the rank is known.
  const rankOf = (variable: Variable | Tensor): Tensor =>
    inNameScope({}, "Rank", [variable], scope => Rank({ input: convertToTensor(variable) }, scope));
  const ranks = list.map(variable => graph.colocateWith(variable.op, undefined, () => rankOf(variable)));
  return ranks.length === 1 ? ranks[0] : stack(ranks);
}
