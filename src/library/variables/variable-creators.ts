// variable_creator_scope: functions that every new variable of a graph passes through, innermost scope first. TF: tf.variable_creator_scope.

import { disposeSymbol, scoped } from "../../base/disposable.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Graph } from "../../graph/graph.ts";
import { creation, type InitialValue, Variable, type VariableOptions } from "./variables.ts";

/** What is known of a variable that is to be made. */
export interface CreatorOptions extends VariableOptions {
  readonly initialValue?: InitialValue | null | undefined;
}
export type NextCreator = (options: CreatorOptions) => Variable;
/** Makes a variable, as a rule by `nextCreator` with options of its own. */
export type VariableCreator = (nextCreator: NextCreator, options: CreatorOptions) => Variable;

const creatorsOf = (graph: Graph): VariableCreator[] => graph.attached(creatorsOf, () => [] as VariableCreator[]);

/** The next variable is made as it is. */
let isPlain = false;

const plain: NextCreator = ({ initialValue, ...options }) => {
  isPlain = true;
  return new Variable(initialValue, options);
};

function created(initialValue: InitialValue | null | undefined, options: VariableOptions): Variable | undefined {
  const wasPlain = isPlain;
  isPlain = false;
  const creators = creatorsOf(getDefaultGraph().outermost);
  if (wasPlain || creators.length === 0) return undefined;
  const first = creators.reduce<NextCreator>((next, creator) => given => creator(next, given), plain);
  return first({ ...options, initialValue });
}

/** Inside, variables are made by `variableCreator(nextCreator, options)`: those of `new tf.Variable`, of getVariable, of layers and optimizers. The creator of the
 *  innermost scope is asked first; `nextCreator(options)` asks the next one, at last TensorFlow's own. `options` has `initialValue` and what else was given to the
 *  variable. `variableCreatorScope(creator, () => …)` or `using scope = variableCreatorScope(creator)`. TF: tf.variable_creator_scope. */
export function variableCreatorScope(variableCreator: VariableCreator): Disposable;
export function variableCreatorScope<R>(variableCreator: VariableCreator, body: () => R): R;
export function variableCreatorScope<R>(variableCreator: VariableCreator, body?: () => R): Disposable | R {
  const creators = creatorsOf(getDefaultGraph().outermost);
  creation.through = created;
  creators.push(variableCreator);
  const scope = { [disposeSymbol]: () => void creators.splice(creators.lastIndexOf(variableCreator), 1) } as Disposable;
  return scoped(scope, body);
}
