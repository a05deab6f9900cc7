// Nodes of a message → operations: order, names, inputs, attributes, loops. Rules and messages are those of TensorFlow's GraphConstructor.
// Graphs and the bodies of functions are built alike.

import { reasonAgainst } from "./absent-ops.ts";
import { NotFoundError, UnimplementedError, ValueError } from "../base/errors.ts";
import { camelOf, snakeOf } from "../base/names.ts";
import { decodeText, encodeText } from "../base/ndarray.ts";
import { TensorShape } from "../base/shape.ts";
import { createMessage } from "../formats/message-codec.ts";
import type { Message, MessageInit } from "../formats/messages.ts";
import { shapeFromMessage } from "../formats/tensor-message.ts";
import type { AttrValue } from "../graph/attributes.ts";
import { typesOf } from "../graph/build-operation.ts";
import type { Graph } from "../graph/graph.ts";
import { removalText } from "../graph/graph-version.ts";
import type { OpDefinition } from "../graph/op-definition.ts";
import type { Operation } from "../graph/operation.ts";
import { Tensor } from "../graph/operation.ts";
import { SymbolicGradient } from "../library/symbolic-gradient.ts";
import { isEnter, isExit } from "../ops/flow/control-flow.ts";
import { findOp } from "../ops/registry.ts";
import { type AttrMessage, attrFromMessage, cNameOf, formatOp, looseAttr } from "./attribute-message.ts";

export type NodeMessage = Message<"NodeDef">;

/** Before this version a Placeholder's scalar shape meant an unknown one. */
const scalarPlaceholderVersion = 24;

/** Where an op's definition comes from: the registry, or a function of the graph's library that is called by its name. */
export type Definitions = (type: string) => OpDefinition | undefined;

export interface ImportedNodes {
  readonly graph: Graph;
  readonly nodes: readonly NodeMessage[];
  /** Ends in "/", or is empty. */
  readonly prefix: string;
  readonly inputMap: ReadonlyMap<string, Tensor>;
  readonly producerOpList: MessageInit<"OpList"> | null;
  /** The version of the TensorFlow that wrote the graph. */
  readonly producer: number;
  readonly definitionOf: Definitions;
}

/** `a` means `a:0`. */
export const tensorNameOf = (input: string): string => (input.includes(":") || input.startsWith("^") ? input : `${input}:0`);
export const nodeNameOf = (input: string): string => (input.startsWith("^") ? input.slice(1) : input.split(":")[0]);

const merges = new Set(["Merge", "RefMerge"]);
const nextIterations = new Set(["NextIteration", "RefNextIteration"]);

export class GraphImporter {
  private readonly given: ImportedNodes;
  private readonly producerOps: ReadonlyMap<string, MessageInit<"OpDef">>;
  private readonly byName = new Map<string, NodeMessage>();
  private readonly made = new Map<string, Operation>();
  private readonly usedMappings = new Set<string>();

  constructor(given: ImportedNodes) {
    this.given = given;
    this.producerOps = new Map((given.producerOpList?.op ?? []).map(op => [op.name ?? "", op]));
  }

  /** In how many loops an operation is. */
  private readonly loopDepths = new Map<Operation, number>();

  run(): void {
    for (const node of this.given.nodes) {
      if (this.byName.has(node.name)) throw new ValueError(`Node '${node.name}' is not unique`);
      this.byName.set(node.name, node);
    }
    checkOpsKnown(this.given.nodes, this.given.definitionOf);
    for (const node of this.inOrder()) this.made.set(node.name, this.build(node));
    this.closeLoops();
    const unused = [...this.given.inputMap.keys()].filter(key => !this.usedMappings.has(key) && !this.byName.has(nodeNameOf(key)));
    if (unused.length > 0) throw new ValueError(`Attempted to map inputs that were not found in graph_def: [${unused.join(", ")}]`);
  }

  /** The operation or tensor a name of the GraphDef stands for now. */
  element(name: string): Operation | Tensor {
    const mapped = name.includes(":") ? this.given.inputMap.get(name) : undefined;
    if (mapped) return mapped;
    const op = this.made.get(nodeNameOf(name));
    if (!name.includes(":")) {
      if (!op) throw new ValueError(`Requested return node '${name}' not found in graph def`);
      return op;
    }
    const tensor = op?.outputs[Number(name.split(":")[1])];
    if (!tensor) throw new ValueError(`Requested return tensor '${name}' not found in graph def`);
    return tensor;
  }

