// Variables ↔ VariableDef messages, as meta graphs and `Variable.to_proto` have them.

import { createMessage } from "../../formats/message-codec.ts";
import type { Message } from "../../formats/messages.ts";
import type { Graph } from "../../graph/graph.ts";
import type { Renaming } from "../../graph/import-scope.ts";
import type { Operation, Tensor } from "../../graph/operation.ts";
import { handleOf } from "../../graph/shape-inference.ts";
import { SlicePlace, VariableNodes } from "./variable-nodes.ts";

/** What the message tells of a variable. */
interface Described {
  readonly handle: Tensor;
  readonly initializer: Operation | null;
  readonly initialValue: Tensor | null;
  readonly isResource: boolean;
  readonly trainable: boolean;
  readonly saveSliceInfo: SlicePlace | null;
  value(): Tensor;
  asGraphElement(): Tensor;
}

export function variableToMessage(variable: Described, strip: Renaming = name => name): Message<"VariableDef"> {
  const { handle, initializer, initialValue, isResource, trainable } = variable;
  const snapshot = isResource ? variable.asGraphElement() : variable.value();
  const slice = variable.saveSliceInfo;
  return createMessage("VariableDef", {
    variableName: strip(handle.name),
    initializerName: initializer ? strip(initializer.name) : "",
    initialValueName: initialValue ? strip(initialValue.name) : "",
    snapshotName: strip(snapshot.name),
    isResource,
    trainable,
    saveSliceInfoDef: slice
      ? {
          fullName: slice.fullName,
          fullShape: slice.fullShape.map(BigInt),
          varOffset: slice.varOffset.map(BigInt),
          varShape: slice.varShape.map(BigInt),
        }
      : undefined,
  });
}

/** The nodes of the graph that a message speaks of. */
export function nodesFromMessage(
  graph: Graph,
  message: Message<"VariableDef">,
  prefix: Renaming = name => name,
  isTrainable = false,
): VariableNodes {
  const named = <T>(name: string, find: (name: string) => T): T | null => (name === "" ? null : find(prefix(name)));
  const handle = graph.getTensorByName(prefix(message.variableName));
  const held = message.isResource ? handleOf(handle) : undefined;
  const tensor = (name: string): Tensor => graph.getTensorByName(name);
  // Checkpoints given as initial values (`init_from_checkpoint`) leave what their assignment gives.
  const assigning = named(message.initializerName, name => graph.asGraphElement(name));
  const initializer = assigning && "op" in assigning ? assigning.op : assigning;
  const snapshot = named(message.snapshotName, tensor) ?? handle;
  return new VariableNodes({
    handle,
    initializer,
    initialValue: named(message.initialValueName, tensor) ?? initializer?.inputs[1] ?? null,
    snapshot,
    dtype: held?.dtype ?? snapshot.dtype,
    shape: held?.shape ?? handle.shape,
    trainable: message.trainable || isTrainable,
  });
}

/** The place in its whole that a message tells of, if it is a part's. */
export function placeFromMessage({ saveSliceInfoDef: slice }: Message<"VariableDef">): SlicePlace | null {
  if (!slice) return null;
  const [fullShape, offset, shape] = [slice.fullShape, slice.varOffset, slice.varShape].map(list => list.map(Number));
  return new SlicePlace(slice.fullName, fullShape, offset, shape);
}
