// The global step: an integer variable that counts updates, found through a collection. TF: training_util.

import { isInteger } from "../../base/dtype.ts";
import { KeyError, ValueError } from "../../base/errors.ts";
import { pythonStr } from "../../base/python-text.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Graph } from "../../graph/graph.ts";
import { Tensor } from "../../graph/operation.ts";
import { cond } from "../../ops/flow/control-flow-contexts.ts";
import { add } from "../../ops/operators.ts";
import { GraphKeys } from "../variables/graph-keys.ts";
import { zerosInitializer } from "../variables/initializers.ts";
import { getVariable } from "../variables/variable-scope.ts";
import { isVariableInitialized, type Runner, Variable } from "../variables/variables.ts";

/** The value of the step in a session, as a number. TF: tf.train.global_step. */
export async function globalStep(session: Runner, globalStepTensor: Variable | Tensor): Promise<number> {
  return Number(await session.run(globalStepTensor));
}

/** The graph's global step, or null if there is none. TF: tf.train.get_global_step. @throws TypeError if it is not an integer scalar. */
export function getGlobalStep(graph: Graph | null = null): Variable | Tensor | null {
  const owner = graph ?? getDefaultGraph();
  const listed = owner.getCollection(GraphKeys.GLOBAL_STEP);
  if (listed.length > 1) return null;
  const step: unknown = listed[0] ?? tensorNamed(owner, "global_step:0");
  if (step === null) return null;
  assertGlobalStep(step);
  return step as Variable | Tensor;
}

function tensorNamed(graph: Graph, name: string): Tensor | null {
  try {
    return graph.getTensorByName(name);
  } catch (error) {
    if (error instanceof KeyError) return null;
    throw error;
  }
}

/** Makes the global step: int64, scalar, zero, not trained. TF: tf.train.create_global_step. @throws ValueError if there is one. */
export function createGlobalStep(graph: Graph | null = null): Variable {
  const owner = graph ?? getDefaultGraph();
  if (getGlobalStep(owner) !== null) throw new ValueError('"global_step" already exists.');
  return owner.asDefault(() =>
    owner.nameScope(null, () =>
      getVariable(GraphKeys.GLOBAL_STEP, [], {
        dtype: "int64",
        initializer: zerosInitializer(),
        trainable: false,
        collections: [GraphKeys.GLOBAL_VARIABLES, GraphKeys.GLOBAL_STEP],
      }),
    ),
  );
}

/** TF: tf.train.get_or_create_global_step. */
export const getOrCreateGlobalStep = (graph: Graph | null = null): Variable | Tensor => getGlobalStep(graph) ?? createGlobalStep(graph);

/** Collection of the tensor that hooks read the step by. */
const globalStepReadKey = "global_step_read_op_cache";

/** A tensor that reads the step, or its initial value where it has none yet; null if the graph has no step. One for each graph. */
export function getOrCreateGlobalStepRead(graph: Graph | null = null): Tensor | null {
  const owner = graph ?? getDefaultGraph();
  const [known]: Tensor[] = owner.getCollection(globalStepReadKey);
  if (known) return known;
  const step = getGlobalStep(owner);
  if (step === null) return null;
  return owner.asDefault(() =>
    owner.nameScope(null, () =>
      owner.nameScope(`${step.op.name}/`, () => {
        const value =
          step instanceof Variable
            ? cond(
                isVariableInitialized(step),
                () => step.readValue(),
                () => step.initialValue as Tensor,
              )
            : step;
        // The sum is a copy: what reads it cannot see a later update.
        const read = add(value, 0);
        owner.addToCollection(globalStepReadKey, read);
        return read;
      }),
    ),
  );
}

/** TF: tf.train.assert_global_step. @throws TypeError unless it is an integer scalar. */
export function assertGlobalStep(globalStepTensor: unknown): void {
  if (!(globalStepTensor instanceof Variable || globalStepTensor instanceof Tensor))
    throw new TypeError(`Existing "global_step" must be a Variable or Tensor: ${pythonStr(globalStepTensor)}.`);
  const { dtype, shape } = globalStepTensor;
  if (!isInteger(dtype)) throw new TypeError(`Existing "global_step" does not have integer type: <dtype: '${globalStepTensor.dtypeName}'>`);
  if (shape.rank !== 0 && shape.isFullyDefined) throw new TypeError(`Existing "global_step" is not scalar: ${shape}`);
}