  /** Each node after what it reads, otherwise in the given order. Only a Merge may read a NextIteration that comes later.
   *  @throws ValueError for unknown inputs and for other cycles. */
  private inOrder(): NodeMessage[] {
    const order: NodeMessage[] = [];
    const state = new Map<NodeMessage, "open" | "done">();
    for (const root of this.given.nodes) {
      const stack = [root];
      for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
        const missing = state.has(node) ? [] : this.sourcesOf(node).filter(source => state.get(source) !== "done");
        if (!state.has(node)) state.set(node, "open");
        const circular = missing.find(source => state.get(source) === "open");
        if (circular)
          throw new ValueError(
            `A cycle in the graph goes through '${circular.name}' and '${node.name}'.`,
            "Only loops closed by NextIteration → Merge are valid.",
          );
        if (missing.length > 0) stack.push(...missing.reverse());
        else {
          stack.pop();
          if (state.get(node) !== "done") order.push(node);
          state.set(node, "done");
        }
      }
    }
    return order;
  }

  private sourcesOf(node: NodeMessage): NodeMessage[] {
    const sources: NodeMessage[] = [];
    for (const input of node.input) {
      if (this.given.inputMap.has(tensorNameOf(input))) continue;
      const source = this.byName.get(nodeNameOf(input));
      if (!source)
        throw new ValueError(
          `Node '${node.name}': Unknown input node '${input}'`,
          "The GraphDef refers to a node it does not hold. It was cut off, or pruned wrongly.",
        );
      if (!isBackEdge(node, source)) sources.push(source);
    }
    return sources;
  }

  private build(node: NodeMessage): Operation {
    const definition = this.given.definitionOf(node.op) as OpDefinition;
    const removed = removalText(definition, this.given.producer);
    if (removed !== undefined) throw new UnimplementedError(removed);
    const attrs = this.attrsOf(node, definition);
    const inputs = this.inputsOf(node, definition, attrs);
    const name = this.freeName(`${this.given.prefix}${node.name}`);
    const make = (): Operation => this.given.graph.createOperation(definition, inputs, attrs, `${name}/`);
    const op = node.device === "" ? make() : this.given.graph.device(node.device, make);
    // A node colocated with one that has no device keeps its own.
    if (op.device === "") op.device = node.device;
    for (const input of node.input) if (input.startsWith("^")) op.addControlInput(this.operation(nodeNameOf(input)));
    this.refine(op, node);
    keepAttrMessages(op, node, definition);
    this.guardLoop(op);
    return op;
  }

  /** What a loop computes anew in each iteration can be neither fetched nor fed, as in the graph that it was built in. */
  private guardLoop(op: Operation): void {
    const depthAfter = (source: Operation): number => (this.loopDepths.get(source) ?? 0) - (isExit(source) ? 1 : 0);
    const depth = Math.max(0, ...op.inputs.map(input => depthAfter(input.op)), ...op.controlInputs.map(depthAfter));
    if (isEnter(op)) this.loopDepths.set(op, depth + 1);
    else if (depth > 0) this.loopDepths.set(op, depth);
    if (depthAfter(op) === 0) return;
    for (const output of op.outputs) op.graph.preventFeeding(output);
    if (depth > 0) op.graph.preventFetching(op);
  }

  private operation(name: string): Operation {
    return this.given.inputMap.get(`^${name}`)?.op ?? (this.made.get(name) as Operation);
  }

  /** A name as TensorFlow's importer makes it unique: exact, unlike `uniqueName`, which ignores case. */
  private freeName(name: string): string {
    let free = name;
    for (let i = 1; this.given.graph.findOperation(free); i++) free = `${name}_${i}`;
    if (this.given.graph.uniqueName(free, false) === free) this.given.graph.uniqueName(free);
    return free;
  }

  private inputsOf(node: NodeMessage, definition: OpDefinition, attrs: Readonly<Record<string, AttrValue>>): Tensor[] {
    const expected = typesOf(definition, "inputs", attrs);
    const names = node.input.filter(input => !input.startsWith("^"));
    if (names.length !== expected.length)
      throw new ValueError(
        `NodeDef expected inputs '${expected.map(({ dtype, isRef }) => cNameOf(dtype, isRef)).join(", ")}' do not match ${names.length} inputs specified; ${formatOp(definition)}; NodeDef: {{node ${node.name}}}`,
      );
    const resolved = names.map(name => this.tensor(node, name));
    const first = resolved.find(tensor => tensor !== undefined);
    return resolved.map((found, i) => {
      const { dtype, isRef } = expected[i];
      // A loop's way back is not there yet: something of unknown shape stands in until closeLoops.
      const tensor = found ?? new Tensor((first as Tensor).op, (first as Tensor).valueIndex, dtype, isRef, TensorShape.unknown());
      if (tensor.dtype !== dtype || (isRef && !tensor.isRef))
        throw new ValueError(
          `Input ${i} of node ${this.given.prefix}${node.name} was passed ${cNameOf(tensor.dtype, tensor.isRef)} from ${tensor.name} incompatible with expected ${cNameOf(dtype, isRef)}.`,
        );
      return tensor;
    });
  }

  private tensor(node: NodeMessage, input: string): Tensor | undefined {
    const name = tensorNameOf(input);
    const mapped = this.given.inputMap.get(name);
    if (mapped) {
      this.usedMappings.add(name);
      return mapped;
    }
    const source = this.made.get(nodeNameOf(name));
    const index = Number(name.slice(name.lastIndexOf(":") + 1));
    if (!source) return undefined;
    const tensor = source.outputs[index];
    if (!tensor)
      throw new ValueError(
        `Node '${node.name}': Connecting to invalid output ${index} of source node ${source.name} which has ${source.outputs.length} outputs.`,
      );
    return tensor;
  }

  private closeLoops(): void {
    for (const node of this.given.nodes) {
      if (!merges.has(node.op)) continue;
      const op = this.operation(node.name);
      node.input.forEach((input, i) => {
        const source = this.byName.get(nodeNameOf(input));
        if (source === undefined || input.startsWith("^") || !isBackEdge(node, source)) return;
        const tensor = this.tensor(node, input) as Tensor;
        if (tensor.dtype !== op.inputs[i].dtype)
          throw new ValueError(
            `Input ${i} of node ${op.name} was passed ${cNameOf(tensor.dtype, tensor.isRef)} from ${tensor.name} incompatible with expected ${cNameOf(op.inputs[i].dtype, false)}.`,
          );
        op.replaceInput(i, tensor);
      });
    }
  }

  /** What the writer knew of the output shapes. */
  private refine(op: Operation, node: NodeMessage): void {
    const shapes = node.attr.get("_output_shapes")?.list?.shape;
    for (const [i, shape] of (shapes ?? []).entries())
      try {
        op.outputs[i]?.setShape(shapeFromMessage(shape));
      } catch (error) {
        if (!(error instanceof ValueError)) throw error;
        const reason = `Node '${op.name}' has an _output_shapes attribute inconsistent with the GraphDef for output #${i}: ${error.reason}`;
        throw new ValueError(reason, "Drop the attribute `_output_shapes` of the node: shapes are inferred without it.");
      }
  }

  private attrsOf(node: NodeMessage, definition: OpDefinition): Record<string, AttrValue> {
    const attrs: Record<string, AttrValue> = {};
    for (const [name, attr] of Object.entries(definition.attrs)) {
      const given = node.attr.get(snakeOf(name));
      if (given !== undefined) attrs[name] = attrFromMessage(given, attr, `attr '${snakeOf(name)}' of node '${node.name}'`);
      else if (attr.default !== undefined) attrs[name] = attr.default;
      else throw new ValueError(`NodeDef missing attr '${snakeOf(name)}' from ${formatOp(definition)}; NodeDef: {{node ${node.name}}}`);
    }
    for (const [name, value] of node.attr) {
      // What the writer inferred has been used when the node is made, and is inferred anew for export.
      if (name === "_output_shapes") continue;
      if (name === "_class") attrs._class = (value.list?.s ?? []).map(group => this.colocation(decodeText(group)));
      else if (name.startsWith("_")) attrs[name] = looseAttr(value);
      else if (!(camelOf(name) in definition.attrs) && !this.isProducersDefault(node, name, value))
        throw new ValueError(
          `NodeDef mentions attr '${name}' not in ${formatOp(definition)}; NodeDef: {{node ${node.name}}}. (Check whether your GraphDef-interpreting binary is up to date with your GraphDef-generating binary.).`,
          "Pass the producer's op list as producerOpList: attributes at their default are then dropped.",
        );
    }
    if (
      definition.type === "Placeholder" &&
      this.given.producer < scalarPlaceholderVersion &&
      attrs.shape instanceof TensorShape &&
      attrs.shape.rank === 0
    )
      attrs.shape = TensorShape.unknown();
    return attrs;
  }

  private colocation(group: string): string {
    const name = group.replace(/^loc:@/, "");
    return `loc:@${this.made.get(name)?.name ?? `${this.given.prefix}${name}`}`;
  }

  private isProducersDefault(node: NodeMessage, name: string, value: AttrMessage): boolean {
    const attr = this.producerOps.get(node.op)?.attr?.find(candidate => candidate.name === name);
    return attr?.defaultValue !== undefined && sameAttr(createMessage("AttrValue", attr.defaultValue), value);
  }
}

