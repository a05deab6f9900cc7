// Session: validates what is asked, keeps one compiled program for each signature, serializes runs, and holds the variables' device.
// Compiling is session/compile.ts; where programs run is the device's business.

import {
  CancelledError,
  DeadlineExceededError,
  InvalidArgumentError,
  NotFoundError,
  type OpError,
  RuntimeError,
  UnimplementedError,
  withHint,
} from "../base/errors.ts";
import { disposeSymbol } from "../base/disposable.ts";
import type { ArrayLike, NDArray } from "../base/ndarray.ts";
import { dtypeTable } from "../base/dtype.ts";
import type { Device } from "../backends/device.ts";
import { openDevice, type BackendName } from "../backends/index.ts";
import { pythonType } from "../base/python-text.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import { Graph, Scope } from "../graph/graph.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import { compile } from "./compile.ts";
import type { Compiled } from "./compiled.ts";
import { Programs } from "./programs.ts";
import { getIntraOpParallelismThreads } from "./devices.ts";
import { popDefaultSession, pushDefaultSession } from "./default-session.ts";
import { type Feed, type FeedKey, type Feeds, feedValue, keyTensor, resolveFeeds } from "./feeds.ts";
import { type FetchPlan, type Fetches, planFetches, type Results } from "./fetches.ts";
import type { RunContext } from "./host.ts";
import { Repeatable } from "./repeat.ts";
import { type RunTrace, stepStats } from "./trace.ts";
import { Turns } from "./turns.ts";

/** Session settings; TensorFlow's ConfigProto in camelCase, as far as it means something here. */
export interface SessionConfig {
  /** "wasm" (the default) or "reference" (slow, the meaning of every primitive; for tests). */
  readonly backend?: BackendName;
  /** Threads that share one kernel. 0 or absent: as many as there are cores. Results are the same bits for any number. */
  readonly intraOpParallelismThreads?: number;
  readonly interOpParallelismThreads?: number;
  /** "auto" (the default): each convolution by whatever is fastest, large ones by Winograd's filtering, which rounds more (docs/decisions.md).
   *  "direct": every one by plain sums of products. */
  readonly convolution?: "auto" | "direct";
  /** Results that are bit for bit the same on every machine: products and sums rounded one by one, never fused. TF: enable_op_determinism. */
  readonly deterministicOps?: boolean;
  /** Ask V8 to make 256-bit code of pairs of vectors (`--experimental-wasm-revectorize`), and record kernels in the form it takes. Experimental:
   *  it stays on for the whole process, products and sums are rounded one by one, and an engine's fault in it would end the process. Needs
   *  Node 26 on x64 with AVX2; without effect on other engines. */
  readonly revectorize?: boolean;
  /** Accepted for pasted programs; the machine's placement is our own. */
  readonly allowSoftPlacement?: boolean;
  readonly logDevicePlacement?: boolean;
}

export interface SessionOptions {
  /** The graph to run; the default graph if absent. */
  readonly graph?: Graph | null;
  readonly config?: SessionConfig | null;
}

/** How a run is done. TF: tf.RunOptions. */
export interface RunSettingsOptions {
  /** 0 (nothing is noted) to 3 (everything is). */
  readonly traceLevel?: number | string;
  /** How long operations of the host may wait for others. */
  readonly timeoutInMs?: number | bigint;
  readonly outputPartitionGraphs?: boolean;
}

/** What a traced run is written into. TF: tf.RunMetadata. */
export interface RunMetadataTarget {
  readonly stepStats?: object | undefined;
  /** Takes down the part of the graph that ran. */
  addPartitionGraph?(graph: Graph, operations: readonly Operation[]): void;
}

export interface RunSettings {
  readonly options?: RunSettingsOptions | null;
  readonly runMetadata?: RunMetadataTarget | null;
}

type RunArgument = Feeds | null | (RunSettings & { readonly feedDict?: Feeds | null });

const closed =
  "Attempted to use a closed Session.\n\n`close` was called, or the block of its `await using` has ended. Make a new one; variables come from a checkpoint.";

const settingNames = ["feedDict", "options", "runMetadata"];

/** Names of tensors hold a colon, so an object with these keys is not one of feeds. */
const isSettings = (given: RunArgument | undefined): given is RunSettings & { readonly feedDict?: Feeds | null } =>
  typeof given === "object" && given !== null && !Array.isArray(given) && settingNames.some(name => name in given);

