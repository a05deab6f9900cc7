// tf.graph_util: parts of GraphDefs, frozen graphs. Everything here takes and gives messages; only freezing asks a session for values.

import type { DType } from "../base/dtype.ts";
import { AssertionError, NotFoundError, UnimplementedError } from "../base/errors.ts";
import type { NDArray } from "../base/ndarray.ts";
import type { TensorShape } from "../base/shape.ts";
import { createMessage } from "../formats/message-codec.ts";
import { GraphDef } from "../formats/message-types.ts";
import type { Message } from "../formats/messages.ts";
import { arrayToMessage } from "../formats/tensor-message.ts";
import { pythonType } from "../base/python-text.ts";
import { expandCalls } from "../graph/expand-calls.ts";
import { Graph } from "../graph/graph.ts";
import { Operation } from "../graph/operation.ts";
import type { Tensor } from "../graph/operation.ts";
import { IdentityN } from "../ops/array/array.ts";
import { ReadVariableOp } from "../ops/state/state.ts";
import { exportGraphDef, type GraphDefMessage, importGraphDef } from "./graph-def.ts";
import { nodeOf } from "./node-message.ts";
import type { NodeMessage } from "./graph-importer.ts";
import { nodeNameOf } from "./graph-importer.ts";
import { refuseOthers } from "../ops/arguments.ts";

function checkGraphDef(graphDef: unknown): void {
  if (typeof graphDef !== "object" || graphDef === null || !Array.isArray((graphDef as { node?: unknown }).node))
    throw new TypeError(`graph_def must be a graph_pb2.GraphDef proto, but got type ${pythonType(graphDef)}.`);
}

/** The nodes that `destNodes` need, in the graph's order. TF: tf.graph_util.extract_sub_graph.
 *  @throws AssertionError for a name that is not in the graph. */
export function extractSubGraph(graphDef: GraphDefMessage, destNodes: readonly string[]): GraphDef {
  checkGraphDef(graphDef);
  if (typeof destNodes === "string")
    throw new TypeError(`dest_nodes must be an iterable of strings, but got type ${pythonType(destNodes)}.`);
  const byName = new Map(graphDef.node.map(node => [node.name, node]));
  const needed = new Set<NodeMessage>();
  const stack = destNodes.map(name => {
    const node = byName.get(name);
    if (!node) throw new AssertionError(`${name} is not in graph`);
    return node;
  });
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (needed.has(node)) continue;
    needed.add(node);
    for (const input of node.input) {
      const source = byName.get(nodeNameOf(input));
      if (source) stack.push(source);
    }
  }
  return GraphDef.of({ ...graphDef, node: graphDef.node.filter(node => needed.has(node)) });
}

const pinned = new Set([
  "Assign",
  "AssignAdd",
  "AssignSub",
  "Queue",
  "ScatterAdd",
  "ScatterSub",
  "ScatterUpdate",
  "TruncatedNormal",
  "Variable",
  "VariableV2",
]);

/** Has a node to be on the CPU? TF: tf.graph_util.must_run_on_cpu. */
export function mustRunOnCpu(
  node: NodeMessage | Operation,
  { pinVariablesOnCpu = false }: { readonly pinVariablesOnCpu?: boolean } = {},
): boolean {
  const { op, attr } = node instanceof Operation ? nodeOf(node) : node;
  if (pinVariablesOnCpu && pinned.has(op)) return true;
  const type = (name: string): string | number | undefined => attr.get(name)?.type;
  if (op === "Const") return type("dtype") === "DT_STRING" || type("dtype") === "DT_INT32";
  if (op === "DynamicStitch" || op === "ParallelDynamicStitch") return type("T") === "DT_INT32";
  return op === "Cast" && type("SrcT") === "DT_INT32";
}

/** The static shape of a tensor, "x" meaning "x:0". TF: tf.graph_util.tensor_shape_from_node_def_name. */
export const tensorShapeFromNodeDefName = (graph: Graph, inputName: string): TensorShape =>
  graph.getTensorByName(inputName.includes(":") ? inputName : `${inputName}:0`).shape;

const isPassing = ({ op }: NodeMessage): boolean => op === "Identity" || op === "StopGradient";

/** The graph without CheckNumerics, Identity and StopGradient nodes, but for those that control edges or colocation hang on: what read them reads what they read.
 *  TF: tf.graph_util.remove_training_nodes. */
