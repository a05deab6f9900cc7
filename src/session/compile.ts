// The compiler on one page: what a run asks → an executable. Each line is a stage; each stage's value prints (session.explain).
// What is known only while running cuts the work into segments (segments.ts).

import { InvalidArgumentError, UnimplementedError } from "../base/errors.ts";
import type { NDArray } from "../base/ndarray.ts";
import type { Device } from "../backends/device.ts";
import { withSpecialFunctions } from "../backends/host-functions.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import type { StructuredCond, StructuredLoop, StructuredNode } from "../graph/structured.ts";
import { printProgram } from "../ir/print.ts";
import { outputsOf, type Program, type State, type Value } from "../ir/program.ts";
import { verifyProgram } from "../ir/verify.ts";
import { blamed } from "../lower/blame.ts";
import { lower } from "../lower/index.ts";
import { NeedsHost, NeedsIterating, NeedsKeeping, NeedsPart, NeedsValue } from "../lower/request.ts";
import { expandCalls } from "../graph/expand-calls.ts";
import { extract } from "../optimize/extract.ts";
import { optimize } from "../optimize/index.ts";
import { printSelection, resolve, type Selection } from "../optimize/selection.ts";
import { schedule } from "../schedule/index.ts";
import type { Plan } from "../schedule/plan.ts";
import { printPlan } from "../schedule/print-plan.ts";
import type { Compiled, CompileFeed } from "./compiled.ts";
import { type HostCall, hostCall, isOnHost, nextHostOperations, valueInputs } from "./host.ts";
import { around } from "./iterate.ts";
import type { Programs } from "./programs.ts";
import { evaluate, evaluateAlone } from "./evaluate-alone.ts";
import { aroundHost, aroundLoop, forEachCase, forEachValue, type Whole } from "./segments.ts";
import { handleSource, producersIn, sourcesOf } from "./split.ts";
import { TracedProgram } from "./trace.ts";

export interface CompileRequest {
  readonly fetches: readonly Tensor[];
  readonly targets: readonly Operation[];
  readonly feeds: readonly CompileFeed[];
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
  const { device } = at.programs;
  const whole: Whole = {
    selection,
    feeds,
    build: (part, fed, segment) => compileSelection(part, fed, inside(at, segment)),
    shapeChanges: () => device.shapeChanges,
  };
  const calls = (hosts: readonly Operation[]): HostCall[] => hosts.map(op => hostCall(selection, op, device));
  const hosts = nextHostOperations(selection);
  if (hosts.length === 0) {
    const branch = branchOfKept(selection);
    if (branch) return forEachCase(whole, branch);
    const passed = passedThrough(selection, feeds);
    if (passed.some(from => from !== undefined)) return besides(selection, feeds, at, passed);
  }
  let program: Program;
  try {
    program = await withSpecialFunctions(() => lowerSelection(selection, feeds, device));
  } catch (error) {
    const part = error instanceof NeedsValue ? new NeedsPart([error], []) : error;
    if (part instanceof NeedsPart) {
      const missing = part.values.filter(each => blockedBy(selection, each) === undefined);
      const evaluated = new Map(missing.map(each => [each, evaluatedCall(selection, each.op)]));
      const prompt = [
        ...calls(part.hosts.filter(op => !op.definition.waits)),
        ...[...evaluated.values()].filter(call => call !== undefined),
      ];
      const values = missing.filter(each => evaluated.get(each) === undefined);
      if (values.length > 0 || prompt.length > 0) return forEachValue(whole, values, prompt);
    }
    // What may wait for other runs waits last, and together.
    if (hosts.length > 0) return aroundHost(whole, calls(hosts));
    const blocked = blockedBy(selection, part instanceof NeedsPart ? part.values[0] : error);
    if (blocked?.kind === "loop") return aroundLoop(whole, blocked);
    if (blocked?.kind === "cond") return forEachCase(whole, blocked);
    if (error instanceof NeedsIterating || error instanceof NeedsHost) throw new UnimplementedError(error.message);
    throw error;
  }
  return compileProgram(program, selection, feeds, at);
}

async function compileProgram(
  program: Program,
  selection: Selection,
  feeds: readonly CompileFeed[],
  { programs, place }: CompilePlace,
): Promise<Compiled> {
  const { device } = programs;
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
    constants: constantResults(program),
  };
}

/** Larger results are not compiled into what reads them. */
const mostConstant = 1024;

/** The results of a program that it holds as constants: shapes and what is computed from them, most of all. */
function constantResults({ steps, results }: Program): (NDArray | undefined)[] {
  const constants = new Map(
    steps.flatMap(step => (step.kind === "constant" && step.data.size <= mostConstant ? [[step.out, step.data]] : [])),
  );
  return results.map(result => constants.get(result));
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
  let next = 0;
  const places = passed.map(from => (from === undefined ? next++ : undefined));
  return {
    ...compiled,
    constants: places.map(place => (place === undefined ? undefined : compiled.constants?.[place])),
    run: async (arrays, context) => {
      const results = await compiled.run(arrays, context);
      return places.map((place, k) => (place === undefined ? arrays[passed[k] as number] : results[place]));
    },
  };
}

function lowerSelection(selection: Selection, feeds: readonly CompileFeed[], device: Device): Program {
  let producers: ReturnType<typeof producersIn> | undefined;
  return lower({
    sourcesOf: node => {
      producers ??= producersIn(selection);
      return sourcesOf(selection, producers, node);
    },
    nodes: selection.nodes,
    fetches: selection.fetches,
    feeds: feeds.map(({ tensor, shape, known }) => ({ tensor, dtype: tensor.dtype, shape, known })),
    resolve: tensor => resolve(selection, tensor),
    isFed: tensor => selection.feeds.has(tensor),
    isEarlier: tensor => selection.earlier?.has(tensor) === true,
    isOnHost: op => isOnHost(selection, op),
    resource: ({ id, make }) => device.resource(id, make),
    currentState: state => withCurrentShape(state, device),
    isHeld: ({ id }) => device.stateShape(id) !== undefined,
    evaluate,
    runtimeError: (op, message) => blamed(new InvalidArgumentError(message), op),
  });
}

/** A variable whose shape changed in an assign (validate_shape=false) has the shape it holds now. */
function withCurrentShape(state: State, device: Device): State {
  const held = device.stateShape(state.id);
  return held === undefined || held.join() === state.shape.join() ? state : { ...state, shape: held };
}

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
      withSpecialFunctions(() =>
        evaluateAlone(
          op,
          inputs,
          inputs.map(tensor => values.get(tensor) as NDArray),
          tensor => resolve(selection, tensor),
        ),
      ),
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