/** Equal messages print equally: fields are always in the table's order. */
const sameAttr = (a: AttrMessage, b: AttrMessage): boolean => comparable(a) === comparable(b);
const comparable = (value: AttrMessage): string =>
  JSON.stringify(value, (_, item) => (typeof item === "bigint" ? `${item}n` : item instanceof Map ? [...item] : item));

const isBackEdge = (node: NodeMessage, source: NodeMessage): boolean => merges.has(node.op) && nextIterations.has(source.op);

/** Ops that are not there, by their names, and what to do about each kind. */

/** @throws NotFoundError with TensorFlow's line for the first unknown op and a list of them all. */
export function checkOpsKnown(nodes: readonly { readonly op: string }[], definitionOf: Definitions, where = ""): void {
  const counts = new Map<string, number>();
  for (const { op } of nodes) if (definitionOf(op) === undefined) counts.set(op, (counts.get(op) ?? 0) + 1);
  if (counts.size === 0) return;
  const listed = [...counts].map(([op, count]) => {
    const why = reasonAgainst(op);
    return `${op} (${count === 1 ? "1 node" : `${count} nodes`}${why === undefined ? "" : `, ${why}`})`;
  });
  const [first] = counts.keys();
  throw new NotFoundError(
    `Op type not registered '${first}' in binary running on tensorloom. Make sure the Op and Kernel are registered in the binary running in this process.\n\nMissing in all${where}: ${listed.join(", ")}.`,
  );
}