/** @throws TypeError for a trace level or metadata that are none. */
function isTraced(options: RunSettingsOptions | null | undefined, metadata: RunMetadataTarget | null | undefined): boolean {
  for (const [name, value] of Object.entries({ options, runMetadata: metadata }))
    if (value !== undefined && value !== null && typeof value !== "object")
      throw new TypeError(
        `Argument \`${name}\` must be a tf.${name === "options" ? "RunOptions" : "RunMetadata"}, but got "${pythonType(value)}"`,
      );
  const level = options?.traceLevel ?? 0;
  return metadata !== undefined && metadata !== null && level !== 0 && level !== "NO_TRACE";
}

/** Signatures (fetches, fed tensors and their shapes) whose programs are kept. */
const mostSignatures = 256;

/** Runs that are remembered, to be done again at once. */
const mostRepeatable = 8;

/** How long runs may follow each other before waiting events are let in. */
const turnMs = 50;

/** Resolves after the events that wait now: by setImmediate where there is one (timers are clamped to a millisecond or more). */
const nextTurn = (): Promise<void> =>
  new Promise(resolve => {
    if (typeof setImmediate === "function") setImmediate(resolve);
    else setTimeout(resolve, 0);
  });

/** Those that are open. */
const sessions = new Set<WeakRef<Session>>();

/** Runs parts of a graph. Variables live in the session, from their initializers until `close`. TF: tf.Session. */
export class Session {
  readonly graph: Graph;
  readonly sessStr: string;
  private readonly config: SessionConfig;
  private device: Promise<Device> | undefined;
  private opened: Device | undefined;
  /** In the order of their last use. */
  private readonly compiled = new Map<string, Promise<Compiled> | Compiled>();
  private programs: Programs | undefined;
  /** Of fetches that cannot change. */
  private readonly plans = new WeakMap<object, FetchPlan>();
  /** Of the runs done last; `next` is replaced next. */
  private readonly repeatable: Repeatable[] = [];
  private next = 0;
  private readonly ids = new WeakMap<object, number>();
  private nextId = 0;
  private isClosed = false;
  private readonly held = new WeakRef(this);
  private readonly turns = new Turns();
  private readonly underWay = new Set<Promise<unknown>>();
  private readonly closing = new AbortController();
  private readonly context: RunContext = {
    aside: work => this.turns.aside(work),
    closing: this.closing.signal,
    run: (fetches, feeds) => {
      const plan: FetchPlan = { tensors: fetches, targets: [], assemble: values => values, isOf: () => false };
      return this.perform(
        plan,
        [...feeds].map(([tensor, value]) => ({ tensor, value })),
      ) as Promise<readonly NDArray[]>;
    },
  };
  private lastTurn = performance.now();

  /** `new Session()`, `new Session({ graph, config })`, or with a target string first. @throws TypeError for wrong arguments; NotFoundError for a target. */
  constructor(target: string | SessionOptions | null = "", options: SessionOptions = {}) {
    const given = typeof target === "object" && target !== null ? target : options;
    const address = typeof target === "string" ? target : "";
    if (target !== null && typeof target !== "string" && typeof target !== "object")
      throw new TypeError(`Argument \`target\` must be a string, but got "${pythonType(target)}"`);
    if (given.graph !== undefined && given.graph !== null && !(given.graph instanceof Graph))
      throw new TypeError(`Argument \`graph\` must be a tf.Graph, but got "${pythonType(given.graph)}"`);
    if (given.config !== undefined && given.config !== null && (typeof given.config !== "object" || Array.isArray(given.config)))
      throw new TypeError(`Argument \`config\` must be a tf.ConfigProto, but got "${pythonType(given.config)}"`);
    if (address !== "")
      throw withHint(
        new NotFoundError(
          `No session factory registered for the given session options: {target: "${address}"} Registered factories are {DIRECT_SESSION}.`,
        ),
        "Leave the target out to run here.",
      );
    this.graph = given.graph ?? getDefaultGraph();
    this.sessStr = address;
    this.config = given.config ?? {};
    sessions.add(this.held);
  }

