// The compiler on one page: what a run asks → an executable. Each line is a stage; each stage's value prints (session.explain).
// Sizes known only while running cut the work into segments: the first runs, its results fix the sizes, the next is compiled for them.

import { InvalidArgumentError, UnimplementedError } from "../base/errors.ts";
import { NDArray } from "../base/ndarray.ts";
import type { Device } from "../backends/device.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import type { StructuredCond, StructuredLoop, StructuredNode } from "../graph/structured.ts";
import { printProgram } from "../ir/print.ts";
import { outputsOf, type Program, type State, type Value } from "../ir/program.ts";
import { verifyProgram } from "../ir/verify.ts";
import { blamed } from "../lower/blame.ts";
import { lower } from "../lower/index.ts";
import { NeedsHost, NeedsIterating, NeedsKeeping, NeedsValue } from "../lower/request.ts";
import { expandCalls } from "../graph/expand-calls.ts";
import { extract } from "../optimize/extract.ts";
import { optimize } from "../optimize/index.ts";
import { printSelection, resolve, type Selection } from "../optimize/selection.ts";
import { schedule } from "../schedule/index.ts";
import type { Plan } from "../schedule/plan.ts";
import { printPlan } from "../schedule/print-plan.ts";
import {
  handleMakers,
  handleSource,
  type HostCall,
  hostCall,
  isOnHost,
  nextHostOperations,
  type RunContext,
  runTogether,
  valueInputs,
} from "./host.ts";
import { around, iterate, iterationOf, withCase } from "./iterate.ts";
import type { Programs } from "./programs.ts";
import { evaluate, evaluateAlone } from "./evaluate-alone.ts";
import { isHandleSource, producersIn, split } from "./split.ts";
import { TracedProgram } from "./trace.ts";

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

/** What a signature compiles to. `run` takes the fed arrays in the order of the request, and may give its results in the list `into`. */
export interface Compiled {
  run(feeds: readonly NDArray[], context: RunContext, into?: NDArray[]): readonly NDArray[] | Promise<readonly NDArray[]>;
  readonly stages: Readonly<Record<string, () => string>>;
  readonly counts: Readonly<Record<string, number>>;
  /** Gives back all its programs. */
  release(): void;
}

/** Where something is compiled: the session's programs, and a name of the signature and the segment, whatever the sizes. */
export interface CompilePlace {
  readonly programs: Programs;
  readonly place: string;
}

const inside = ({ programs, place }: CompilePlace, segment: string): CompilePlace => ({ programs, place: `${place}/${segment}` });

/** Compiles a run for a device. @throws what building the program finds wrong, with the node it belongs to. */
export async function compile({ fetches, targets, feeds }: CompileRequest, at: CompilePlace): Promise<Compiled> {
  const wanted = expandCalls({ fetches, targets, feeds: feeds.map(({ tensor }) => tensor) });
  const selection = extract(wanted.fetches, wanted.targets, wanted.feeds);
  return compileSelection(
    optimize(selection),
    feeds.map((feed, i) => ({ ...feed, tensor: wanted.feeds[i] })),
    at,
  );
}

/** Compiles a selection; where a TensorArray or a stack of its own would have to outlive a segment, with these on the host. */
async function compileSelection(selection: Selection, feeds: readonly CompileFeed[], at: CompilePlace): Promise<Compiled> {
  try {
    return await compileParts(selection, feeds, at);
  } catch (error) {
    if (!(error instanceof NeedsKeeping)) throw error;
    const compiled = await compileParts({ ...selection, keepsOnHost: true }, feeds, inside(at, "kept"));
    return { ...compiled, run: (arrays, context) => compiled.run(arrays, { ...context, kept: new Map() }) };
  }
}

