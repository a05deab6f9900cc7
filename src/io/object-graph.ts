// The graph of objects that a checkpoint of objects names its values by: what each object is made of, under which name, and which keys follow.
// Keys and order of nodes are TensorFlow's (checkpoint/graph_view.py, save_util.py): breadth first, then the slots of optimizers.

import { snakeOf } from "../base/names.ts";
import type { Message } from "../formats/messages.ts";
import type { Graph } from "../graph/graph.ts";
import { ScopedLayer } from "../library/layers/layer-base.ts";
import { MultiRNNCell } from "../library/layers/rnn-cell.ts";
import { savedTable } from "../library/lookup.ts";
import { Module } from "../library/module.ts";
import { LossScale } from "../library/train/loss-scale.ts";
import { Optimizer } from "../library/train/optimizer.ts";
import { GraphKeys } from "../library/variables/graph-keys.ts";
import { Variable } from "../library/variables/variables.ts";
import { type SaveableObject, saveableOf } from "./saver.ts";

/** An object that says itself what it is made of. */
export abstract class ObjectRoot {
  /** @internal */
  abstract parts(graph: Graph): readonly Part[];
}

export type Part = readonly [name: string, object: object];

/** A table as a saver of all variables would save it. */
const savedTableOf = (value: object): SaveableObject | undefined => {
  if (!("resourceHandle" in value) || !("export" in value)) return undefined;
  const { op, graph } = value.resourceHandle as { op: object; graph: Graph };
  return (graph.getCollection(GraphKeys.SAVEABLE_OBJECTS) as SaveableObject[]).find(saveable => saveable.op === op);
};

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
};
const isContainer = (value: object): boolean => Array.isArray(value) || value instanceof Map || isPlain(value);
const holders = [Variable, Module, ScopedLayer, Optimizer, LossScale, ObjectRoot] as const;
const isHolder = (value: unknown): value is object =>
  value !== null && (typeof value === "object" || typeof value === "function") && holders.some(Holder => value instanceof Holder);

/** May it stand in a checkpoint of objects? */
export const isTrackable = (value: unknown): value is object =>
  isHolder(value) || (typeof value === "object" && value !== null && (isContainer(value) || savedTableOf(value) !== undefined));

/** Properties of an object's own that hold something, under TensorFlow's names. */
export const ownParts = (value: object, holds: (part: unknown) => part is object = isTrackable): Part[] =>
  Object.keys(value).flatMap(key => {
    const part: unknown = Reflect.get(value, key);
    return holds(part) ? [[snakeOf(key), part] as const] : [];
  });

const itemsOf = (value: object): Part[] => {
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return entries.flatMap(([key, item]) => (isTrackable(item) ? [[String(key), item] as const] : []));
};

function layerParts(layer: ScopedLayer): Part[] {
  if (layer instanceof MultiRNNCell) return layer.cells.map((cell, i) => [`cell-${i}`, cell] as const);
  const others = ownParts(layer, isHolder).filter(([, part]) => !(part instanceof Variable));
  // A wrapper's variables are its cell's.
  const inner = new Set(others.flatMap(([, part]) => (part instanceof ScopedLayer ? part.variables : [])));
  const weights = layer.variables.filter(weight => !inner.has(weight));
  return [...weights.map(weight => [weight.op.name.slice(layer.scopeName.length + 1), weight] as const), ...others];
}

function partsOf(value: object, graph: Graph): readonly Part[] {
  if (value instanceof Variable) return [];
  if (value instanceof ObjectRoot) return value.parts(graph);
  if (value instanceof ScopedLayer) return layerParts(value);
  if (value instanceof Optimizer) return [...(value.nonSlots.get(graph) ?? [])];
  if (value instanceof LossScale) return [...value.weights];
  if (value instanceof Module) return ownParts(value);
  return isContainer(value) ? itemsOf(value) : [];
}

export interface ObjectNode {
  readonly object: object;
  readonly children: readonly (readonly [name: string, id: number])[];
  readonly slots: readonly { readonly name: string; readonly original: number; readonly id: number }[];
  /** What the object itself saves: nothing, a variable's value or a table's entries. */
  readonly saveable: SaveableObject | null;
  readonly attribute: Message<"SerializedTensor"> | null;
}

