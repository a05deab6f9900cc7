// FunctionDefs of a graph's library: kept for export as they came, and made into graphs when a call of theirs is expanded.

import { InvalidArgumentError, NotFoundError, ValueError } from "../base/errors.ts";
import { camelOf, snakeOf } from "../base/names.ts";
import { TensorShape } from "../base/shape.ts";
import { createMessage, isAbsent, messageToBytes } from "../formats/message-codec.ts";
import type { Message } from "../formats/messages.ts";
import { dtypeOfEnumerator, shapeFromMessage } from "../formats/tensor-message.ts";
import type { Attr, FunctionRef } from "../graph/attributes.ts";
import { calls } from "../graph/copy-calls.ts";
import { groupByName, typesOf } from "../graph/build-operation.ts";
import { effectsIn, type FuncGraph, functionsOf, type FunctionLibrary, type GraphFunctions, shareFunctions } from "../graph/functions.ts";
import { Graph } from "../graph/graph.ts";
import { graphVersion } from "../graph/graph-version.ts";
import { defineOp, type OpDefinition } from "../graph/op-definition.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import { expandCall } from "../ops/flow/functional-calls.ts";
import { type AttrMessage, attrFromMessage, attrToMessage, looseKind } from "./attribute-message.ts";
import { checkOpsKnown, definitionsWith, GraphImporter, type NodeMessage } from "./graph-importer.ts";

type FunctionMessage = Message<"FunctionDef">;
type ArgMessage = Message<"ArgDef">;
type LibraryMessage = Message<"FunctionDefLibrary">;

/** The library of a graph, made when first asked for. */
export function libraryOf(graph: Graph): ImportedFunctions {
  return graph.attached(libraryOf, () => {
    const home = functionsOf(graph);
    const library = new ImportedFunctions(home);
    home.brought = library;
    attached.set(graph, library);
    return library;
  });
}

const attached = new WeakMap<Graph, ImportedFunctions>();

/** The library that a graph has already. Unlike `libraryOf` this does not lead to the importer, nor by it to every op there is: the bundle of a
 *  program that exports and imports nothing holds neither. */
export const attachedLibrary = (graph: Graph): ImportedFunctions | undefined => attached.get(graph);

export class ImportedFunctions implements FunctionLibrary {
  private readonly functions = new Map<string, FunctionMessage>();
  private readonly gradients: Message<"GradientDef">[] = [];
  private readonly registered: Message<"RegisteredGradient">[] = [];
  private readonly calls = new Map<string, OpDefinition>();
  private readonly bodies = new Map<string, FuncGraph>();
  private readonly home: GraphFunctions;

  /** `home`: what the bodies of these functions may call. */
  constructor(home: GraphFunctions) {
    this.home = home;
  }

  /** The ops that nodes of the graph and of its functions may have. */
  readonly definitionOf = definitionsWith(type => this.callDefinition(type));

  get names(): readonly string[] {
    return [...this.functions.keys()];
  }

  has(name: string): boolean {
    return this.functions.has(name);
  }

  definition(name: string): FunctionMessage | undefined {
    return this.functions.get(name);
  }

  /** Takes in the functions of a GraphDef. @throws ValueError for another function of a name that is taken. */
  add(library: LibraryMessage | undefined): void {
    for (const given of library?.function ?? []) {
      const name = given.signature?.name ?? "";
      const known = this.functions.get(name);
      const isMade = known === undefined && this.home.has(name);
      if (isMade || (known && !sameBytes(messageToBytes("FunctionDef", known), messageToBytes("FunctionDef", given))))
        throw new ValueError(`Cannot add function '${name}' because a different function with the same name already exists.`);
      this.functions.set(name, given);
    }
    for (const gradient of library?.gradient ?? [])
      if (!this.gradients.some(({ functionName }) => functionName === gradient.functionName)) this.gradients.push(gradient);
    for (const gradient of library?.registeredGradients ?? [])
      if (!this.registered.some(({ gradientFunc }) => gradientFunc === gradient.gradientFunc)) this.registered.push(gradient);
  }

  /** The library as it is written; undefined if it is empty. */
  toMessage(): LibraryMessage | undefined {
    if (this.functions.size === 0 && this.gradients.length === 0) return undefined;
    return createMessage("FunctionDefLibrary", {
      function: [...this.functions.values()],
      gradient: this.gradients,
      registeredGradients: this.registered,
    });
  }

  gradientOf(name: string): string | undefined {
    return this.gradients.find(({ functionName }) => functionName === name)?.gradientFunc;
  }

  /** The definition of a node that calls a function by having its name for its op. */
  callDefinition(name: string): OpDefinition | undefined {
    const signature = this.functions.get(name)?.signature;
    if (!signature) return undefined;
    let found = this.calls.get(name);
    if (!found) {
      found = definitionFrom(signature);
      this.calls.set(name, found);
    }
    return found;
  }

