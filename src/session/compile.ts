// The compiler on one page: what a run asks → an executable. Each line is a stage; each stage's value prints (session.explain).
// Sizes known only while running cut the work into segments: the first runs, its results fix the sizes, the next is compiled for them.

import { InvalidArgumentError, UnimplementedError } from "../base/errors.ts";
import { NDArray } from "../base/ndarray.ts";
import type { Device, Executable } from "../backends/device.ts";
import { runReference } from "../backends/reference/index.ts";
import { Operation, type Tensor } from "../graph/operation.ts";
import { printProgram } from "../ir/print.ts";
import type { Program, State } from "../ir/program.ts";
import { verifyProgram } from "../ir/verify.ts";
import { lower, blamed } from "../lower/index.ts";
import { NeedsValue } from "../lower/request.ts";
import { extract } from "../optimize/extract.ts";
import { optimize } from "../optimize/index.ts";
import { printSelection, resolve, type Selection } from "../optimize/selection.ts";
import { schedule } from "../schedule/index.ts";
import { printPlan } from "../schedule/print-plan.ts";

/** One fed tensor; `known` values are compiled in. */
export interface CompileFeed {
  readonly tensor: Tensor;
  readonly shape: readonly number[];
  readonly known?: NDArray | undefined;
}

export interface CompileRequest {
  readonly fetches: readonly Tensor[];
  readonly targets: readonly Operation[];
  readonly feeds: readonly CompileFeed[];
}

/** What a signature compiles to. `run` takes the fed arrays in the order of the request. */
export interface Compiled {
  run(feeds: readonly NDArray[]): readonly NDArray[] | Promise<readonly NDArray[]>;
  readonly stages: Readonly<Record<string, () => string>>;
  readonly counts: Readonly<Record<string, number>>;
}

/** Compiles a run for a device. @throws what building the program finds wrong, with the node it belongs to. */
export async function compile({ fetches, targets, feeds }: CompileRequest, device: Device): Promise<Compiled> {
  const fed = feeds.map(({ tensor }) => tensor);
  const selection = extract(fetches, targets, fed);
  return compileSelection(optimize(selection), feeds, device);
}

async function compileSelection(selection: Selection, feeds: readonly CompileFeed[], device: Device): Promise<Compiled> {
  let program: Program;
  try {
    program = lowerSelection(selection, feeds, device);
  } catch (error) {
    if (error instanceof NeedsValue) return segmented(selection, feeds, device, error);
    throw error;
  }
  verifyProgram(program);
  const plan = device.target ? schedule(program, device.target) : null;
  const executable: Executable = await device.compile(program, plan);
  const live = feeds.flatMap(({ known }, i) => (known === undefined ? [i] : []));
  const isDense = live.length === feeds.length;
  return {
    run: arrays => executable.run(isDense ? arrays : live.map(i => arrays[i])),
    stages: {
      graph: () => printSelection(selection),
      program: () => printProgram(program),
      ...(plan && { plan: () => printPlan(plan) }),
      ...executable.texts,
    },
    counts: executable.counts,
  };
}

function lowerSelection(selection: Selection, feeds: readonly CompileFeed[], device: Device): Program {
  return lower({
    nodes: selection.nodes,
    fetches: selection.fetches,
    feeds: feeds.map(({ tensor, shape, known }) => ({ tensor, dtype: tensor.dtype, shape, known })),
    resolve: tensor => resolve(selection, tensor),
    isFed: tensor => selection.feeds.has(tensor),
    currentState: state => withCurrentShape(state, device),
    evaluate: closed => runReference(closed, { feeds: new Map(), states: new Map() }).results,
    runtimeError: (op, message) => blamed(new InvalidArgumentError(message), op),
  });
}

/** A variable whose shape changed in an assign (validate_shape=false) has the shape it holds now. */
function withCurrentShape(state: State, device: Device): State {
  const held = device.stateShape(state.id);
  return held === undefined || held.join() === state.shape.join() ? state : { ...state, shape: held };
}

/** Programs kept for the values and sizes met last; older ones are compiled again when they come back. */
const mostVariants = 64;

class Variants {
  private readonly kept = new Map<string, Promise<Compiled>>();

  get(key: string, make: () => Promise<Compiled>): Promise<Compiled> {
    const variant = this.kept.get(key) ?? make();
    this.kept.delete(key);
    this.kept.set(key, variant);
    if (this.kept.size > mostVariants) this.kept.delete(this.kept.keys().next().value as string);
    return variant;
  }
}

const valueKey = (value: NDArray): string => `=${value.shape}:${value.toArray()}`;

