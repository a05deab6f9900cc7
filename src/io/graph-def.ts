// GraphDef ↔ Graph: nodes of a message become operations and operations nodes. Bytes and JSON are formats/message-codec.ts's business.
// Rules and messages are those of TensorFlow's GraphConstructor and tf.import_graph_def.

import type { DType } from "../base/dtype.ts";
import { dtypeEnumName, isDType } from "../base/dtype.ts";
import { NotFoundError, ValueError } from "../base/errors.ts";
import { camelOf, snakeOf } from "../base/names.ts";
import { decodeText, encodeText, NDArray } from "../base/ndarray.ts";
import { TensorShape } from "../base/shape.ts";
import { createMessage, messageFromBytes, messageFromJson } from "../formats/message-codec.ts";
import type { Message, MessageInit } from "../formats/messages.ts";
import { arrayFromMessage, arrayToMessage, dtypeOfEnumerator, shapeFromMessage, shapeToMessage } from "../formats/tensor-message.ts";
import type { Attr, AttrValue, FunctionRef } from "../graph/attributes.ts";
import { parseInputType, typesOf } from "../graph/build-operation.ts";
import { convertToTensor, type TensorLike } from "../graph/conversion.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import type { Graph } from "../graph/graph.ts";
import type { OpDefinition } from "../graph/op-definition.ts";
import type { Operation } from "../graph/operation.ts";
import { Tensor } from "../graph/operation.ts";
import { findOp } from "../ops/registry.ts";

/** A GraphDef as a plain object: what readers of .pb files give and what `exportGraphDef` makes. */
export type GraphDefMessage = Message<"GraphDef">;
type NodeMessage = Message<"NodeDef">;
type AttrMessage = Message<"AttrValue">;

/** The version of TensorFlow's graphs that tensorloom reads and writes. */
const graphVersion = 2474;
/** Before this version a Placeholder's scalar shape meant an unknown one. */
const scalarPlaceholderVersion = 24;

export interface ImportGraphDefOptions {
  /** Inputs of the imported nodes to be taken from elsewhere: `{ "x:0": tensor }`. */
  readonly inputMap?: Readonly<Record<string, TensorLike>> | ReadonlyMap<string, TensorLike> | null;
  /** Names (in the GraphDef) of what to return: "x:0" a tensor, "x" an operation. */
  readonly returnElements?: readonly string[] | null;
  /** Prefix of all names; "" for none. "import" by default. */
  readonly name?: string | null;
  /** Op definitions of the producer: attributes that we do not know and that have the producer's default are dropped. */
  readonly producerOpList?: MessageInit<"OpList"> | null;
}

/** Adds the nodes of a GraphDef to the default graph; returns what `returnElements` names, or null without it. Takes the bytes
 *  of a .pb file, the message, or its proto3 JSON. TF: tf.import_graph_def.
 *  @throws NotFoundError listing all unknown op types; ValueError for missing inputs or attributes, double names, wrong types or shapes. */
export function importGraphDef(
  graphDef: GraphDefMessage | Uint8Array | object,
  options: ImportGraphDefOptions & { readonly returnElements: readonly string[] },
): (Operation | Tensor)[];
export function importGraphDef(
  graphDef: GraphDefMessage | Uint8Array | object,
  options?: ImportGraphDefOptions,
): (Operation | Tensor)[] | null;
export function importGraphDef(
  graphDef: GraphDefMessage | Uint8Array | object,
  options: ImportGraphDefOptions = {},
): (Operation | Tensor)[] | null {
  const message = graphDefOf(graphDef);
  checkVersions(message);
  const graph = getDefaultGraph();
  const name = options.name ?? "import";
  const given = options.inputMap instanceof Map ? [...options.inputMap] : Object.entries(options.inputMap ?? {});
  const { prefix, inputMap } = graph.nameScope(name, scope => ({
    prefix: name === "" ? "" : String(scope),
    inputMap: new Map(given.map(([key, value]) => [tensorNameOf(key), mappedInput(graph, value)])),
  }));
  const importer = new GraphImporter(graph, message, prefix, inputMap, options.producerOpList ?? null);
  graph.nameScope(null, () => importer.run());
  keepLibrary(graph, message);
  return options.returnElements ? options.returnElements.map(element => importer.element(element)) : null;
}

