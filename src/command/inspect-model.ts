// What is in a graph: operations by type, what goes in and comes out, what does not run here, parameters and arithmetic.

import { dtypeTable } from "../base/dtype.ts";
import { sizeOf } from "../base/shape.ts";
import type { Message } from "../formats/messages.ts";
import { dtypeOfEnumerator, shapeFromMessage } from "../formats/tensor-message.ts";
import { Graph } from "../graph/graph.ts";
import { importGraphDef } from "../io/graph-def.ts";
import { isControlFlow } from "../ops/flow/control-flow.ts";
import { findOp } from "../ops/registry.ts";
import { countFlops } from "./flops.ts";
import { amount, bytesText, count, counted, flopText, section, shapeText, shortened } from "./layout.ts";
import { type ModelFile, nameOfKind, variableTypes } from "./models.ts";
import { chosenSignature, type End, endSignature, endsOf } from "./signatures.ts";

type NodeMessage = Message<"NodeDef">;

interface Parameters {
  readonly count: number;
  readonly bytes: number;
  readonly in: number;
  readonly held: "variables" | "constants";
}

export interface ModelReport {
  readonly kind: string;
  readonly path: string;
  readonly producer: number | null;
  readonly nodes: number;
  readonly functions: { readonly count: number; readonly nodes: number };
  readonly ops: Readonly<Record<string, number>>;
  readonly unsupported: Readonly<Record<string, number>>;
  readonly tagSets?: readonly (readonly string[])[];
  readonly tags?: readonly string[];
  readonly collections?: Readonly<Record<string, number>>;
  readonly assets?: readonly string[];
  readonly signatures: Readonly<
    Record<string, { readonly method: string; readonly inputs: readonly End[]; readonly outputs: readonly End[] }>
  >;
  readonly inputs: readonly End[];
  readonly outputs: readonly End[];
  readonly parameters: Parameters;
  readonly flops: number | null;
  readonly flopsByOp?: Readonly<Record<string, number>>;
  readonly uncountedOps?: Readonly<Record<string, number>>;
  /** Why there is no graph to count in. */
  readonly problem?: string;
}

export function reportOnModel(file: ModelFile): ModelReport {
  const { graphDef, metaGraph, signatures } = file;
  const library = graphDef.library?.function ?? [];
  const all = [...graphDef.node, ...library.flatMap(({ nodeDef }) => nodeDef)];
  const functions = new Set(library.map(({ signature }) => signature?.name));
  const unsupported = tally(all.map(({ op }) => op).filter(op => !functions.has(op) && !runsHere(op)));
  const built = attempt(() => {
    const graph = new Graph();
    graph.asDefault(() => importGraphDef(graphDef, { name: "" }));
    return graph;
  });
  const own = built.value && endSignature(built.value);
  const [, chosen] = signatures.size > 0 ? chosenSignature(signatures, undefined) : ["", own];
  const inputs = chosen ? endsOf(chosen.inputs) : [];
  const outputs = chosen ? endsOf(chosen.outputs) : [];
  const flops =
    built.value && outputs.length > 0
      ? attempt(() =>
          countFlops(
            graphDef,
            outputs.map(({ tensor }) => tensor),
          ),
        )
      : undefined;
  const problem = built.problem ?? flops?.problem;
  return {
    kind: file.kind,
    path: file.path,
    producer: graphDef.versions?.producer ?? null,
    nodes: graphDef.node.length,
    functions: { count: library.length, nodes: all.length - graphDef.node.length },
    ops: tally(all.map(({ op }) => op)),
    unsupported,
    ...(file.tagSets && { tagSets: file.tagSets, tags: file.tags ?? [] }),
    ...(metaGraph && {
      collections: Object.fromEntries([...metaGraph.collectionDef].map(([key, collection]) => [key, sizeOfCollection(collection)])),
      assets: metaGraph.assetFileDef.map(({ filename }) => filename),
    }),
    signatures: Object.fromEntries(
      [...signatures].map(([key, { methodName, inputs: from, outputs: to }]) => [
        key,
        { method: methodName, inputs: endsOf(from), outputs: endsOf(to) },
      ]),
    ),
    inputs,
    outputs,
    parameters: parametersOf(all),
    flops: flops?.value?.flops ?? null,
    ...(flops?.value && { flopsByOp: sorted(flops.value.byType), uncountedOps: sorted(flops.value.uncounted) }),
    ...(problem !== undefined && { problem }),
  };
}

function runsHere(type: string): boolean {
  const definition = findOp(type);
  if (!definition) return false;
  const { lower, host, expand, resource, isPlaceholder } = definition;
  return Boolean(lower || host || expand || resource || isPlaceholder) || isControlFlow(definition);
}

function attempt<T>(work: () => T): { readonly value?: T; readonly problem?: string } {
  try {
    return { value: work() };
  } catch (error) {
    return { problem: (error as Error).message.split("\n")[0] };
  }
}

function tally(items: readonly string[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return sorted(counts);
}

/** The most first, then by name. */
const sorted = (counts: ReadonlyMap<string, number>): Readonly<Record<string, number>> =>
  Object.fromEntries([...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)));