export function removeTrainingNodes(
  inputGraph: GraphDefMessage,
  { protectedNodes }: { readonly protectedNodes?: readonly string[] | null } = {},
): GraphDef {
  checkGraphDef(inputGraph);
  const isProtected = new Set(protectedNodes ?? []);
  const checks = new Set(
    inputGraph.node.filter(({ op, name }) => op === "CheckNumerics" && !isProtected.has(name)).map(({ name }) => name),
  );
  const controls = new Set(
    inputGraph.node.flatMap(({ input }) => input.filter(name => name.startsWith("^")).map(nodeNameOf)).filter(name => !checks.has(name)),
  );
  const colocated = new Set(
    inputGraph.node.flatMap(({ attr }) =>
      (attr.get("_class")?.list?.s ?? []).map(group => new TextDecoder().decode(group).replace(/^loc:@/, "")),
    ),
  );
  const waits = ({ input }: NodeMessage): boolean => input.some(name => name.startsWith("^") && !checks.has(nodeNameOf(name)));
  const spliced = new Map(
    inputGraph.node
      .filter(
        node =>
          checks.has(node.name) ||
          (isPassing(node) && !isProtected.has(node.name) && !colocated.has(node.name) && !waits(node) && !controls.has(node.name)),
      )
      .map(node => [node.name, node.input[0]]),
  );
  const source = (input: string): string => {
    let name = input;
    for (let next = spliced.get(nodeNameOf(name)); next !== undefined; next = spliced.get(nodeNameOf(name))) name = next;
    return name;
  };
  const isDropped = (input: string): boolean => input.startsWith("^") && checks.has(nodeNameOf(input));
  return new GraphDef({
    node: inputGraph.node
      .filter(({ name }) => !spliced.has(name))
      .map(node => ({
        ...node,
        input: node.input.filter(input => !isDropped(input)).map(input => (input.startsWith("^") ? input : source(input))),
      })),
    library: inputGraph.library,
    versions: inputGraph.versions,
  });
}

// ---- freezing ----

/** What values are asked from: a Session. */
export interface ValueSource {
  readonly graph: Graph;
  // any: what a run returns depends on what is fetched
  run(fetches: any): Promise<any>;
}

interface FreezeOptions {
  /** Only these variables become constants. */
  readonly variableNamesWhitelist?: readonly string[] | null;
  /** These stay variables. */
  readonly variableNamesBlacklist?: readonly string[] | null;
}

const refVariables = new Set(["Variable", "VariableV2"]);
const isVariable = ({ op }: NodeMessage): boolean => refVariables.has(op) || op === "VarHandleOp";

/** The part of a graph that `outputNodeNames` need, its variables replaced by constants of the values they have in the session. Functions that
 *  it calls become nodes. TF: tf.graph_util.convert_variables_to_constants.
 *  @throws AssertionError for an unknown output; FailedPreconditionError if a variable holds no value. */
export async function convertVariablesToConstants(
  session: ValueSource,
  inputGraphDef: GraphDefMessage,
  outputNodeNames: readonly string[],
  { variableNamesWhitelist, variableNamesBlacklist, ...others }: FreezeOptions = {},
): Promise<GraphDef> {
  refuseOthers(others);
  const whole = extractSubGraph(inputGraphDef, outputNodeNames);
  const graphDef = callsFunctions(whole) ? withoutCalls(whole, outputNodeNames) : whole;
  const isWanted = ({ name }: NodeMessage): boolean =>
    (!variableNamesWhitelist || variableNamesWhitelist.includes(name)) && !variableNamesBlacklist?.includes(name);
  const frozen = graphDef.node.filter(node => isVariable(node) && isWanted(node));
  const values = await valuesOf(session, frozen);
  const byName = new Map(graphDef.node.map(node => [node.name, node]));
  const isFrozen = handleFinder(byName, new Set(frozen.map(({ name }) => name)));
  const node = graphDef.node.flatMap(each => frozenNode(each, values, isFrozen));
  return new GraphDef({ node, versions: graphDef.versions });
}

const callsFunctions = ({ node, library }: GraphDefMessage): boolean => {
  const functions = new Set((library?.function ?? []).map(({ signature }) => signature?.name));
  return (
    functions.size > 0 &&
    node.some(({ op, attr }) => functions.has(op) || [...attr.values()].some(({ func, list }) => func || list?.func.length))
  );
};

/** The same graph with the bodies of functions in place of their calls. Outputs that were calls become IdentityN nodes of their names. */
function withoutCalls(graphDef: GraphDefMessage, outputNodeNames: readonly string[]): GraphDefMessage {
  const graph = new Graph();
  graph.asDefault(() => importGraphDef(graphDef, { name: "" }));
  const outputs = outputNodeNames.map(name => graph.getOperationByName(name));
  const calls = outputs.filter(op => op.definition.expand);
  const plain = outputs.filter(op => !op.definition.expand);
  const expanded = expandCalls({ fetches: calls.flatMap(op => op.outputs), targets: plain, feeds: [] });
  const [first] = [...expanded.fetches.map(tensor => tensor.op), ...expanded.targets];
  let next = 0;
  for (const call of calls) {
    const input = expanded.fetches.slice(next, next + call.outputs.length);
    next += call.outputs.length;
    if (input.length > 0) first.graph.asDefault(() => IdentityN({ input }, { name: `${call.name}/` }));
  }
  const whole = exportGraphDef(first.graph);
  return extractSubGraph({ ...whole, versions: graphDef.versions }, outputNodeNames);
}