async function compileParts(selection: Selection, feeds: readonly CompileFeed[], at: CompilePlace): Promise<Compiled> {
  const { programs, place } = at;
  const { device } = programs;
  const hosts = nextHostOperations(selection);
  if (hosts.length > 0)
    return aroundHost(
      selection,
      feeds,
      at,
      hosts.map(op => hostCall(selection, op, device)),
    );
  const branch = branchOfKept(selection);
  if (branch) return chosen(selection, feeds, at, branch);
  const passed = passedThrough(selection, feeds);
  if (passed.some(from => from !== undefined)) return besides(selection, feeds, at, passed);
  let program: Program;
  try {
    program = lowerSelection(selection, feeds, device);
  } catch (error) {
    const blocked = blockedBy(selection, error);
    if (blocked?.kind === "loop") return iterated(selection, feeds, at, blocked);
    if (blocked?.kind === "cond") return chosen(selection, feeds, at, blocked);
    if (error instanceof NeedsIterating || error instanceof NeedsHost) throw new UnimplementedError(error.message);
    if (!(error instanceof NeedsValue)) throw error;
    const evaluated = evaluatedCall(selection, error.op);
    return evaluated ? aroundHost(selection, feeds, at, [evaluated]) : segmented(selection, feeds, at, error);
  }
  verifyProgram(program);
  const made: { plan?: Plan | null } = {};
  const fixed = fixedValues(selection, feeds, program);
  const kept = await programs.program(place, anySize => {
    const target = anySize ? device.anySizeTarget : device.target;
    made.plan = target && schedule(program, target);
    return device.compile(program, made.plan, { anySize, fixed });
  });
  const live = feeds.flatMap(({ known }, i) => (known === undefined ? [i] : []));
  const isDense = live.length === feeds.length;
  // Apart from `run`, which would else make room for what the function inside it reads.
  const liveOf = (arrays: readonly NDArray[]): readonly NDArray[] => live.map(i => arrays[i]);
  const traced = new TracedProgram(selection, program, device);
  return {
    run: (arrays, { trace }, into) => {
      const given = isDense ? arrays : liveOf(arrays);
      return trace ? traced.run(given, trace) : kept.run(given, into);
    },
    release: () => {
      kept.release();
      traced.release();
    },
    get stages() {
      const { plan } = made;
      return {
        graph: () => printSelection(selection),
        program: () => printProgram(program),
        ...(plan && { plan: () => printPlan(plan) }),
        ...kept.executable.texts,
        ...(plan && kept.executable.parts && { times: () => traced.times(kept.executable, plan) }),
      };
    },
    get counts() {
      return kept.executable.counts;
    },
  };
}

/** The values whose shapes stay what they are when a feed has another size; undefined where no feed can. What has the shape that is
 *  known of its operation's output before anything is fed counts, every variable, and every single number. */
function fixedValues(selection: Selection, feeds: readonly CompileFeed[], { steps, origins }: Program): ReadonlySet<Value> | undefined {
  if (feeds.every(({ tensor }) => tensor.shape.isFullyDefined)) return undefined;
  const known = new Map<string, Set<string>>();
  for (const node of selection.nodes)
    if (!("kind" in node))
      known.set(node.name, new Set(node.outputs.flatMap(({ shape }) => (shape.isFullyDefined ? [shape.asList().join()] : []))));
  const fixed = new Set<Value>();
  for (const step of steps)
    for (const value of outputsOf(step))
      if (step.kind === "state" || value.shape.length === 0 || known.get(origins?.get(value) ?? "")?.has(value.shape.join()))
        fixed.add(value);
  return fixed;
}

/** Which feed a fetched object of the host (a dataset, a list kept there) is: no program can hold one. */
function passedThrough(selection: Selection, feeds: readonly CompileFeed[]): (number | undefined)[] {
  return selection.fetches.map(fetch => {
    if (fetch.dtype !== "variant") return undefined;
    const source = handleSource(selection, fetch);
    const from = feeds.findIndex(({ tensor }) => tensor === source);
    return from < 0 ? undefined : from;
  });
}

/** A branch that gives what is kept on the host. */
const branchOfKept = ({ nodes, keepsOnHost }: Selection): StructuredCond | undefined =>
  keepsOnHost
    ? nodes.find(
        (node): node is StructuredCond => "kind" in node && node.kind === "cond" && node.outputs.some(({ dtype }) => dtype === "variant"),
      )
    : undefined;

/** Hands these on beside the program of all others. */
async function besides(
  selection: Selection,
  feeds: readonly CompileFeed[],
  at: CompilePlace,
  passed: readonly (number | undefined)[],
): Promise<Compiled> {
  const others = selection.fetches.filter((_, k) => passed[k] === undefined);
  const compiled = await compileParts({ ...selection, fetches: others }, feeds, at);
  return {
    ...compiled,
    run: async (arrays, context) => {
      const results = await compiled.run(arrays, context);
      let next = 0;
      return passed.map(from => (from === undefined ? results[next++] : arrays[from]));
    },
  };
}

