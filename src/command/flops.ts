// How much a graph computes: every operation is lowered by itself to the twelve primitives, and their arithmetic on floats is counted. A multiplication
// and an addition are two; loops count once; what is only moved costs nothing.

import { dtypeTable } from "../base/dtype.ts";
import { InternalError } from "../base/errors.ts";
import { sizeOf } from "../base/shape.ts";
import { createMessage } from "../formats/message-codec.ts";
import { shapeFromMessage, shapeToMessage } from "../formats/tensor-message.ts";
import { expandCalls } from "../graph/expand-calls.ts";
import { Graph } from "../graph/graph.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import { constantValue } from "../graph/shape-inference.ts";
import { type GraphDefMessage, importGraphDef } from "../io/graph-def.ts";
import type { Program, Step } from "../ir/program.ts";
import type { Scalar } from "../ir/scalar.ts";
import { lower } from "../lower/index.ts";
import { TensorShape } from "../base/shape.ts";

export interface FlopCount {
  readonly flops: number;
  readonly byType: ReadonlyMap<string, number>;
  /** Operations whose sizes are known only while running, by type. */
  readonly uncounted: ReadonlyMap<string, number>;
}

/** The arithmetic behind some results of a graph, sizes of placeholders that are not known taken as 1. */
export function countFlops(graphDef: GraphDefMessage, outputs: readonly string[]): FlopCount {
  const graph = new Graph();
  graph.asDefault(() => importGraphDef(withSizes(graphDef), { name: "" }));
  const wanted = expandCalls({ fetches: outputs.map(name => graph.getTensorByName(name)), targets: [], feeds: [] });
  const byType = new Map<string, number>();
  const uncounted = new Map<string, number>();
  let flops = 0;
  for (const op of ancestors(wanted.fetches)) {
    const own = flopsOf(op);
    const at = own === undefined ? uncounted : byType;
    if (own !== 0) at.set(op.type, (at.get(op.type) ?? 0) + (own ?? 1));
    flops += own ?? 0;
  }
  return { flops, byType, uncounted };
}

/** Placeholders get the size 1 where theirs is not known, so that sizes after them are known. */
function withSizes(graphDef: GraphDefMessage): GraphDefMessage {
  const node = graphDef.node.map(each => {
    const shape = each.attr.get("shape")?.shape;
    if (each.op !== "Placeholder" || !shape) return each;
    const dims = shapeFromMessage(shape).dims;
    const fixed = dims && createMessage("AttrValue", { shape: shapeToMessage(new TensorShape(dims.map(d => d ?? 1))) });
    return fixed ? { ...each, attr: new Map([...each.attr, ["shape", fixed] as const]) } : each;
  });
  return { ...graphDef, node };
}

function ancestors(tensors: readonly Tensor[]): Set<Operation> {
  const found = new Set<Operation>();
  const stack = tensors.map(({ op }) => op);
  for (let op = stack.pop(); op !== undefined; op = stack.pop()) {
    if (found.has(op)) continue;
    found.add(op);
    stack.push(...op.inputs.map(({ op: source }) => source), ...op.controlInputs);
  }
  return found;
}

const isNumeric = ({ dtype }: Tensor): boolean => dtypeTable[dtype].kind === "float" || dtypeTable[dtype].kind === "complex";
/** Larger values are not needed to know sizes. */
const mostKnown = 64;

/** Of one operation; undefined if its sizes are not known. */
function flopsOf(op: Operation): number | undefined {
  const { definition, inputs, outputs } = op;
  if (definition.lower === undefined || inputs.length === 0 || definition.isCopy || !outputs.some(isNumeric)) return 0;
  if ([...inputs, ...outputs].some(({ dtype, isRef }) => isRef || dtype === "resource" || dtype === "variant")) return 0;
  if (inputs.some(({ shape }) => !shape.isFullyDefined)) return undefined;
  const feeds = [...new Set(inputs)].map(tensor => {
    const shape = tensor.shape.dims as readonly number[];
    return {
      tensor,
      dtype: tensor.dtype,
      shape,
      known: !isNumeric(tensor) && sizeOf(shape) <= mostKnown ? constantValue(tensor) : undefined,
    };
  });
  try {
    return programFlops(
      lower({
        nodes: [op],
        fetches: outputs,
        feeds,
        resolve: tensor => tensor,
        isFed: tensor => inputs.includes(tensor),
        isOnHost: () => false,
        resource: ({ make }) => make(),
        currentState: state => state,
        // What can be evaluated while compiling costs nothing while running.
        evaluate: program => {
          throw new InternalError(`${program.steps.length} steps are not to be evaluated to be counted.`);
        },
        runtimeError: (_, message) => new InternalError(message),
      }),
    );
  } catch {
    return undefined;
  }
}

const programFlops = ({ steps }: Program): number => steps.reduce((sum, step) => sum + stepFlops(step), 0);

function stepFlops(step: Step): number {
  switch (step.kind) {
    case "map":
      return sizeOf(step.out.shape) * scalarFlops(step.body);
    case "reduce":
      return sizeOf(step.out.shape) * sizeOf(step.over) * (1 + scalarFlops(step.body));
    case "contract":
      return 2 * sizeOf(step.out.shape) * sizeOf(step.over);
    case "scan":
      return sizeOf(step.out.shape);
    case "scatter":
      return sizeOf(step.over) * ((step.combine === "assign" ? 0 : 1) + scalarFlops(step.body));
    case "branch":
      return Math.max(0, ...step.cases.map(({ steps }) => steps.reduce((sum, inner) => sum + stepFlops(inner), 0)));
    case "loop":
      return [...step.condition.steps, ...step.body.steps].reduce((sum, inner) => sum + stepFlops(inner), 0);
    default:
      return 0;
  }
}

const moves = new Set(["select", "real", "imag", "conj", "complex"]);

/** Functions of floats in an expression, shared ones once. */
function scalarFlops(scalar: Scalar): number {
  const seen = new Set<Scalar>();
  let flops = 0;
  const visit = (part: Scalar): void => {
    if (seen.has(part)) return;
    seen.add(part);
    switch (part.kind) {
      case "apply":
        if (dtypeTable[part.args[part.args.length - 1].dtype].kind === "float" && !moves.has(part.fn)) flops++;
        part.args.forEach(visit);
        break;
      case "cast":
      case "bitcast":
        visit(part.arg);
        break;
      case "guard":
        visit(part.value);
        visit(part.otherwise);
        break;
      default:
    }
  };
  visit(scalar);
  return flops;
}