/** The values of variables in the session, by name. */
async function valuesOf(session: ValueSource, variables: readonly NodeMessage[]): Promise<Map<string, NDArray>> {
  if (variables.length === 0) return new Map();
  const fetches = variables.map(({ name, op }): Tensor => {
    const found = session.graph.findOperation(name);
    if (!found) throw new NotFoundError(`Variable '${name}' of the graph to be frozen is not in the session's graph.`);
    return refVariables.has(op) ? found.outputs[0] : readOf(found);
  });
  const values = (await session.run(fetches)) as NDArray[];
  return new Map(variables.map(({ name }, i) => [name, values[i]]));
}

/** A read of a resource variable: one that is there, or a new one. */
function readOf(handle: Operation): Tensor {
  const existing = handle.graph
    .getOperations()
    .find(op => op.type === "ReadVariableOp" && op.inputs[0].op === handle && op.context === null);
  return existing ? existing.outputs[0] : ReadVariableOp({ resource: handle.outputs[0], dtype: handle.attrs.dtype as DType });
}

/** Follows a handle through the Switch and Enter nodes that bring it into branches and loops. */
function handleFinder(byName: ReadonlyMap<string, NodeMessage>, frozen: ReadonlySet<string>): (input: string) => NodeMessage | undefined {
  const passing = new Set(["Switch", "Enter", "Identity"]);
  return input => {
    let node = byName.get(nodeNameOf(input));
    while (node && passing.has(node.op)) node = byName.get(nodeNameOf(node.input[0]));
    return node && node.op === "VarHandleOp" && frozen.has(node.name) ? node : undefined;
  };
}

const type = (dtype: string | number | undefined): Message<"AttrValue"> => createMessage("AttrValue", { type: dtype });

/** A node of the frozen graph: constants for variables, copies for their reads, plain gathers for gathers of them. */
function frozenNode(
  node: NodeMessage,
  values: ReadonlyMap<string, NDArray>,
  isFrozen: (input: string) => NodeMessage | undefined,
): NodeMessage[] {
  const value = values.get(node.name);
  if (value) {
    const attr = new Map([
      ["dtype", node.attr.get("dtype") as Message<"AttrValue">],
      ["value", createMessage("AttrValue", { tensor: arrayToMessage(value) })],
    ]);
    return [createMessage("NodeDef", { name: node.name, op: "Const", device: node.device, attr })];
  }
  const variable = node.input.length > 0 ? isFrozen(node.input[0]) : undefined;
  if (!variable) return [node];
  const dtype = type(variable.attr.get("dtype")?.type);
  switch (node.op) {
    case "ReadVariableOp":
      return [{ ...node, op: "Identity", attr: new Map([["T", dtype], ...kept(node, ["_class"])]) }];
    case "Switch":
    case "Enter":
    case "Identity":
      return [{ ...node, attr: new Map([...node.attr, ["T", dtype]] as const) }];
    case "ResourceGather": {
      const axis = `${node.name}/axis`;
      const zero = createMessage("AttrValue", { tensor: { dtype: "DT_INT32", tensorShape: {}, intVal: [0] } });
      const gather = new Map([
        ["Tparams", dtype],
        ["Tindices", node.attr.get("Tindices") as Message<"AttrValue">],
        ["Taxis", type("DT_INT32")],
        ["batch_dims", node.attr.get("batch_dims") ?? createMessage("AttrValue", { i: 0n })],
      ] as const);
      const [params, indices, ...controls] = node.input;
      return [
        createMessage("NodeDef", {
          name: axis,
          op: "Const",
          attr: new Map([
            ["dtype", type("DT_INT32")],
            ["value", zero],
          ] as const),
        }),
        { ...node, op: "GatherV2", input: [params, indices, axis, ...controls], attr: gather },
      ];
    }
    case "VariableShape":
      return [
        {
          ...node,
          op: "Shape",
          attr: new Map([
            ["T", dtype],
            ["out_type", node.attr.get("out_type") ?? type("DT_INT32")],
          ] as const),
        },
      ];
    default:
      throw new UnimplementedError(
        `Node '${node.name}' of op ${node.op} changes or hands on the variable '${variable.name}': it cannot be frozen.`,
      );
  }
}

const kept = ({ attr }: NodeMessage, names: readonly string[]): (readonly [string, Message<"AttrValue">])[] =>
  names.flatMap(name => {
    const value = attr.get(name);
    return value ? [[name, value] as const] : [];
  });