const sizeOfCollection = ({ nodeList, bytesList, int64List, floatList, anyList }: Message<"CollectionDef">): number =>
  (nodeList ?? bytesList ?? int64List ?? floatList ?? anyList)?.value.length ?? 0;

function parametersOf(nodes: readonly NodeMessage[]): Parameters {
  const variables = nodes.filter(({ op }) => variableTypes.has(op));
  const held = variables.length > 0 ? variables : nodes.filter(isWeight);
  let elements = 0;
  let bytes = 0;
  for (const { attr } of held) {
    const shape = shapeFromMessage(attr.get("value")?.tensor?.tensorShape ?? attr.get("shape")?.shape);
    const dtype = dtypeOfEnumerator(attr.get("dtype")?.type ?? 0);
    const size = shape.isFullyDefined ? sizeOf(shape.dims as readonly number[]) : 0;
    elements += size;
    bytes += size * (dtype === undefined ? 0 : dtypeTable[dtype].bytes);
  }
  return { count: elements, bytes, in: held.length, held: variables.length > 0 ? "variables" : "constants" };
}

/** A constant of floats with more than one element. */
function isWeight({ op, attr }: NodeMessage): boolean {
  const dtype = op === "Const" ? dtypeOfEnumerator(attr.get("dtype")?.type ?? 0) : undefined;
  return dtype !== undefined && dtypeTable[dtype].kind === "float" && (attr.get("value")?.tensor?.tensorShape?.dim.length ?? 0) > 0;
}

// ---- as text ----

export function modelText(report: ModelReport, showsAll: boolean): string[] {
  const { functions, parameters, unsupported } = report;
  const ofFunctions = functions.count === 0 ? "" : `, and ${counted(functions.nodes, "node")} in ${counted(functions.count, "function")}`;
  const facts = [
    ["nodes", `${count(report.nodes)}${ofFunctions}`],
    ["parameters", parameters.in === 0 ? "none" : parametersText(parameters)],
    ["arithmetic", arithmeticText(report)],
    ["runs here", runsText(report)],
    ...(report.tagSets && report.tagSets.length > 0
      ? [["tag sets", report.tagSets.map(set => set.join(",") || "(no tags)").join("; ")]]
      : []),
    ...(report.assets && report.assets.length > 0 ? [["assets", report.assets.join(", ")]] : []),
  ];
  const named = Object.entries(report.signatures).filter(([key]) => !key.startsWith("__"));
  const listed = (title: string, ends: readonly End[]): string[] => section(title, shortened(ends.map(row), showsAll));
  const ends =
    named.length > 0
      ? named.map(([key, { inputs, outputs }]) =>
          section(`signature ${key}`, [...inputs.map(end => ["in", ...row(end)]), ...outputs.map(end => ["out", ...row(end)])]).join(""),
        )
      : [...listed("inputs", report.inputs), ...listed("outputs", report.outputs)];
  const opRows = Object.entries(report.ops).map(([type, n]) => [
    n,
    type,
    flopsCell(report, type),
    type in unsupported ? "not supported" : "",
  ]);
  return [
    ...section(`${report.path}: ${nameOfKind[report.kind as ModelFile["kind"]]}`, facts),
    ...ends,
    ...section("operations", shortened(opRows, showsAll)),
    ...section(
      "collections",
      shortened(
        Object.entries(report.collections ?? {}).map(([key, n]) => [n, key]),
        showsAll,
      ),
    ),
  ];
}

const row = ({ key, tensor, dtype, shape }: End): string[] => [
  key,
  dtype,
  shapeText(shape),
  tensor === key || tensor === `${key}:0` ? "" : tensor,
];

const parametersText = ({ count: elements, bytes, in: holders, held }: Parameters): string =>
  `${elements < 1e4 ? count(elements) : amount(elements)} in ${holders === 1 ? `one ${held.slice(0, -1)}` : `${count(holders)} ${held}`} (${bytesText(bytes)})`;

function arithmeticText({ flops, uncountedOps = {}, problem, unsupported }: ModelReport): string {
  if (flops === null && Object.keys(unsupported).length > 0) return "not known: not all operations are";
  if (flops === null) return problem === undefined ? "nothing comes out" : `not known: ${problem}`;
  const left = Object.values(uncountedOps).reduce((sum, n) => sum + n, 0);
  return `${flopText(flops)} for a batch of one${left === 0 ? "" : `, without ${counted(left, "operation")} whose sizes are known only while running`}`;
}

function runsText({ unsupported, problem }: ModelReport): string {
  const types = Object.keys(unsupported).length;
  if (types > 0)
    return `no: ${counted(types, "operation type")} not supported (${Object.keys(unsupported).slice(0, 4).join(", ")}${types > 4 ? ", ..." : ""})`;
  return problem === undefined ? "yes, all of its operations" : "not as it is";
}

const flopsCell = ({ flopsByOp = {} }: ModelReport, type: string): string => (flopsByOp[type] ? flopText(flopsByOp[type]) : "");