  /** Closes every session that is open, with the variables that they hold. `target` is where they run: here. TF: Session.reset. */
  static async reset(
    target: string,
    _options: { readonly containers?: readonly string[] | null; readonly config?: SessionConfig | null } = {},
  ): Promise<void> {
    void new Session(target).close();
    await Promise.all([...sessions].map(held => held.deref()?.close()));
  }

  /** Runs what `fetches` need and returns their values in the same nesting: arrays for tensors and variables, null for operations.
   *  `feeds` are pairs, a Map, or an object of names. Concurrent calls run one after the other. What a run took goes into `runMetadata`, if
   *  `options` ask for it: `session.run(loss, feeds, { options: new tf.RunOptions({ traceLevel: tf.RunOptions.FULL_TRACE }), runMetadata })`.
   *  @throws RuntimeError after close; ValueError and TypeError for wrong fetches and feeds; an OpError for what fails while running. TF: Session.run. */
  run<const F extends Fetches>(fetches: F, feeds?: Feeds | null, options?: RunSettings): Promise<Results<F>>;
  run<const F extends Fetches>(fetches: F, options: RunSettings & { readonly feedDict?: Feeds | null }): Promise<Results<F>>;
  run<const F extends Fetches>(fetches: F, given?: RunArgument, last?: RunSettings): Promise<Results<F>> {
    try {
      const settings = isSettings(given) ? given : last;
      const feeds = isSettings(given) ? given.feedDict : given;
      const isPlain = !settings?.options && !settings?.runMetadata;
      if (isPlain) return (this.runAgain(fetches, feeds) ?? this.runAnew(fetches, feeds)) as Promise<Results<F>>;
      return this.told(this.fetchPlan(fetches), resolveFeeds(this.graph, feeds), settings) as Promise<Results<F>>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** A run that nothing is remembered of. */
  private runAnew(fetches: unknown, feeds: Feeds | null | undefined): Promise<unknown> {
    const plan = this.fetchPlan(fetches);
    return this.kept(
      this.perform(plan, resolveFeeds(this.graph, feeds), this.context, run => {
        const isKnown = this.repeatable.some(known => this.isRepeated(known, fetches, feeds));
        // What is not recognized (feeds by name) is not kept.
        if (isKnown || !this.isRepeated(run, fetches, feeds)) return;
        this.repeatable[this.next] = run;
        this.next = (this.next + 1) % mostRepeatable;
      }),
    );
  }

  private isRepeated(run: Repeatable, fetches: unknown, feeds: Feeds | null | undefined): boolean {
    const isIt = this.fits(run) && run.isOf(fetches) && run.takesFeeds(feeds);
    run.forget();
    return isIt;
  }

  /** A run like one of the last ones, if it can be done at once. */
  private runAgain(fetches: unknown, feeds: Feeds | null | undefined): Promise<unknown> | undefined {
    const { repeatable } = this;
    if (repeatable.length === 0 || !this.isIdle()) return undefined;
    for (let i = 0; i < repeatable.length; i++)
      if (this.fits(repeatable[i]) && repeatable[i].isOf(fetches) && repeatable[i].takesFeeds(feeds)) return this.atOnce(repeatable[i]);
    return undefined;
  }

  /** A run with options: traced, or with a limit on how long it waits. */
  private async told(plan: FetchPlan, feeds: readonly Feed[], { options, runMetadata }: RunSettings): Promise<unknown> {
    const trace: RunTrace | undefined = isTraced(options, runMetadata) ? { nodes: [], operations: new Set() } : undefined;
    const limit = options?.timeoutInMs ? AbortSignal.timeout(Number(options.timeoutInMs)) : undefined;
    const closing = limit ? AbortSignal.any([this.closing.signal, limit]) : this.closing.signal;
    try {
      const result = await this.execute(plan, feeds, { ...this.context, closing, ...(trace && { trace }) });
      if (trace && runMetadata) {
        Object.assign(runMetadata, { stepStats: stepStats(trace, this.listDevices()[0].name) });
        if (options?.outputPartitionGraphs) runMetadata.addPartitionGraph?.(this.graph, [...trace.operations]);
      }
      return result;
    } catch (error) {
      if (limit?.aborted && error instanceof CancelledError) throw new DeadlineExceededError("Timed out waiting for notification");
      throw error;
    }
  }

  /** A function of feed values alone, for steps that run often: fetches and feeds are resolved once, and a call with NDArrays of the shapes of the
   *  last one leaves nothing behind but its results and their promise. TF: make_callable. */
  makeCallable<const F extends Fetches>(
    fetches: F,
    { feedList = [] }: { readonly feedList?: readonly FeedKey[] } = {},
  ): (...values: ArrayLike[]) => Promise<Results<F>> {
    this.refuseEnded();
    if (!Array.isArray(feedList))
      throw new TypeError(`Argument \`feed_list\` must be a list or tuple. Received: feed_list=${String(feedList)}`);
    let tensors: readonly Tensor[] | undefined;
    const plan = this.fetchPlan(fetches);
    let last: Repeatable | undefined;
    const callAnew = async (...values: ArrayLike[]): Promise<unknown> => {
      if (plan.tensors.length + plan.targets.length === 0)
        throw new InvalidArgumentError("Must specify at least one target to fetch or execute.");
      // Wrong keys are told where a run would tell them.
      tensors ??= (feedList as readonly FeedKey[]).map(key => keyTensor(this.graph, key));
      const feeds = tensors.slice(0, values.length).map((tensor, i): Feed => ({ tensor, value: feedValue(tensor, values[i]) }));
      return this.kept(
        this.perform(plan, feeds, this.context, run => {
          last = run;
        }),
      );
    };
    // The list of values is only looked into here, so the engine need not make one.
    return (...values) => {
      try {
        let isLike = last !== undefined && values.length === last.feeds && this.fits(last) && this.isIdle();
        for (let i = 0; isLike && i < values.length; i++) isLike = (last as Repeatable).takes(i, values[i]);
        const again = isLike ? this.atOnce(last as Repeatable) : callAnew(...values);
        return again as Promise<Results<F>>;
      } catch (error) {
        return Promise.reject(error);
      }
    };
  }

  /** Could a run begin and end now? Nobody else runs, and no event has waited for long. */
  private isIdle(): boolean {
    return !this.isClosed && this.turns.isFree && performance.now() - this.lastTurn < turnMs;
  }

  private fits(run: Repeatable): boolean {
    return run.fits(this.opened?.shapeChanges ?? 0, this.graph.restrictions);
  }

  /** Repeats a run with the values it has taken; a promise of what it gives is all that is allocated besides. */
  private atOnce(run: Repeatable): Promise<unknown> {
    void this.turns.take();
    let given: unknown;
    try {
      given = run.run(this.context);
    } catch (error) {
      run.forget();
      this.turns.give();
      throw error;
    }
    if (given instanceof Promise) return this.goesOn(given);
    this.turns.give();
    return Promise.resolve(given);
  }

  /** A run that keeps the turn until it has ended. */
  private goesOn<T>(run: Promise<T>): Promise<T> {
    return this.kept(run.finally(() => this.turns.give()));
  }

  /** All stages of what these fetches compile to, as text: graph, program, plan, kernels, module. */
  async explain(fetches: Fetches, feeds?: Feeds | null): Promise<Record<string, string>> {
    const { stages } = await this.kept(this.program(this.fetchPlan(fetches), resolveFeeds(this.graph, feeds)));
    return Object.fromEntries(Object.entries(stages).map(([name, text]) => [name, text()]));
  }

  /** Exact figures of what these fetches compile to: kernels, arena bytes, module bytes; and of the session: `modules` compiled so far and
   *  `programs` kept. */
  async counts(fetches: Fetches, feeds?: Feeds | null): Promise<Readonly<Record<string, number>>> {
    const { counts } = await this.kept(this.program(this.fetchPlan(fetches), resolveFeeds(this.graph, feeds)));
    const { modules } = await this.openedDevice();
    return { ...counts, modules, programs: this.programs?.count ?? 0 };
  }

  /** @throws RuntimeError after `close`, and for a graph without operations. */
  refuseClosed(): void {
    if (this.isClosed) throw new RuntimeError(closed);
    if (this.graph.version === 0) throw new RuntimeError("The Session graph is empty. Add operations to the graph before calling run().");
  }

  private fetchPlan(fetches: unknown): FetchPlan {
    this.refuseClosed();
    if (typeof fetches !== "object" || fetches === null) return planFetches(this.graph, fetches);
    const known = this.plans.get(fetches);
    if (known) return known;
    const plan = planFetches(this.graph, fetches);
    if (Object.isFrozen(fetches)) this.plans.set(fetches, plan);
    return plan;
  }

  private execute(plan: FetchPlan, feeds: readonly Feed[], context = this.context): Promise<unknown> {
    return this.kept(this.perform(plan, feeds, context));
  }

  /** Work that `close` waits for. */
  private kept<T>(work: Promise<T>): Promise<T> {
    this.underWay.add(work);
    const settled = (): void => void this.underWay.delete(work);
    work.then(settled, settled);
    return work;
  }

  /** `remember` is told of a run that was done without waiting. */
  private async perform(
    plan: FetchPlan,
    feeds: readonly Feed[],
    context = this.context,
    remember?: (run: Repeatable) => void,
  ): Promise<unknown> {
    const waiting = this.turns.take();
    if (waiting) await waiting;
    try {
      if (this.isClosed) throw new RuntimeError(closed);
      const turn = this.letEventsIn();
      if (turn) await turn;
      const found = this.found(this.signature(plan, feeds));
      const program = found !== undefined && !(found instanceof Promise) ? found : await this.program(plan, feeds);
      // Taken before: a run that gives a variable another shape is not like the next one.
      const shapeChanges = this.opened?.shapeChanges ?? 0;
      const values = program.run(
        feeds.map(({ value }) => value),
        context,
      );
      if (values instanceof Promise) return plan.assemble(await values);
      remember?.(new Repeatable(plan, program, feeds, shapeChanges, this.graph.restrictions));
      return plan.assemble(values);
    } finally {
      this.turns.give();
    }
  }

  /** Awaited runs alone never leave the microtask queue: now and then timers, input and Ctrl-C get their turn. */
  private letEventsIn(): Promise<void> | undefined {
    const now = performance.now();
    if (now - this.lastTurn < turnMs) return undefined;
    return nextTurn().then(() => {
      this.lastTurn = performance.now();
    });
  }

  private async program(plan: FetchPlan, feeds: readonly Feed[]): Promise<Compiled> {
    const key = this.signature(plan, feeds);
    const known = this.found(key);
    if (known) return known;
    refuseUnfed(plan, feeds);
    const pending = this.openedPrograms().then(programs =>
      compile(
        { fetches: plan.tensors, targets: plan.targets, feeds: feeds.map(({ tensor, value }) => ({ tensor, shape: value.shape })) },
        { programs, place: this.place(plan, feeds) },
      ),
    );
    this.keepFewer();
    this.compiled.set(key, pending);
    try {
      const program = await pending;
      this.compiled.set(key, program);
      return program;
    } catch (error) {
      this.compiled.delete(key);
      throw error;
    }
  }

  /** What is compiled for a signature; used last from now on, once there are so many that the order counts. */
  private found(key: string): Promise<Compiled> | Compiled | undefined {
    const found = this.compiled.get(key);
    if (found === undefined || this.compiled.size <= mostSignatures / 2) return found;
    this.compiled.delete(key);
    this.compiled.set(key, found);
    return found;
  }

  /** Makes room for one more signature: those not used for longest go first, but for runs that are remembered. */
  private keepFewer(): void {
    for (const [key, oldest] of this.compiled) {
      if (this.compiled.size < mostSignatures) return;
      if (oldest instanceof Promise || this.repeatable.some(run => run.program === oldest)) continue;
      this.compiled.delete(key);
      oldest.release();
    }
  }

  /** What decides the compiled program, sizes apart. */
  private place({ tensors, targets }: FetchPlan, feeds: readonly Feed[]): string {
    const list = (objects: readonly (Tensor | Operation)[]): string => objects.map(object => this.id(object)).join();
    return `${list(tensors)}!${list(targets)}|${list(feeds.map(({ tensor }) => tensor))}`;
  }

  /** What decides the compiled program: fetches, fed tensors, the shapes fed, and the shapes that variables have come to hold. */
  private signature({ tensors, targets }: FetchPlan, feeds: readonly Feed[]): string {
    let key = this.opened?.shapeChanges ? `#${this.opened.shapeChanges};` : "";
    for (const tensor of tensors) key += `${this.id(tensor)},`;
    for (const target of targets) key += `!${this.id(target)},`;
    for (const { tensor, value } of feeds) key += `|${this.id(tensor)}:${value.shape.join()}`;
    return key;
  }

  private id(object: Tensor | Operation): number {
    let id = this.ids.get(object);
    if (id === undefined) {
      id = this.nextId++;
      this.ids.set(object, id);
    }
    return id;
  }

  private async openedPrograms(): Promise<Programs> {
    const device = await this.openedDevice();
    this.programs ??= new Programs(device);
    return this.programs;
  }

  private openedDevice(): Promise<Device> {
    this.device ??= openDevice({
      ...this.config,
      intraOpParallelismThreads: this.config.intraOpParallelismThreads || getIntraOpParallelismThreads(),
    }).then(device => {
      this.opened = device;
      return device;
    });
    return this.device;
  }

  /** Makes this the default session (for `eval` and `operation.run`); does not close it at the end. TF: as_default. */
  asDefault(): Scope;
  asDefault<R>(body: (session: this) => R): R;
  asDefault<R>(body?: (session: this) => R): Scope | R {
    pushDefaultSession(this);
    const scope = new Scope(() => popDefaultSession(this));
    if (!body) return scope;
    const leave = (): void => scope[Symbol.dispose]();
    try {
      const result = body(this);
      if (result instanceof Promise) return result.finally(leave) as R;
      leave();
      return result;
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** Devices of this session, as TensorFlow names them. */
  listDevices(): { readonly name: string; readonly deviceType: string }[] {
    this.refuseEnded();
    return [{ name: "/job:localhost/replica:0/task:0/device:CPU:0", deviceType: "CPU" }];
  }

  /** What is asked of the session beneath is refused by it, not by Python. */
  private refuseEnded(): void {
    if (this.isClosed) throw new CancelledError("Session has been closed.");
  }

  /** Ends the session and forgets its variables; runs under way finish first, but those that wait on a queue are cancelled. Summary writers write what
   *  waits, and what fails then is raised. Calling it twice is fine. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    sessions.delete(this.held);
    this.closing.abort();
    await Promise.allSettled(this.underWay);
    await this.device?.catch(() => undefined);
    try {
      await this.opened?.endResources();
    } finally {
      this.opened?.close();
      this.compiled.clear();
      this.repeatable.length = 0;
    }
  }

  [disposeSymbol](): void {
    void this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** A session that makes itself the default. TF: tf.InteractiveSession. */
export class InteractiveSession extends Session {
  constructor(target: string | SessionOptions | null = "", options: SessionOptions = {}) {
    super(target, options);
    pushDefaultSession(this);
  }

  override async close(): Promise<void> {
    popDefaultSession(this);
    await super.close();
  }
}

/** @throws InvalidArgumentError with TensorFlow's text if a placeholder that the run needs is not fed; UnimplementedError if a fetch is no value. */
function refuseUnfed({ targets, tensors }: FetchPlan, feeds: readonly Feed[]): void {
  const fed = new Set(feeds.map(({ tensor }) => tensor));
  const handle = tensors.find(tensor => tensor.isHandle && tensor.op.definition.onHost !== undefined && !fed.has(tensor));
  if (handle)
    throw new UnimplementedError(`Tensor ${handle.name} stands for an object that lives for one run: it cannot be fetched.`, handle.op);
  const seen = new Set<Operation>();
  // The last of a stack is looked at first.
  const stack = [...targets, ...tensors.filter(tensor => !fed.has(tensor)).map(({ op }) => op)].reverse();
  for (let op = stack.pop(); op !== undefined; op = stack.pop()) {
    if (seen.has(op)) continue;
    seen.add(op);
    if (op.definition.isPlaceholder && !op.outputs.every(output => fed.has(output))) throw unfed(op);
    for (const input of op.inputs) if (!fed.has(input)) stack.push(input.op);
    stack.push(...op.controlInputs);
  }
}

function unfed(op: Operation): OpError {
  const [output] = op.outputs;
  const shape = output.shape.rank === null || output.shape.rank === 0 ? "" : ` and shape ${output.shape.format()}`;
  return new InvalidArgumentError(
    `You must feed a value for placeholder tensor '${op.name}' with dtype ${dtypeTable[output.dtype].cName}${shape}\n\t [[{{node ${op.name}}}]]\n\nGive it in the feeds: session.run(fetches, [["${output.name}", value]]).`,
    op,
  );
}