function lowerSelection(selection: Selection, feeds: readonly CompileFeed[], device: Device): Program {
  return lower({
    nodes: selection.nodes,
    fetches: selection.fetches,
    feeds: feeds.map(({ tensor, shape, known }) => ({ tensor, dtype: tensor.dtype, shape, known })),
    resolve: tensor => resolve(selection, tensor),
    isFed: tensor => selection.feeds.has(tensor),
    isOnHost: op => isOnHost(selection, op),
    resource: ({ id, make }) => device.resource(id, make),
    currentState: state => withCurrentShape(state, device),
    evaluate,
    runtimeError: (op, message) => blamed(new InvalidArgumentError(message), op),
  });
}

/** A variable whose shape changed in an assign (validate_shape=false) has the shape it holds now. */
function withCurrentShape(state: State, device: Device): State {
  const held = device.stateShape(state.id);
  return held === undefined || held.join() === state.shape.join() ? state : { ...state, shape: held };
}

/** Variants kept for the values and sizes met last; older ones are compiled again when they come back. */
const mostVariants = 64;

class Variants {
  private readonly kept = new Map<string, Promise<Compiled>>();

  get(key: string, make: () => Promise<Compiled>): Promise<Compiled> {
    const variant = this.kept.get(key) ?? make();
    this.kept.delete(key);
    this.kept.set(key, variant);
    for (const [oldest, old] of this.kept) {
      if (this.kept.size <= mostVariants) break;
      this.kept.delete(oldest);
      release(old);
    }
    return variant;
  }

  release(): void {
    for (const variant of this.kept.values()) release(variant);
    this.kept.clear();
  }
}

const release = (variant: Promise<Compiled>): void =>
  void variant.then(
    compiled => compiled.release(),
    () => undefined,
  );

/** An operation whose results are known with the values of its inputs alone, sizes included: computed between two segments, so that the
 *  second depends on the sizes and not on the values. Undefined for others. */
function evaluatedCall(selection: Selection, op: Operation): HostCall | undefined {
  const { definition } = op;
  const names = Object.keys(definition.inputs);
  const isKnownWithInputs = definition.sizesFromValues ?? names.every(name => definition.compileTimeInputs?.includes(name));
  const isAtTop = producersIn(selection).get(op) === op && op.outputs.every(output => !selection.feeds.has(output));
  if (!isKnownWithInputs || definition.stateful || !isAtTop || names.length === 0) return undefined;
  const inputs = valueInputs(selection, op);
  if (inputs.length < op.inputs.length) return undefined;
  return {
    op,
    run: values =>
      evaluateAlone(
        op,
        inputs,
        inputs.map(tensor => values.get(tensor) as NDArray),
        tensor => resolve(selection, tensor),
      ),
  };
}

const valueKey = (value: NDArray): string => `=${value.shape}:${value.toArray()}`;

/** Runs what the missing value depends on, then compiles the rest for the values and sizes that gave. */
async function segmented(selection: Selection, feeds: readonly CompileFeed[], place: CompilePlace, missing: NeedsValue): Promise<Compiled> {
  const fed = feeds.findIndex(({ tensor }) => tensor === missing.tensor);
  if (fed >= 0) return forEachValue(selection, feeds, place, missing, fed);
  const { first, rest, crossing } = split(selection, { needs: [missing.tensor], reader: missing.op });
  const head = await compileSelection(first, feeds, inside(place, `before ${missing.op.name}`));
  const variants = new Variants();
  const at = crossing.indexOf(missing.tensor);
  const run = async (arrays: readonly NDArray[], context: RunContext): Promise<readonly NDArray[]> => {
    const values = await head.run(arrays, context);
    const tail = await variants.get(values.map((value, i) => (i === at ? valueKey(value) : value.shape.join())).join(";"), () => {
      const crossed = crossing.map(
        (tensor, i): CompileFeed => ({ tensor, shape: values[i].shape, known: i === at ? values[i] : undefined }),
      );
      return compileSelection(rest, [...feeds, ...crossed], inside(place, `from ${missing.op.name}`));
    });
    return tail.run([...arrays, ...values], context);
  };
  return {
    run,
    stages: { ...head.stages, segments: () => `cut before ${missing.op.name}: ${missing.message}` },
    counts: head.counts,
    release: () => {
      head.release();
      variants.release();
    },
  };
}