const mappedInput = (graph: Graph, value: TensorLike): Tensor =>
  value instanceof Tensor ? value : graph.nameScope("_inputs", () => convertToTensor(value));

function graphDefOf(given: GraphDefMessage | Uint8Array | object): GraphDefMessage {
  if (given instanceof Uint8Array) return messageFromBytes("GraphDef", given);
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw new TypeError(
      "Argument `graph_def` must be a GraphDef proto.\n\nPass the bytes of a .pb file, the object that exportGraphDef gives, or proto3 JSON.",
    );
  const { node } = given as { node?: readonly { attr?: unknown }[] };
  const isMessage = Array.isArray(node) && (node.length === 0 ? "versions" in given && "library" in given : node[0].attr instanceof Map);
  return isMessage ? (given as GraphDefMessage) : messageFromJson("GraphDef", given);
}

function checkVersions({ versions }: GraphDefMessage): void {
  if (versions === undefined) return;
  if (versions.minConsumer > graphVersion)
    throw new ValueError(
      `GraphDef min consumer version ${versions.minConsumer} above current version ${graphVersion} for TensorFlow 2.21.0.  Please upgrade TensorFlow.`,
      "The file was written for a newer TensorFlow than tensorloom knows.",
    );
  if (versions.badConsumers.includes(graphVersion))
    throw new ValueError(`GraphDef disallows consumer version ${graphVersion}.  Please upgrade TensorFlow: this version is likely buggy.`);
}

/** The functions that imported graphs brought along, by name: kept for export. */
function functionLibrary(graph: Graph): Map<string, Message<"FunctionDef">> {
  return graph.attached(functionLibrary, () => new Map());
}

function keepLibrary(graph: Graph, message: GraphDefMessage): void {
  for (const definition of message.library?.function ?? []) functionLibrary(graph).set(definition.signature?.name ?? "", definition);
}

/** `a` means `a:0`. */
const tensorNameOf = (input: string): string => (input.includes(":") || input.startsWith("^") ? input : `${input}:0`);
const nodeNameOf = (input: string): string => (input.startsWith("^") ? input.slice(1) : input.split(":")[0]);

const merges = new Set(["Merge", "RefMerge"]);
const nextIterations = new Set(["NextIteration", "RefNextIteration"]);

class GraphImporter {
  private readonly graph: Graph;
  private readonly nodes: readonly NodeMessage[];
  private readonly prefix: string;
  private readonly inputMap: ReadonlyMap<string, Tensor>;
  private readonly producerOps: ReadonlyMap<string, MessageInit<"OpDef">>;
  private readonly producer: number;
  private readonly library: ReadonlySet<string>;
  private readonly byName = new Map<string, NodeMessage>();
  private readonly made = new Map<string, Operation>();
  private readonly usedMappings = new Set<string>();

  constructor(
    graph: Graph,
    message: GraphDefMessage,
    prefix: string,
    inputMap: ReadonlyMap<string, Tensor>,
    producerOpList: MessageInit<"OpList"> | null,
  ) {
    this.graph = graph;
    this.nodes = message.node;
    this.prefix = prefix;
    this.inputMap = inputMap;
    this.producerOps = new Map((producerOpList?.op ?? []).map(op => [op.name ?? "", op]));
    this.producer = message.versions?.producer ?? graphVersion;
    this.library = new Set(message.library?.function.map(({ signature }) => signature?.name ?? ""));
  }

