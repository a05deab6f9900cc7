// Variables that begin with a checkpoint's values: initFromCheckpoint gives them other initializers, made of RestoreV2.

import { ValueError } from "../base/errors.ts";
import { sameShape, TensorShape } from "../base/shape.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import type { Graph } from "../graph/graph.ts";
import { Operation } from "../graph/operation.ts";
import type { PartitionedVariable } from "../library/variables/partitioned-variable.ts";
import { storedVariables } from "../library/variables/variable-scope.ts";
import { Variable } from "../library/variables/variables.ts";
import { RestoreV2 } from "../ops/state/checkpoint.ts";
import { saveableOf } from "./saver.ts";
import { checkpointPath, NewCheckpointReader } from "./saver-checkpoints.ts";

type Target = string | Variable | PartitionedVariable | readonly Variable[];

/** Names in the checkpoint → variables (parts of one together), their names, or scopes: `{ "old/": "new/" }`, `{ "w": "layer/kernel" }`, `{ "w": variable }`. */
export type AssignmentMap = Readonly<Record<string, Target>> | ReadonlyMap<string, Target>;

/** Lets variables begin with the values of a checkpoint, or of the latest in a folder, when their initializers run. To be awaited before they
 *  do, since the checkpoint is read. TF: tf.train.init_from_checkpoint. @throws ValueError for missing tensors and shapes that differ. */
export async function initFromCheckpoint(ckptDirOrFile: string, assignmentMap: AssignmentMap): Promise<void> {
  const graph = getDefaultGraph();
  const path = await checkpointPath(ckptDirOrFile);
  const reader = await NewCheckpointReader(path);
  const shapes = reader.getVariableToShapeMap();
  await reader.close();
  const given: [string, Target][] = assignmentMap instanceof Map ? [...assignmentMap] : Object.entries(assignmentMap);
  for (const [name, target] of given.sort(([a], [b]) => (a < b ? -1 : 1)))
    for (const [tensor, variables] of pairsOf(graph, name, target, ckptDirOrFile)) {
      const shape = shapes.get(tensor);
      if (shape === undefined)
        throw new ValueError(`Tensor ${tensor} is not found in ${ckptDirOrFile} checkpoint`, `It holds ${[...shapes.keys()].join(", ")}.`);
      for (const variable of variables) {
        const info = variables.length > 1 ? variable.saveSliceInfo : null;
        const whole = info ? new TensorShape(info.fullShape) : variable.shape;
        if (whole.isFullyDefined && !sameShape(whole.asNumbers(), shape))
          throw new ValueError(
            `Shape of variable ${variable.name} (${whole}) doesn't match with shape of tensor ${tensor} ([${shape.join(", ")}]) from checkpoint reader.`,
          );
        beginWith(graph, variable, path, tensor, info?.spec ?? "");
      }
    }
}

/** The variables that one row of the map means, with their names in the checkpoint; parts of one variable are together. */
function pairsOf(graph: Graph, name: string, target: Target, where: string): [string, readonly Variable[]][] {
  if (typeof target !== "string") return [[name, target instanceof Variable ? [target] : partsOfOne([...target])]];
  const variables = wholeVariables(graph);
  const one = variables.get(target);
  if (one) return [[name, one]];
  const scope = target.includes("/") ? target.slice(0, target.lastIndexOf("/")) : "";
  if (!name.endsWith("/"))
    throw new ValueError(
      `Assignment map with scope only name ${scope} should map to scope only ${name}. Should be 'scope/': 'other_scope/'.`,
      `There is no variable named "${target}" to be read from ${where}.`,
    );
  return [...variables]
    .filter(([variable]) => scope === "" || variable.startsWith(`${scope}/`))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([variable, parts]) => {
      const inner = target === "/" ? variable : variable.slice(scope.length + (scope === "" ? 0 : 1));
      return [name === "/" ? inner : name + inner, parts];
    });
}

/** What getVariable made, by name; parts under the name of their whole. */
function wholeVariables(graph: Graph): Map<string, Variable[]> {
  const result = new Map<string, Variable[]>();
  for (const [name, variable] of storedVariables(graph)) {
    const whole = variable.saveSliceInfo ? name.replace(/\/part_\d+$/, "") : name;
    result.set(whole, [...(result.get(whole) ?? []), variable]);
  }
  return result;
}

function partsOfOne(parts: readonly Variable[]): readonly Variable[] {
  const names = parts.map(part => part.saveSliceInfo?.fullName);
  const other = names.find(name => name !== names[0]);
  if (parts.length > 1 && (names[0] === undefined || other !== undefined))
    throw new ValueError(`Slices must all be from the same tensor: ${names[0]} != ${other}`);
  return parts;
}

function beginWith(graph: Graph, variable: Variable, path: string, tensor: string, slice: string): void {
  graph.asDefault(() => {
    const [restored] = graph.device(variable.device, () =>
      graph.device("/cpu:0", () =>
        RestoreV2(
          { prefix: path, tensorNames: [tensor], shapeAndSlices: [slice], dtypes: [variable.dtype] },
          { name: "checkpoint_initializer" },
        ),
      ),
    );
    const set = saveableOf(
      variable.isResource ? (variable.asGraphElement() as Variable["initialValue"]) : variable,
      "",
      variable.op.name,
    ).restore([restored], null);
    restored.setShape(variable.shape);
    variable.initializer = set instanceof Operation ? set : set.op;
    variable.initialValue = restored;
  });
}