/** A fed value that decides shapes: one program for each value it takes. */
function forEachValue(
  selection: Selection,
  feeds: readonly CompileFeed[],
  place: CompilePlace,
  missing: NeedsValue,
  fed: number,
): Compiled {
  const variants = new Variants();
  const run = async (arrays: readonly NDArray[], context: RunContext): Promise<readonly NDArray[]> => {
    const value = arrays[fed];
    const copy = new NDArray(value.dtype, value.shape, value.data.slice());
    const variant = await variants.get(valueKey(value), () =>
      compileSelection(
        selection,
        feeds.map((feed, i) => (i === fed ? { ...feed, known: copy } : feed)),
        inside(place, `for ${missing.tensor.name}`),
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
    release: () => variants.release(),
  };
}

/** The branch or loop that lowering cannot see through, since something inside needs what is only known while running. */
function blockedBy(selection: Selection, error: unknown): StructuredNode | undefined {
  if (error instanceof NeedsHost) return around(selection, error.op);
  if (error instanceof NeedsIterating) return selection.nodes.find(node => "kind" in node && holds(node, error.loop)) as StructuredNode;
  if (!(error instanceof NeedsValue) || selection.feeds.has(error.tensor)) return undefined;
  const node = around(selection, error.tensor.op);
  const given = node?.kind === "cond" ? node.outputs : (node?.exits ?? []);
  return given.includes(error.tensor) ? undefined : node;
}

function holds(node: StructuredNode, loop: StructuredLoop): boolean {
  if (node === loop) return true;
  const parts = node.kind === "cond" ? node.cases : [node.condition, node.body];
  return parts.some(({ nodes }) => nodes.some(inner => "kind" in inner && holds(inner, loop)));
}

/** Runs what a branch's predicate depends on, then compiles the case taken as part of what is around it. */
async function chosen(selection: Selection, feeds: readonly CompileFeed[], place: CompilePlace, cond: StructuredCond): Promise<Compiled> {
  const predicate = resolve(selection, cond.predicate);
  const isFed = selection.feeds.has(predicate);
  const reader = predicate.op;
  const { first, rest, crossing } = isFed
    ? { first: undefined, rest: selection, crossing: [] as readonly Tensor[] }
    : split(selection, { needs: [predicate], reader });
  const head = first && (await compileSelection(first, feeds, inside(place, `before ${cond.name}`)));
  const from = [...feeds.map(({ tensor }) => tensor), ...crossing].indexOf(predicate);
  const variants = new Variants();
  const run = async (arrays: readonly NDArray[], context: RunContext): Promise<readonly NDArray[]> => {
    const crossed = head ? await head.run(arrays, context) : [];
    const all = [...arrays, ...crossed];
    const choice = Number(all[from].get(0));
    const tail = await variants.get(`${choice};${crossed.map(({ shape }) => shape.join()).join(";")}`, () => {
      const given = crossing.map((tensor, i): CompileFeed => ({ tensor, shape: crossed[i].shape }));
      return compileSelection(withCase(rest, cond, choice), [...feeds, ...given], inside(place, `case ${choice} of ${cond.name}`));
    });
    return tail.run(all, context);
  };
  const stages = { ...head?.stages, segments: () => `cut before the branch '${cond.name}'` };
  const giveBack = (): void => {
    head?.release();
    variants.release();
  };
  return { run, stages, counts: head?.counts ?? {}, release: giveBack };
}

/** Runs what a loop depends on, then its iterations one by one, then compiles the rest for the shapes they gave. */
async function iterated(selection: Selection, feeds: readonly CompileFeed[], place: CompilePlace, loop: StructuredLoop): Promise<Compiled> {
  const { current, outside, initial, condition, body } = iterationOf(selection, loop);
  const controls = [...loop.operations].flatMap(op => op.controlInputs).filter(op => !loop.operations.has(op));
  const needs = [...new Set([...initial, ...outside])];
  const halves = split(selection, { needs, after: controls, between: loop.operations, reader: current[0].op });
  const { first, crossing, given } = halves;
  const isFeed = (tensor: Tensor): boolean => !tensor.isRef || selection.feeds.has(tensor);
  const rest = { ...halves.rest, feeds: new Set([...halves.rest.feeds].filter(isFeed)) };
  const head = first.nodes.length > 0 ? await compileSelection(first, feeds, inside(place, `before ${loop.name}`)) : undefined;
  const [conditions, bodies, rests] = [new Variants(), new Variants(), new Variants()];
  const fed = feeds.map(({ tensor }) => tensor);
  const inner = [...current, ...outside];
  const shapesOf = (arrays: readonly NDArray[]): string => arrays.map(({ shape }) => shape.join()).join(";");
  const run = async (arrays: readonly NDArray[], context: RunContext): Promise<readonly NDArray[]> => {
    const values = head ? await head.run(arrays, context) : [];
    const known = new Map<Tensor, NDArray>();
    fed.forEach((tensor, i) => void known.set(tensor, arrays[i]));
    crossing.forEach((tensor, i) => void known.set(tensor, values[i]));
    const valueOf = (tensor: Tensor): NDArray => known.get(tensor) as NDArray;
    const part = async (variants: Variants, of: Selection, name: string, variables: readonly NDArray[]): Promise<readonly NDArray[]> => {
      const all = [...variables, ...outside.map(valueOf)];
      const program = await variants.get(shapesOf(all), () =>
        compileSelection(
          of,
          inner.map((tensor, i): CompileFeed => ({ tensor, shape: all[i].shape })),
          inside(place, `${name} of ${loop.name}`),
        ),
      );
      return program.run(all, context);
    };
    const last = await iterate(
      initial.map(valueOf),
      async variables => Boolean((await part(conditions, condition, "condition", variables))[0].get(0)),
      variables => part(bodies, body, "body", variables),
    );
    loop.exits.forEach((exit, k) => {
      if (exit !== undefined) known.set(exit, last[k]);
    });
    const crossed = [...crossing, ...given].filter(tensor => isFeed(tensor) && !fed.includes(tensor));
    const tail = await rests.get(shapesOf(crossed.map(valueOf)), () =>
      compileSelection(
        rest,
        [...feeds, ...crossed.map((tensor): CompileFeed => ({ tensor, shape: valueOf(tensor).shape }))],
        inside(place, `from ${loop.name}`),
      ),
    );
    return tail.run([...arrays, ...crossed.map(valueOf)], context);
  };
  const stages = { ...head?.stages, segments: () => `the loop '${loop.name}' runs iteration by iteration` };
  const giveBack = (): void => {
    head?.release();
    for (const variants of [conditions, bodies, rests]) variants.release();
  };
  return { run, stages, counts: head?.counts ?? {}, release: giveBack };
}

/** Runs what calls of the host depend on, then these, then compiles the rest for the shapes that gave. */
async function aroundHost(
  selection: Selection,
  feeds: readonly CompileFeed[],
  place: CompilePlace,
  calls: readonly HostCall[],
): Promise<Compiled> {
  const hosts = calls.map(({ op }) => op);
  const name = hosts.map(op => op.name).join(", ");
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
  const head = first.nodes.length > 0 ? await compileSelection(first, feeds, inside(place, `before ${name}`)) : undefined;
  const fed = feeds.map(({ tensor }) => tensor);
  const variants = new Variants();
  const isDone =
    rest.targets.length === 0 && rest.nodes.every(isHandleSource) && rest.fetches.every(fetch => rest.feeds.has(resolve(rest, fetch)));
  const run = async (arrays: readonly NDArray[], context: RunContext): Promise<readonly NDArray[]> => {
    const values = head ? await head.run(arrays, context) : [];
    const known = new Map<Tensor, NDArray>();
    fed.forEach((tensor, i) => void known.set(tensor, arrays[i]));
    crossing.forEach((tensor, i) => void known.set(tensor, values[i]));
    const results = await runTogether(calls, known, context);
    hosts.forEach((op, k) => void op.outputs.forEach((output, i) => void known.set(output, results[k][i] as NDArray)));
    const valueOf = (tensor: Tensor): NDArray => known.get(tensor) as NDArray;
    if (isDone) return rest.fetches.map(fetch => valueOf(resolve(rest, fetch)));
    const crossed = [...crossing, ...given].filter(tensor => isFeed(tensor) && !fed.includes(tensor));
    const tail = await variants.get(crossed.map(tensor => valueOf(tensor).shape.join()).join(";"), () =>
      compileSelection(
        rest,
        [...feeds, ...crossed.map((tensor): CompileFeed => ({ tensor, shape: valueOf(tensor).shape }))],
        inside(place, `from ${name}`),
      ),
    );
    return tail.run([...arrays, ...crossed.map(valueOf)], context);
  };
  const stages = { ...head?.stages, segments: () => `on the host: ${name}` };
  const giveBack = (): void => {
    head?.release();
    variants.release();
  };
  return { run, stages, counts: head?.counts ?? {}, release: giveBack };
}