  run(): void {
    for (const node of this.nodes) {
      if (this.byName.has(node.name)) throw new ValueError(`Node '${node.name}' is not unique`);
      this.byName.set(node.name, node);
    }
    checkOpsKnown(this.nodes, this.library);
    for (const node of this.inOrder()) this.made.set(node.name, this.build(node));
    this.closeLoops();
    const unused = [...this.inputMap.keys()].filter(key => !this.usedMappings.has(key) && !this.byName.has(nodeNameOf(key)));
    if (unused.length > 0) throw new ValueError(`Attempted to map inputs that were not found in graph_def: [${unused.join(", ")}]`);
  }

  /** The operation or tensor a name of the GraphDef stands for now. */
  element(name: string): Operation | Tensor {
    const mapped = name.includes(":") ? this.inputMap.get(name) : undefined;
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
    for (const root of this.nodes) {
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
      if (this.inputMap.has(tensorNameOf(input))) continue;
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
    const definition = findOp(node.op) as OpDefinition;
    const attrs = this.attrsOf(node, definition);
    const inputs = this.inputsOf(node, definition, attrs);
    const name = this.freeName(`${this.prefix}${node.name}`);
    const make = (): Operation => this.graph.createOperation(definition, inputs, attrs, `${name}/`);
    const op = node.device === "" ? make() : this.graph.device(node.device, make);
    // A node colocated with one that has no device keeps its own.
    if (op.device === "") op.device = node.device;
    for (const input of node.input) if (input.startsWith("^")) op.addControlInput(this.operation(nodeNameOf(input)));
    this.refine(op, node);
    keepPrivateAttrs(op, node);
    return op;
  }

  private operation(name: string): Operation {
    return this.inputMap.get(`^${name}`)?.op ?? (this.made.get(name) as Operation);
  }

  /** A name as TensorFlow's importer makes it unique: exact, unlike `uniqueName`, which ignores case. */
  private freeName(name: string): string {
    let free = name;
    for (let i = 1; this.graph.findOperation(free); i++) free = `${name}_${i}`;
    if (this.graph.uniqueName(free, false) === free) this.graph.uniqueName(free);
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
          `Input ${i} of node ${this.prefix}${node.name} was passed ${cNameOf(tensor.dtype, tensor.isRef)} from ${tensor.name} incompatible with expected ${cNameOf(dtype, isRef)}.`,
        );
      return tensor;
    });
  }

  private tensor(node: NodeMessage, input: string): Tensor | undefined {
    const name = tensorNameOf(input);
    const mapped = this.inputMap.get(name);
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
    for (const node of this.nodes) {
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
    for (const [i, shape] of (shapes ?? []).entries()) op.outputs[i]?.setShape(shapeFromMessage(shape));
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
      this.producer < scalarPlaceholderVersion &&
      attrs.shape instanceof TensorShape &&
      attrs.shape.rank === 0
    )
      attrs.shape = TensorShape.unknown();
    return attrs;
  }

  private colocation(group: string): string {
    const name = group.replace(/^loc:@/, "");
    return `loc:@${this.made.get(name)?.name ?? `${this.prefix}${name}`}`;
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

/** @throws NotFoundError with TensorFlow's line for the first unknown op and a list of them all. */
function checkOpsKnown(nodes: readonly NodeMessage[], library: ReadonlySet<string>): void {
  const counts = new Map<string, number>();
  for (const { op } of nodes) if (findOp(op) === undefined) counts.set(op, (counts.get(op) ?? 0) + 1);
  if (counts.size === 0) return;
  const listed = [...counts].map(
    ([op, count]) =>
      `${op} (${count === 1 ? "1 node" : `${count} nodes`}${library.has(op) ? ", a call of a function of the GraphDef's library, which is not supported" : ""})`,
  );
  const [first] = counts.keys();
  throw new NotFoundError(
    `Op type not registered '${first}' in binary running on tensorloom. Make sure the Op and Kernel are registered in the binary running in this process.\n\nMissing in all: ${listed.join(", ")}.`,
  );
}

const cNameOf = (dtype: DType, isRef: boolean): string =>
  `${dtype === "float32" ? "float" : dtype === "float64" ? "double" : dtype === "float16" ? "half" : dtype}${isRef ? "_ref" : ""}`;

// ---- attributes ----

/** `Op<name=Softmax; signature=logits:T -> softmax:T; attr=T:type,allowed=[DT_HALF, …]>`, as TensorFlow summarizes an op. */
function formatOp({ type, inputs, outputs, attrs }: OpDefinition): string {
  const side = (args: Readonly<Record<string, string>>): string =>
    Object.entries(args)
      .map(([name, text]) => `${snakeOf(name)}:${formatType(text)}`)
      .join(", ");
  const listed = Object.entries(attrs).map(([name, attr]) => `; attr=${snakeOf(name)}:${formatAttrSpec(attr)}`);
  return `Op<name=${type}; signature=${side(inputs)} -> ${side(outputs)}${listed.join("")}>`;
}

function formatType(text: string): string {
  const { count, isRef, type } = parseInputType(text);
  const name = isDType(type) ? cNameOf(type, false) : type;
  return `${count === undefined ? "" : `${count}*`}${isRef ? `Ref(${name})` : name}`;
}

function formatAttrSpec({ kind, isList, default: fallback, allowed, minimum }: Attr): string {
  const named = (value: unknown): string =>
    kind === "type"
      ? dtypeEnumName(value as DType)
      : kind === "string"
        ? `"${value}"`
        : Array.isArray(value)
          ? `[${value.map(named).join(", ")}]`
          : String(value);
  const type = isList ? `list(${kind})` : kind;
  return [
    type,
    fallback === undefined ? "" : `,default=${named(fallback)}`,
    allowed ? `,allowed=[${allowed.map(named).join(", ")}]` : "",
    minimum === undefined ? "" : `,min=${minimum}`,
  ].join("");
}

const int64Number = (value: bigint): number | bigint =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;

const dtypeFrom = (value: string | number, where: string): DType => {
  const dtype = dtypeOfEnumerator(value);
  if (dtype === undefined) throw new ValueError(`The ${where} is ${value}, a type that tensorloom does not know.`);
  return dtype;
};

const functionFrom = (message: Message<"NameAttrList">): FunctionRef => ({
  name: message.name,
  attrs: Object.fromEntries([...message.attr].map(([name, value]) => [name, looseAttr(value)])),
});

/** How each kind of attribute is read from its field of the message, alone or in a list. */
const readers: {
  readonly [K in Attr["kind"]]: { readonly field: keyof Message<"ListValue">; readonly read: (value: never, where: string) => AttrValue };
} = {
  type: { field: "type", read: dtypeFrom },
  int: { field: "i", read: int64Number },
  float: { field: "f", read: (value: number) => value },
  bool: { field: "b", read: (value: boolean) => value },
  string: { field: "s", read: (value: Uint8Array) => decodeText(value) },
  shape: { field: "shape", read: shapeFromMessage },
  tensor: { field: "tensor", read: arrayFromMessage },
  func: { field: "func", read: functionFrom },
};

function attrFromMessage(message: AttrMessage, attr: Attr, where: string): AttrValue {
  const { field, read } = readers[attr.kind];
  if (attr.isList) {
    if (message.list === undefined) throw new ValueError(`The ${where} should be a list of ${attr.kind}.`);
    return (message.list[field] as readonly never[]).map(item => read(item, where));
  }
  const value = message[field];
  if (value === undefined)
    throw new ValueError(`AttrValue had value with type '${kindOf(message)}' when '${attr.kind}' expected\n\t for ${where}`);
  return read(value as never, where);
}

const kindOf = (message: AttrMessage): string =>
  Object.entries(readers).find(([, { field }]) => message[field] !== undefined)?.[0] ?? (message.list ? "list" : "none");

/** An attribute no definition describes, by the field it was given in. */
function looseAttr(message: AttrMessage): AttrValue {
  for (const { field, read } of Object.values(readers)) {
    const value = message[field];
    if (value !== undefined) return read(value as never, "attribute");
    const list = message.list?.[field];
    if (list !== undefined && list.length > 0) return (list as readonly never[]).map(item => read(item, "attribute"));
  }
  return [];
}

const privateAttrs = new WeakMap<Operation, ReadonlyMap<string, AttrMessage>>();

/** Attributes such as `_output_shapes` go out exactly as they came in; their values alone do not tell int from float. */
function keepPrivateAttrs(op: Operation, node: NodeMessage): void {
  const kept = [...node.attr].filter(([name]) => name.startsWith("_") && name !== "_class");
  if (kept.length > 0) privateAttrs.set(op, new Map(kept));
}

// ---- export ----

/** The graph as a message: all operations in order of creation, every attribute written out. TF: Graph.as_graph_def. */
export function exportGraphDef(graph: Graph, { fromVersion = 0 }: { readonly fromVersion?: number } = {}): GraphDefMessage {
  const library = functionLibrary(graph);
  return createMessage("GraphDef", {
    node: graph.getOperations().slice(fromVersion).map(nodeOf),
    versions: { producer: graphVersion },
    library: library.size === 0 ? undefined : { function: [...library.values()] },
  });
}

/** One operation as a message. TF: Operation.node_def. */
export function nodeOf(op: Operation): NodeMessage {
  const attr = new Map<string, AttrMessage>();
  for (const [name, value] of Object.entries(op.attrs)) {
    const spec = op.definition.attrs[name];
    if (spec) attr.set(snakeOf(name), attrToMessage(value, spec.kind, spec.isList));
    else attr.set(name, privateAttrs.get(op)?.get(name) ?? attrToMessage(value, looseKind(value), Array.isArray(value)));
  }
  if (op.colocation.length > 0) attr.set("_class", createMessage("AttrValue", { list: { s: op.colocation.map(encodeText) } }));
  return createMessage("NodeDef", {
    name: op.name,
    op: op.type,
    input: [
      ...op.inputs.map(tensor => (tensor.valueIndex === 0 ? tensor.op.name : tensor.name)),
      ...op.controlInputs.map(control => `^${control.name}`),
    ],
    device: op.device,
    attr: new Map([...attr].sort(([a], [b]) => (a < b ? -1 : 1))),
  });
}

function looseKind(value: AttrValue): Attr["kind"] {
  const sample = Array.isArray(value) ? value[0] : value;
  if (typeof sample === "bigint" || Number.isInteger(sample)) return "int";
  if (typeof sample === "number") return "float";
  if (typeof sample === "boolean") return "bool";
  if (sample instanceof TensorShape) return "shape";
  if (sample instanceof NDArray) return "tensor";
  return typeof sample === "object" ? "func" : "string";
}

const writers: { readonly [K in Attr["kind"]]: (value: never) => unknown } = {
  type: (value: DType) => dtypeEnumName(value),
  int: (value: number | bigint) => BigInt(value),
  float: (value: number) => value,
  bool: (value: boolean) => value,
  string: (value: string) => encodeText(value),
  shape: shapeToMessage,
  tensor: arrayToMessage,
  func: ({ name, attrs }: FunctionRef) => ({
    name,
    attr: new Map(Object.entries(attrs).map(([key, value]) => [key, attrToMessage(value, looseKind(value), Array.isArray(value))])),
  }),
};

function attrToMessage(value: AttrValue, kind: Attr["kind"], isList: boolean): AttrMessage {
  const { field } = readers[kind];
  const write = writers[kind];
  if (isList) return createMessage("AttrValue", { list: { [field]: (value as readonly never[]).map(item => write(item)) } });
  return createMessage("AttrValue", { [field]: write(value as never) });
}