  body(ref: FunctionRef): FuncGraph {
    const given = this.functions.get(ref.name);
    if (!given)
      throw new NotFoundError(
        `Function ${ref.name} is not defined.\n\nThe graph calls it, but its library holds ${this.functions.size} others.`,
      );
    const attrs = new Map(
      Object.entries(ref.attrs).map(([name, value]) => [snakeOf(name), attrToMessage(value, looseKind(value), Array.isArray(value))]),
    );
    const isGeneric = (given.signature?.attr.length ?? 0) > 0;
    const key = isGeneric
      ? `${ref.name} ${[...attrs].map(([name, value]) => `${name}=${messageToBytes("AttrValue", value)}`).sort()}`
      : ref.name;
    let body = this.bodies.get(key);
    if (!body) {
      body = this.build(given, attrs);
      this.bodies.set(key, body);
    }
    return body;
  }

  private build(given: FunctionMessage, attrs: ReadonlyMap<string, AttrMessage>): FuncGraph {
    const name = given.signature?.name ?? "";
    const graph = new Graph();
    shareFunctions(graph, this.home);
    const { definitionOf } = this;
    checkOpsKnown(given.nodeDef, definitionOf, ` in function '${name}'`);
    const nodes = given.nodeDef.map(node => withPlaceholders(node, attrs));
    const args = argumentsOf(given, attrs);
    const names = new BodyNames(args, nodes, definitionOf);
    const importer = new GraphImporter({
      graph,
      nodes: [...args.flatMap(arg => arg.nodes), ...nodes.map(node => ({ ...node, input: node.input.map(input => names.plain(input)) }))],
      prefix: "",
      inputMap: new Map(),
      producerOpList: null,
      producer: graphVersion,
      definitionOf,
    });
    graph.asDefault(() => importer.run());
    const results = (given.signature?.outputArg ?? []).flatMap(arg => {
      const source = given.ret.get(arg.name);
      if (source === undefined) throw new InvalidArgumentError(`Return ${arg.name} missing from function '${name}'.`);
      return Array.from({ length: countOf(arg, attrs) }, (_, k) => importer.element(names.plain(source, k)) as Tensor);
    });
    const inputs = args.flatMap(arg => arg.nodes.map(node => importer.element(`${node.name}:0`) as Tensor));
    shapeArguments(given, args, inputs);
    const named = [...given.controlRet.values()].map(effect => importer.element(effect) as Operation);
    const effects = [...new Set([...named, ...effectsIn(graph)])].sort((a, b) => a.id - b.id);
    return { name, graph, inputs, outputs: results, effects, named };
  }
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);

// ---- signatures ----

const typeText = (arg: ArgMessage): string => {
  const type = arg.typeAttr !== "" ? arg.typeAttr : (dtypeOfEnumerator(arg.type) ?? String(arg.type));
  if (arg.typeListAttr !== "") return arg.typeListAttr;
  const plain = arg.isRef ? `Ref(${type})` : type;
  return arg.numberAttr !== "" ? `${arg.numberAttr}*${plain}` : plain;
};

function definitionFrom(signature: Message<"OpDef">): OpDefinition {
  const { name } = signature;
  const types = (args: readonly ArgMessage[]): Record<string, string> =>
    Object.fromEntries(args.map(arg => [camelOf(arg.name), typeText(arg)]));
  return defineOp(name, {
    inputs: types(signature.inputArg),
    outputs: types(signature.outputArg),
    attrs: Object.fromEntries(signature.attr.map(attr => [camelOf(attr.name), attrSpec(attr)])),
    shape: () => undefined,
    stateful: signature.isStateful,
    expand: calls((op, inputs) => expandCall(op, { name, attrs: op.attrs }, inputs)),
  });
}