const escaped = (name: string): string => name.replace(/\./g, "..").replace(/\//g, ".S");

function saved(object: object, path: string): Pick<ObjectNode, "saveable" | "attribute"> {
  const attribute = (name: string, fullName: string) => ({ name, fullName, checkpointKey: `${path}.ATTRIBUTES/${name}` });
  if (object instanceof Variable) {
    const told = attribute("VARIABLE_VALUE", object.saveSliceInfo?.fullName ?? object.op.name);
    return { attribute: told, saveable: saveableOf(object, "", told.checkpointKey) };
  }
  const table = savedTableOf(object);
  if (!table) return { attribute: null, saveable: null };
  const told = attribute("table", "");
  const [keys, values] = table.specs.map(({ tensor }) => tensor);
  const { resourceHandle } = object as { readonly resourceHandle: typeof keys };
  return { attribute: told, saveable: savedTable(told.checkpointKey, resourceHandle, { keys, values }) };
}

/** All that an object reaches, itself first. */
export function objectGraph(root: object, graph: Graph): ObjectNode[] {
  const ids = new Map<object, number>([[root, 0]]);
  const paths = [""];
  const children: ObjectNode["children"][] = [];
  const objects = [root];
  const idOf = (object: object, path: string): number => {
    const known = ids.get(object);
    if (known !== undefined) return known;
    ids.set(object, objects.length);
    paths.push(path);
    return objects.push(object) - 1;
  };
  for (let id = 0; id < objects.length; id++)
    children.push(partsOf(objects[id], graph).map(([name, part]) => [name, idOf(part, `${paths[id]}${escaped(name)}/`)] as const));
  const count = objects.length;
  const slots = objects.map((optimizer, id): ObjectNode["slots"] => {
    if (!(optimizer instanceof Optimizer)) return [];
    return optimizer.getSlotNames().flatMap(name =>
      objects.slice(0, count).flatMap((variable, original) => {
        const slot = variable instanceof Variable && variable.graph === graph ? optimizer.getSlot(variable, name) : null;
        if (slot === null) return [];
        return [{ name, original, id: idOf(slot, `${paths[original]}.OPTIMIZER_SLOT/${paths[id]}${escaped(name)}/`) }];
      }),
    );
  });
  return objects.map((object, id) => ({
    object,
    children: children[id] ?? [],
    slots: slots[id] ?? [],
    ...graph.asDefault(() => saved(object, paths[id])),
  }));
}

/** The graph as checkpoints hold it. */
export function objectGraphMessage(nodes: readonly ObjectNode[]): Message<"TrackableObjectGraph"> {
  const holds = nodes.map(({ attribute, slots }) => attribute !== null || slots.length > 0);
  const reachesOne = (id: number): boolean => !holds[id] && nodes[id].children.some(([, child]) => holds[child]);
  for (let id = nodes.findIndex((_, i) => reachesOne(i)); id >= 0; id = nodes.findIndex((_, i) => reachesOne(i))) holds[id] = true;
  return {
    nodes: nodes.map(({ children, attribute, slots }, id) => ({
      children: children.map(([localName, nodeId]) => ({ nodeId, localName })),
      attributes: attribute ? [attribute] : [],
      slotVariables: slots.map(({ name, original, id: slot }) => ({
        originalVariableNodeId: original,
        slotName: name,
        slotVariableNodeId: slot,
      })),
      registeredSaver: undefined,
      hasCheckpointValues: holds[id] ? { value: true } : { value: false },
    })),
  };
}

/** What each object is called in messages: `(root).model.kernel`, `(root).optimizer's state 'm' for (root).model.kernel`. */
export function objectNames({ nodes }: Message<"TrackableObjectGraph">): string[] {
  const names = ["(root)"];
  const waiting = [0];
  for (let id = waiting.shift(); id !== undefined; id = waiting.shift())
    for (const { nodeId, localName } of nodes[id].children) {
      if (names[nodeId] !== undefined) continue;
      names[nodeId] = `${names[id]}.${localName}`;
      waiting.push(nodeId);
    }
  for (const [id, { slotVariables }] of nodes.entries())
    for (const { slotVariableNodeId, slotName, originalVariableNodeId } of slotVariables)
      names[slotVariableNodeId] = `${names[id]}'s state '${slotName}' for ${names[originalVariableNodeId]}`;
  return names;
}
