// Control-flow contexts ↔ CondContextDef and WhileContextDef: what lets gradients go through the loops and branches of an imported graph.

import { createMessage } from "../formats/message-codec.ts";
import type { Message } from "../formats/messages.ts";
import type { Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/operation.ts";
import { CondContext, type Context, WhileContext } from "../ops/flow/control-flow-contexts.ts";
import type { Renaming } from "../graph/import-scope.ts";

type CondMessage = Message<"CondContextDef">;
type WhileMessage = Message<"WhileContextDef">;
type ValuesMessage = Message<"ValuesDef">;

const sortedNames = (tensors: Iterable<Tensor>, strip: Renaming): string[] => [...tensors].map(({ name }) => strip(name)).sort();

function valuesToMessage(context: Context, strip: Renaming): ValuesMessage {
  const external = [...context.external].map(([outer, inner]) => [strip(outer.name), strip(inner.name)] as const);
  return createMessage("ValuesDef", { values: sortedNames(context.values, strip), externalValues: new Map(external) });
}

const nestedToMessage = ({ nested }: Context, strip: Renaming): Message<"ControlFlowContextDef">[] =>
  nested.map(inner =>
    createMessage(
      "ControlFlowContextDef",
      inner instanceof CondContext
        ? { condCtxt: condToMessage(inner, strip) }
        : { whileCtxt: whileToMessage(inner as WhileContext, strip) },
    ),
  );

export const condToMessage = (context: CondContext, strip: Renaming): CondMessage =>
  createMessage("CondContextDef", {
    contextName: strip(context.name),
    predName: strip(context.predicate.name),
    pivotName: strip(context.pivot.name),
    branch: context.branch,
    valuesDef: valuesToMessage(context, strip),
    nestedContexts: nestedToMessage(context, strip),
  });

export const whileToMessage = (context: WhileContext, strip: Renaming): WhileMessage => {
  const nameOf = (tensor: Tensor | null): string => (tensor ? strip(tensor.name) : "");
  return createMessage("WhileContextDef", {
    contextName: strip(context.name),
    parallelIterations: context.parallelIterations,
    backProp: context.backProp,
    swapMemory: context.swapMemory,
    maximumIterationsName: nameOf(context.maximumIterations),
    pivotName: nameOf(context.condition),
    pivotForPredName: nameOf(context.pivotForCondition),
    pivotForBodyName: nameOf(context.pivotForBody),
    loopEnterNames: context.enters.map(nameOf),
    loopExitNames: context.exits.map(nameOf),
    valuesDef: valuesToMessage(context, strip),
    nestedContexts: nestedToMessage(context, strip),
  });
};

// ---- import ----

/** Fills in what a context knows, and makes the operations of its values its own, but for those of inner contexts, which come after. */
function restoreValues(context: Context, values: ValuesMessage | undefined, graph: Graph, prefix: Renaming): void {
  const external = new Set(values?.externalValues.keys());
  for (const [outer, inner] of values?.externalValues ?? [])
    context.external.set(graph.getTensorByName(prefix(outer)), graph.getTensorByName(prefix(inner)));
  for (const name of values?.values ?? []) {
    const tensor = graph.getTensorByName(prefix(name));
    context.values.add(tensor);
    if (!external.has(name)) tensor.op.context = context;
  }
}

function restoreNested(context: Context, nested: readonly Message<"ControlFlowContextDef">[], graph: Graph, prefix: Renaming): void {
  context.inside(() => {
    for (const { condCtxt, whileCtxt } of nested) {
      if (condCtxt) condFromMessage(condCtxt, graph, prefix);
      if (whileCtxt) whileFromMessage(whileCtxt, graph, prefix);
    }
  });
}

export function condFromMessage(message: CondMessage, graph: Graph, prefix: Renaming): CondContext {
  const tensor = (name: string): Tensor => graph.getTensorByName(prefix(name));
  const context = new CondContext(
    graph,
    tensor(message.predName),
    tensor(message.pivotName),
    message.branch === 1 ? 1 : 0,
    prefix(message.contextName),
  );
  restoreValues(context, message.valuesDef, graph, prefix);
  // The predicate is known inside, but made outside.
  context.predicate.op.context = context.outer;
  restoreNested(context, message.nestedContexts, graph, prefix);
  return context;
}

export function whileFromMessage(message: WhileMessage, graph: Graph, prefix: Renaming): WhileContext {
  const tensor = (name: string): Tensor => graph.getTensorByName(prefix(name));
  const context = new WhileContext(graph, {
    name: prefix(message.contextName),
    isNameTaken: true,
    parallelIterations: message.parallelIterations,
    backProp: message.backProp,
    swapMemory: message.swapMemory,
    maximumIterations: message.maximumIterationsName === "" ? null : tensor(message.maximumIterationsName),
  });
  context.condition = tensor(message.pivotName);
  context.pivotForCondition = tensor(message.pivotForPredName);
  context.pivotForBody = tensor(message.pivotForBodyName);
  context.enters = message.loopEnterNames.map(tensor);
  context.exits = message.loopExitNames.map(tensor);
  restoreValues(context, message.valuesDef, graph, prefix);
  for (const { op } of [...context.enters, ...context.exits]) op.context = context;
  restoreNested(context, message.nestedContexts, graph, prefix);
  return context;
}