/** Runs what the missing value depends on, then compiles the rest for the values and sizes that gave. */
async function segmented(selection: Selection, feeds: readonly CompileFeed[], device: Device, missing: NeedsValue): Promise<Compiled> {
  const fed = feeds.findIndex(({ tensor }) => tensor === missing.tensor);
  if (fed >= 0) return forEachValue(selection, feeds, device, missing, fed);
  const { first, rest, crossing } = split(selection, missing);
  const head = await compileSelection(first, feeds, device);
  const variants = new Variants();
  const at = crossing.indexOf(missing.tensor);
  const run = async (arrays: readonly NDArray[]): Promise<readonly NDArray[]> => {
    const values = await head.run(arrays);
    const tail = await variants.get(values.map((value, i) => (i === at ? valueKey(value) : value.shape.join())).join(";"), () => {
      const crossed = crossing.map(
        (tensor, i): CompileFeed => ({ tensor, shape: values[i].shape, known: i === at ? values[i] : undefined }),
      );
      return compileSelection(rest, [...feeds, ...crossed], device);
    });
    return tail.run([...arrays, ...values]);
  };
  return { run, stages: { ...head.stages, segments: () => `cut before ${missing.op.name}: ${missing.message}` }, counts: head.counts };
}

/** A fed value that decides shapes: one program for each value it takes. */
function forEachValue(selection: Selection, feeds: readonly CompileFeed[], device: Device, missing: NeedsValue, fed: number): Compiled {
  const variants = new Variants();
  const run = async (arrays: readonly NDArray[]): Promise<readonly NDArray[]> => {
    const value = arrays[fed];
    const copy = new NDArray(value.dtype, value.shape, value.data.slice());
    const variant = await variants.get(valueKey(value), () =>
      compileSelection(
        selection,
        feeds.map((feed, i) => (i === fed ? { ...feed, known: copy } : feed)),
        device,
      ),
    );
    return variant.run(arrays);
  };
  return {
    run,
    stages: {
      graph: () => printSelection(selection),
      segments: () => `compiled for each value of ${missing.tensor.name}: ${missing.message}`,
    },
    counts: {},
  };
}

function split(selection: Selection, { tensor, op }: NeedsValue): { first: Selection; rest: Selection; crossing: Tensor[] } {
  const read = (input: Tensor): Tensor => resolve(selection, input);
  const early = new Set<Operation>();
  const stack = [tensor.op];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (early.has(next)) continue;
    early.add(next);
    for (const input of next.inputs) if (!selection.feeds.has(read(input))) stack.push(read(input).op);
    stack.push(...next.controlInputs);
  }
  if (!selection.nodes.some(node => node === tensor.op))
    throw new UnimplementedError(
      `${op.type} node '${op.name}' inside a branch or loop needs a size that is only known while running.\n\nMake the size a constant, or compute it outside.`,
      op,
    );
  const isOperation = (node: Selection["nodes"][number]): node is Operation => node instanceof Operation;
  const isHandleSource = (node: Operation): boolean =>
    node.inputs.length === 0 && node.outputs.some(output => output.isRef || output.dtype === "resource");
  const firstNodes = selection.nodes.filter(node => isOperation(node) && early.has(node));
  const restNodes = selection.nodes.filter(node => !isOperation(node) || !early.has(node) || isHandleSource(node));
  const replaced = new Map(selection.replaced);
  for (const node of firstNodes as Operation[])
    for (const output of node.outputs) if (output.isRef && !isHandleSource(node)) replaced.set(output, node.inputs[0]);
  const rest: Selection = { ...selection, nodes: restNodes, replaced };
  const crossing = new Set<Tensor>([tensor]);
  const cross = (input: Tensor): void => {
    const source = resolve(rest, input);
    if (early.has(source.op) && !selection.feeds.has(source) && !source.isRef && source.dtype !== "resource") crossing.add(source);
  };
  for (const node of restNodes) for (const input of inputsOf(node)) cross(input);
  for (const fetch of selection.fetches) cross(fetch);
  const list = [...crossing];
  return {
    first: { ...selection, nodes: firstNodes, fetches: list, targets: selection.targets.filter(target => early.has(target)) },
    rest: { ...rest, feeds: new Set([...selection.feeds, ...list]), targets: selection.targets.filter(target => !early.has(target)) },
    crossing: list,
  };
}

/** The tensors a node reads from outside itself. */
function inputsOf(node: Selection["nodes"][number]): readonly Tensor[] {
  if (node instanceof Operation) return node.inputs;
  const inner =
    node.kind === "cond"
      ? node.cases.flatMap(({ nodes, results }) => [...nodes.flatMap(inputsOf), ...results.filter(result => result !== null)])
      : [];
  const looped =
    node.kind === "loop"
      ? [
          ...node.initial,
          ...node.condition.nodes.flatMap(inputsOf),
          ...node.body.nodes.flatMap(inputsOf),
          node.condition.result,
          ...node.body.results,
        ]
      : [node.predicate];
  return [...node.aliases.values(), ...inner, ...looped];
}