function attrSpec({ type, name, defaultValue }: Message<"AttrDef">): Attr {
  const [, list, kind] = /^(list\()?(\w+)/.exec(type) ?? [];
  const spec: Attr = { kind: kind as Attr["kind"], isList: list !== undefined, default: undefined };
  return defaultValue === undefined ? spec : { ...spec, default: attrFromMessage(defaultValue, spec, `default of attr '${name}'`) };
}

// ---- bodies ----

interface Argument {
  readonly name: string;
  readonly nodes: readonly NodeMessage[];
}

function countOf({ numberAttr, typeListAttr }: ArgMessage, attrs: ReadonlyMap<string, AttrMessage>): number {
  if (numberAttr !== "") return Number(attrs.get(numberAttr)?.i ?? 0n);
  return typeListAttr === "" ? 1 : (attrs.get(typeListAttr)?.list?.type.length ?? 0);
}

/** A node for each argument, several for a list. */
function argumentsOf({ signature }: FunctionMessage, attrs: ReadonlyMap<string, AttrMessage>): Argument[] {
  let index = 0;
  return (signature?.inputArg ?? []).map(arg => {
    const isList = arg.numberAttr !== "" || arg.typeListAttr !== "";
    const nodes = Array.from({ length: countOf(arg, attrs) }, (_, k) => {
      const type =
        arg.typeListAttr !== ""
          ? attrs.get(arg.typeListAttr)?.list?.type[k]
          : arg.typeAttr !== ""
            ? attrs.get(arg.typeAttr)?.type
            : arg.type;
      return createMessage("NodeDef", {
        name: isList ? `${arg.name}_${k}` : arg.name,
        op: "_Arg",
        attr: new Map([
          ["T", createMessage("AttrValue", { type })],
          ["index", createMessage("AttrValue", { i: BigInt(index++) })],
        ]),
      });
    });
    return { name: arg.name, nodes };
  });
}

/** What the writer knew of the arguments' shapes. */
function shapeArguments({ argAttr }: FunctionMessage, args: readonly Argument[], inputs: readonly Tensor[]): void {
  if (inputs.length !== args.length) return;
  inputs.forEach((input, i) => {
    const known = argAttr.get(i)?.attr.get("_output_shapes")?.list?.shape[0];
    if (known && input.dtype !== "resource") input.setShape(known.unknownRank ? TensorShape.unknown() : shapeFromMessage(known));
  });
}

/** Attributes that stand for those of the call get their values. @throws InvalidArgumentError if there is none. */
function withPlaceholders(node: NodeMessage, attrs: ReadonlyMap<string, AttrMessage>): NodeMessage {
  if (![...node.attr.values()].some(value => value.placeholder !== undefined || !isAbsent(value.func))) return node;
  const settled = (value: AttrMessage): AttrMessage => {
    if (!isAbsent(value.func))
      return { ...value, func: { ...value.func, attr: new Map([...value.func.attr].map(([key, inner]) => [key, settled(inner)])) } };
    if (value.placeholder === undefined) return value;
    const given = attrs.get(value.placeholder);
    if (!given) throw new InvalidArgumentError(`Node '${node.name}' needs the attribute '${value.placeholder}' of its function's call.`);
    return given;
  };
  return { ...node, attr: new Map([...node.attr].map(([name, value]) => [name, settled(value)])) };
}

/** Names of tensors inside a function (`arg`, `node:output:k`) → those of a graph (`node:i`). */
class BodyNames {
  private readonly args: ReadonlyMap<string, Argument>;
  private readonly nodes: ReadonlyMap<string, NodeMessage>;
  private readonly definitionOf: (type: string) => OpDefinition | undefined;
  private readonly starts = new Map<NodeMessage, ReadonlyMap<string, number>>();

  constructor(args: readonly Argument[], nodes: readonly NodeMessage[], definitionOf: (type: string) => OpDefinition | undefined) {
    this.args = new Map(args.map(arg => [arg.name, arg]));
    this.nodes = new Map(nodes.map(node => [node.name, node]));
    this.definitionOf = definitionOf;
  }

  /** `more`: that many outputs on, for a result that is a list. */
  plain(input: string, more = 0): string {
    if (input.startsWith("^")) return input;
    const [name, output, index] = input.split(":");
    const arg = this.args.get(name);
    if (arg) {
      const node = arg.nodes[Number(output ?? 0) + more];
      if (!node) throw new InvalidArgumentError(`The function's argument '${name}' has no value ${input}.`);
      return `${node.name}:0`;
    }
    const node = this.nodes.get(name);
    // Names that are not there are the importer's to refuse.
    if (!node || output === undefined) return `${name}:${more}`;
    const start = this.startsOf(node).get(output);
    if (start === undefined) throw new InvalidArgumentError(`Node '${name}' of op ${node.op} has no output named '${output}'.`);
    return `${name}:${start + Number(index ?? 0) + more}`;
  }

  /** The number of the first tensor of each output, by its name. */
  private startsOf(node: NodeMessage): ReadonlyMap<string, number> {
    let found = this.starts.get(node);
    if (!found) {
      const definition = this.definitionOf(node.op) as OpDefinition;
      const attrs = Object.fromEntries(
        Object.entries(definition.attrs).flatMap(([name, attr]) => {
          const value = node.attr.get(snakeOf(name));
          return value
            ? [[name, attrFromMessage(value, attr, `attr '${snakeOf(name)}' of node '${node.name}'`)]]
            : attr.default === undefined
              ? []
              : [[name, attr.default]];
        }),
      );
      const positions = groupByName(
        definition,
        "outputs",
        attrs,
        typesOf(definition, "outputs", attrs).map((_, i) => i),
      );
      found = new Map(Object.entries(positions).map(([name, at]) => [snakeOf(name), typeof at === "number" ? at : (at[0] ?? 0)]));
      this.starts.set(node, found);
    }
    return found;
  }
}