/** The definitions of the registry, and those that a library has for calls of its functions. */
export const definitionsWith =
  (calls: Definitions): Definitions =>
  type =>
    findOp(type) ?? (type === SymbolicGradient.type ? SymbolicGradient : calls(type));

// ---- attributes that go out as they came in ----

const keptMessages = new WeakMap<Operation, ReadonlyMap<string, AttrMessage>>();

/** The message an attribute came in, where its value alone does not say it all. */
export const keptMessage = (op: Operation, name: string): AttrMessage | undefined => keptMessages.get(op)?.get(name);

/** Values of attributes that no definition describes (a function's are among them) do not tell int from float, and strings that are no UTF-8
 *  are not whole. */
function keepAttrMessages(op: Operation, { attr }: NodeMessage, { attrs }: OpDefinition): void {
  const kept = [...attr].filter(([name, value]) => {
    if (name.startsWith("_")) return name !== "_class" && name !== "_output_shapes";
    const kind = attrs[camelOf(name)]?.kind;
    return kind === "func" || (kind === "string" && !isText(value));
  });
  if (kept.length > 0) keptMessages.set(op, new Map(kept));
}

const isText = ({ s, list }: AttrMessage): boolean =>
  [...(s ? [s] : []), ...(list?.s ?? [])].every(bytes => encodeText(decodeText(bytes)).length === bytes.length);
