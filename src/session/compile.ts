// The compiler on one page: what a run asks → an executable. Each line is a stage; each stage's value prints (session.explain).
// Sizes known only while running cut the work into segments: the first runs, its results fix the sizes, the next is compiled for them.

import { InvalidArgumentError } from "../base/errors.ts";
import { NDArray } from "../base/ndarray.ts";
import type { Device, Executable } from "../backends/device.ts";
import { runReference } from "../backends/reference/index.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import { printProgram } from "../ir/print.ts";
import type { Program, State } from "../ir/program.ts";
import { verifyProgram } from "../ir/verify.ts";
import { blamed } from "../lower/blame.ts";
import { lower } from "../lower/index.ts";
import { NeedsValue } from "../lower/request.ts";
import { expandCalls } from "../graph/expand-calls.ts";
import { extract } from "../optimize/extract.ts";
import { optimize } from "../optimize/index.ts";
import { printSelection, resolve, type Selection } from "../optimize/selection.ts";
import { schedule } from "../schedule/index.ts";
import { printPlan } from "../schedule/print-plan.ts";
import { handleMakers, hostCall, nextHostOperations, type RunContext, runTogether, valueInputs } from "./host.ts";
import { split } from "./split.ts";

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
  run(feeds: readonly NDArray[], context: RunContext): readonly NDArray[] | Promise<readonly NDArray[]>;
  readonly stages: Readonly<Record<string, () => string>>;
  readonly counts: Readonly<Record<string, number>>;
}

/** Compiles a run for a device. @throws what building the program finds wrong, with the node it belongs to. */
export async function compile({ fetches, targets, feeds }: CompileRequest, device: Device): Promise<Compiled> {
  const wanted = expandCalls({ fetches, targets, feeds: feeds.map(({ tensor }) => tensor) });
  const selection = extract(wanted.fetches, wanted.targets, wanted.feeds);
  return compileSelection(
    optimize(selection),
    feeds.map((feed, i) => ({ ...feed, tensor: wanted.feeds[i] })),
    device,
  );
}

async function compileSelection(selection: Selection, feeds: readonly CompileFeed[], device: Device): Promise<Compiled> {
  const hosts = nextHostOperations(selection);
  if (hosts.length > 0) return aroundHost(selection, feeds, device, hosts);
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
    resource: ({ id, make }) => device.resource(id, make),
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
  const { first, rest, crossing } = split(selection, { needs: [missing.tensor], reader: missing.op });
  const head = await compileSelection(first, feeds, device);
  const variants = new Variants();
  const at = crossing.indexOf(missing.tensor);
  const run = async (arrays: readonly NDArray[], context: RunContext): Promise<readonly NDArray[]> => {
    const values = await head.run(arrays, context);
    const tail = await variants.get(values.map((value, i) => (i === at ? valueKey(value) : value.shape.join())).join(";"), () => {
      const crossed = crossing.map(
        (tensor, i): CompileFeed => ({ tensor, shape: values[i].shape, known: i === at ? values[i] : undefined }),
      );
      return compileSelection(rest, [...feeds, ...crossed], device);
    });
    return tail.run([...arrays, ...values], context);
  };
  return { run, stages: { ...head.stages, segments: () => `cut before ${missing.op.name}: ${missing.message}` }, counts: head.counts };
}

/** A fed value that decides shapes: one program for each value it takes. */
function forEachValue(selection: Selection, feeds: readonly CompileFeed[], device: Device, missing: NeedsValue, fed: number): Compiled {
  const variants = new Variants();
  const run = async (arrays: readonly NDArray[], context: RunContext): Promise<readonly NDArray[]> => {
    const value = arrays[fed];
    const copy = new NDArray(value.dtype, value.shape, value.data.slice());
    const variant = await variants.get(valueKey(value), () =>
      compileSelection(
        selection,
        feeds.map((feed, i) => (i === fed ? { ...feed, known: copy } : feed)),
        device,
      ),
    );
    return variant.run(arrays, context);
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

/** Runs what operations of the host depend on, then these, then compiles the rest for the shapes that gave. */
async function aroundHost(
  selection: Selection,
  feeds: readonly CompileFeed[],
  device: Device,
  hosts: readonly Operation[],
): Promise<Compiled> {
  const needs = [...new Set(hosts.flatMap(op => valueInputs(selection, op)))];
  const halves = split(selection, {
    needs,
    after: hosts.flatMap(op => [...op.controlInputs, ...handleMakers(op)]),
    between: new Set(hosts),
    reader: hosts[0],
  });
  const { first, crossing, given } = halves;
  // What is read of a variable is no feed of the rest, which may assign it.
  const isFeed = (tensor: Tensor): boolean => !tensor.isRef || selection.feeds.has(tensor);
  const rest = { ...halves.rest, feeds: new Set([...halves.rest.feeds].filter(isFeed)) };
  const calls = hosts.map(op => hostCall(selection, op, device));
  const head = first.nodes.length > 0 ? await compileSelection(first, feeds, device) : undefined;
  const fed = feeds.map(({ tensor }) => tensor);
  const variants = new Variants();
  const isDone = rest.targets.length === 0 && rest.fetches.every(fetch => rest.feeds.has(resolve(rest, fetch)));
  const run = async (arrays: readonly NDArray[], context: RunContext): Promise<readonly NDArray[]> => {
    const values = head ? await head.run(arrays, context) : [];
    const known = new Map<Tensor, NDArray>();
    fed.forEach((tensor, i) => void known.set(tensor, arrays[i]));
    crossing.forEach((tensor, i) => void known.set(tensor, values[i]));
    const results = await runTogether(calls, known, context);
    hosts.forEach((op, k) => void op.outputs.forEach((output, i) => void known.set(output, results[k][i])));
    const valueOf = (tensor: Tensor): NDArray => known.get(tensor) as NDArray;
    if (isDone) return rest.fetches.map(fetch => valueOf(resolve(rest, fetch)));
    const crossed = [...crossing, ...given].filter(tensor => isFeed(tensor) && !fed.includes(tensor));
    const tail = await variants.get(crossed.map(tensor => valueOf(tensor).shape.join()).join(";"), () =>
      compileSelection(rest, [...feeds, ...crossed.map((tensor): CompileFeed => ({ tensor, shape: valueOf(tensor).shape }))], device),
    );
    return tail.run([...arrays, ...crossed.map(valueOf)], context);
  };
  const stages = { ...head?.stages, segments: () => `on the host: ${hosts.map(({ name }) => name).join(", ")}` };
  return { run, stages, counts: head?.counts ?? {} };
}
