// What a loaded model is made of besides its graph, for writing it anew: its variables, the tables that are saved, what is run after loading, its
// assets. SavedModels of TensorFlow 2 list none of these in collections.

import { InvalidArgumentError } from "../base/errors.ts";
import { joinPath } from "../base/files.ts";
import { decodeText, type NDArray } from "../base/ndarray.ts";
import type { GraphDefMessage } from "../io/graph-def.ts";
import { assetFeeds, initOperation } from "../io/saved-model.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import { handleOf } from "../graph/shape-inference.ts";
import { staticValue } from "../graph/static-value.ts";
import { GraphKeys } from "../library/variables/graph-keys.ts";
import { savedTable } from "../library/lookup.ts";
import { VariableNodes } from "../library/variables/variable-nodes.ts";
import { Variable } from "../library/variables/variables.ts";
import { zeros } from "../ops/array/array.ts";
import { group } from "../ops/flow/control-flow.ts";
import { LookupTableExportV2 } from "../ops/data/lookup.ts";
import { findOp } from "../ops/registry.ts";
import { AssignVariableOp, ReadVariableOp, VarIsInitializedOp } from "../ops/state/state.ts";
import type { OpenModel } from "./models.ts";

/** Puts variables and changeable tables that are in no collection into those that savers look at. What holds no value is left out: Keras's models
 *  name variables that they do not keep. */
export async function listStates({ graph, session }: OpenModel): Promise<void> {
  const isListed = [GraphKeys.GLOBAL_VARIABLES, GraphKeys.LOCAL_VARIABLES].some(key => graph.getCollection(key).length > 0);
  const listed = new Set((graph.getCollection(GraphKeys.SAVEABLE_OBJECTS) as { readonly op: object }[]).map(({ op }) => op));
  const handles = isListed ? [] : graph.getOperations().filter(({ type }) => type === "VarHandleOp");
  const tables = graph.getOperations().filter(op => /^Mutable(?:Dense)?HashTable/.test(op.type) && !listed.has(op));
  const asked = graph.asDefault(() => handles.map(({ outputs: [resource] }) => VarIsInitializedOp({ resource })));
  const isHeld = (await session.run(asked)) as NDArray[];
  graph.asDefault(() =>
    graph.nameScope(null, () => {
      for (const [i, op] of handles.entries()) if (isHeld[i].get(0)) graph.addToCollection(GraphKeys.GLOBAL_VARIABLES, variableOf(op));
      for (const op of tables) graph.addToCollection(GraphKeys.SAVEABLE_OBJECTS, tableOf(op));
    }),
  );
}

/** Meta graphs need a variable's initializer: it sets zeros, which restoring overwrites. */
function variableOf(op: Operation): Variable {
  const [handle] = op.outputs;
  const { dtype, shape } = handleOf(handle) as { dtype: Variable["dtype"]; shape: Variable["shape"] };
  const sizes = (shape.dims ?? []).map(size => size ?? 0);
  const initialValue = zeros(sizes, dtype, { name: `${op.name}/Initializer/zeros` });
  return new Variable(
    new VariableNodes({
      handle,
      initializer: AssignVariableOp({ resource: handle, value: initialValue, dtype }, { name: `${op.name}/Assign` }),
      initialValue,
      snapshot: ReadVariableOp({ resource: handle, dtype }, { name: `${op.name}/Read/ReadVariableOp` }),
      dtype,
      shape,
      trainable: false,
    }),
  );
}

function tableOf(op: Operation): ReturnType<typeof savedTable> {
  const [handle] = op.outputs;
  const { keyDtype: Tkeys, valueDtype: Tvalues } = op.attrs as {
    readonly keyDtype: Variable["dtype"];
    readonly valueDtype: Variable["dtype"];
  };
  return savedTable(op.name, handle, LookupTableExportV2({ tableHandle: handle, Tkeys, Tvalues }, { name: `${op.name}/Export` }));
}

/** What is to be run after restoring: the model's own operation, or what fills its tables. */
export function initializerOf({ file, graph }: OpenModel): Operation | null {
  const own = file.kind === "saved-model" && file.metaGraph ? initOperation(file.metaGraph) : undefined;
  if (own !== undefined) return graph.getOperationByName(own);
  const initializers = graph.getCollection(GraphKeys.TABLE_INITIALIZERS) as Operation[];
  return initializers.length === 0 ? null : graph.asDefault(() => group(...initializers, { name: "init_all_tables" }));
}

/** The constants that hold the paths of a model's files, and where these are. */
export function assetsOf({ file, graph }: OpenModel): Map<Tensor, string> {
  if (file.kind === "saved-model" && file.metaGraph) return new Map(assetFeeds(file.metaGraph, graph, name => name, file.path));
  const tensors = graph.getCollection(GraphKeys.ASSET_FILEPATHS) as Tensor[];
  return new Map(tensors.map(tensor => [tensor, decodeText(staticValue(tensor)?.get(0) as Uint8Array)]));
}

/** The folder beside a meta graph in which its files are. */
export const assetFolder = (path: string): string => joinPath(path.replace(/[^/\\]*$/, "") || ".", "assets");

/** A graph alone cannot say what is in a table. @throws InvalidArgumentError naming those that are needed. */
export function refuseTables({ node }: GraphDefMessage, path: string): void {
  const tables = node.filter(({ op }) => findOp(op)?.resource).map(({ name, op }) => `${name} (${op})`);
  if (tables.length > 0)
    throw new InvalidArgumentError(
      `What ${path} computes needs ${tables.slice(0, 3).join(", ")}, which a graph of constants cannot hold.\n\nConvert it to a SavedModel or a meta graph, or name other outputs with --outputs.`,
    );
}
