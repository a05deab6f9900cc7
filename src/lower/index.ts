// Graph + concrete shapes → Program, by calling each op's own `lower`. Every shape is now a number.
// Values known while compiling (constants, shapes, what is computed from them) are evaluated here, so they reach `compileTimeInputs`.
// Variables are threaded as values: a write replaces what later reads see, and the last write of each becomes one update at the end.

import type { DType } from "../base/dtype.ts";
import { InternalError, InvalidArgumentError, OpError, UnimplementedError, ValueError } from "../base/errors.ts";
import { NDArray } from "../base/ndarray.ts";
import { sameShape, sizeOf, TensorShape } from "../base/shape.ts";
import { checkShapes, groupByName, typesOf } from "../graph/build-operation.ts";
import { sizeFromPartial } from "../graph/shape-inference.ts";
import type { LowerContext, PartialArray, ShapeContext, StateHandle } from "../graph/op-definition.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import type { StructuredLoop } from "../graph/structured.ts";
import {
  building,
  check,
  constant,
  feed,
  full,
  isInitialized,
  NeedsUnrolling,
  ProgramBuilder,
  readState,
  reshape,
  updateState,
} from "../ir/build.ts";
import { outputsOf, type Program, type State, type Step, type Value } from "../ir/program.ts";
import { s } from "../ir/scalar.ts";
import { blamed } from "./blame.ts";
import type { LoweringNode, LowerRequest } from "./request.ts";
import { NeedsElements, NeedsHost, NeedsKeeping, NeedsPart, NeedsSize, NeedsUnrolled, NeedsValue } from "./request.ts";
import { lowerStructured } from "./structured.ts";

/** What a tensor has become: a value of the Program, an array known now (made a value when first read as one), or a handle on a state. */
interface Binding {
  value?: Value;
  readonly known?: NDArray | undefined;
  readonly handle?: StateHandle;
}

/** Rows of a value that count, and the operation to lower otherwise if somebody needs the size itself. */
interface Cap {
  readonly rows: Value;
  readonly op: Operation;
}

/** What a state holds at a point of the run, and whether the run has written it. */
export interface StateEntry {
  readonly state: State;
  readonly value: Value;
  readonly isWritten: boolean;
}

/** What an earlier attempt to lower has found out. */
interface Findings {
  readonly unrolled: Set<StructuredLoop>;
  /** Operations whose results must have their own size. */
  readonly exact: Set<Operation>;
  /** Operations that make lists → the shape of the elements. */
  readonly elements: Map<Operation, readonly number[]>;
}

const noFindings = (): Findings => ({ unrolled: new Set(), exact: new Set(), elements: new Map() });

/** Largest result that is computed while compiling rather than in every run, unless its inputs are as large. */
const foldLimit = 4096;
/** Elements evaluated while compiling at most, unless the inputs have a quarter as many: some tenths of a second for the reference backend. */
const foldWork = 2_000_000;

/** @throws UnimplementedError for handles in the place of values, and for chosen ones where the variable or table has to be known while compiling. */
const refuseHandle = ({ name, type }: Operation, handle: Tensor): never => {
  throw new UnimplementedError(
    `${type} of resources is not there: '${name}' reads ${handle.name}.\n\nMake an operation for each, and choose between them with tf.case.`,
  );
};
/** @throws UnimplementedError for handles among values of any type. */
function refuseResources(op: Operation, inputs: readonly Tensor[]): void {
  const resource = inputs.find(({ dtype }) => dtype === "resource");
  if (resource !== undefined && !Object.values(op.definition.inputs).includes("resource")) refuseHandle(op, resource);
}

/** @throws NeedsPart if values are only known while running; UnimplementedError for ops without a lowering. */
export function lower(request: LowerRequest): Program {
  const findings = noFindings();
  for (;;) {
    try {
      return lowerWith(request, findings);
    } catch (error) {
      if (error instanceof NeedsSize && !findings.exact.has(error.op)) {
        findings.exact.add(error.op);
        continue;
      }
      if (error instanceof NeedsElements) {
        if (findings.elements.has(error.op)) throw new NeedsKeeping(error.op.outputs[0]);
        findings.elements.set(error.op, error.element);
        continue;
      }
      if (error instanceof NeedsUnrolling) throw new NeedsKeeping(error);
      if (!(error instanceof NeedsUnrolled) || findings.unrolled.has(error.loop)) throw error;
      findings.unrolled.add(error.loop);
    }
  }
}

function lowerWith(request: LowerRequest, findings: Findings): Program {
  const builder = new ProgramBuilder();
  return building(builder, () => {
    const lowering = new Lowering(builder, request, findings);
    let fed = 0;
    for (const { tensor, dtype, shape, known } of request.feeds) {
      if (known !== undefined) lowering.bind(tensor, { known });
      else {
        const value = feed(String(fed++), dtype, shape);
        builder.origins.set(value, tensor.op.name);
        lowering.bind(tensor, { value });
      }
    }
    lowerAll(lowering, request);
    const results = request.fetches.map(tensor => lowering.value(request.resolve(tensor)));
    lowering.finish();
    return { steps: builder.steps, results, origins: builder.origins };
  });
}

/** Lowers the nodes. A missing value is not the end: what does not wait for it goes on, so that one cut serves for all that are missing at once.
 *  @throws NeedsPart with all of them. */
function lowerAll(lowering: Lowering, { nodes, sourcesOf }: LowerRequest): void {
  const missing: NeedsValue[] = [];
  const hosts: Operation[] = [];
  const left = new Set<LoweringNode>();
  for (const node of nodes) {
    if (left.size > 0 && sourcesOf?.(node).some(source => left.has(source))) {
      left.add(node);
      continue;
    }
    try {
      lowering.node(node);
    } catch (error) {
      const isNodes = (error instanceof NeedsValue || error instanceof NeedsHost) && error.op === node && sourcesOf !== undefined;
      if (isNodes && error instanceof NeedsValue) missing.push(error);
      else if (isNodes) hosts.push(error.op);
      else if (left.size === 0) throw error;
      left.add(node);
    }
  }
  if (left.size > 0) throw new NeedsPart(missing, hosts);
}

export class Lowering {
  readonly builder: ProgramBuilder;
  readonly request: LowerRequest;
  private readonly bindings = new Map<Tensor, Binding>();
  /** What each state holds at this point, by state id. */
  readonly current = new Map<string, StateEntry>();
  /** The shapes that states have when the run begins. */
  private readonly firstShapes = new Map<string, readonly number[]>();
  private readonly caps = new Map<Value, Cap>();
  private readonly bounds = new Map<Value, NDArray>();
  /** Lists of which nothing says yet what their elements are like, and the operations that made them. */
  private readonly openLists = new Map<Value, Operation>();
  private readonly findings: Findings;
  /** What comes out of loops that were not. */
  readonly loopExits = new Map<Tensor, StructuredLoop>();

  constructor(builder: ProgramBuilder, request: LowerRequest, findings: Findings = noFindings()) {
    this.builder = builder;
    this.request = request;
    this.findings = findings;
  }

  /** Loops that are to be unrolled. */
  get unrolled(): ReadonlySet<StructuredLoop> {
    return this.findings.unrolled;
  }

  bind(tensor: Tensor, binding: Binding): void {
    this.bindings.set(tensor, binding);
  }

  /** Makes `inner` another name of `outer`. */
  alias(inner: Tensor, outer: Tensor): void {
    this.bindings.set(inner, this.binding(outer));
    // What a case makes itself has its own name outside, too.
    if (inner !== outer) this.outerOf.set(inner, outer);
  }

  private readonly outerOf = new Map<Tensor, Tensor>();

  has(tensor: Tensor): boolean {
    return this.bindings.has(this.request.resolve(tensor));
  }

  binding(tensor: Tensor): Binding {
    const found = this.bindings.get(this.request.resolve(tensor));
    if (!found) throw new InternalError(`${tensor.name} is read before it is lowered.`);
    return found;
  }

  /** The value of a tensor; a state's handle is read at this point. @throws NeedsSize if its size is only known while running. */
  value(tensor: Tensor): Value {
    const value = this.valueOrCapped(tensor);
    const cap = this.caps.get(value);
    if (cap) throw new NeedsSize(cap.op);
    return value;
  }

  private valueOrCapped(tensor: Tensor): Value {
    const binding = this.binding(tensor);
    // Who reads a ref variable needs it to hold something, whatever becomes of the value; of a resource the value may be optimized away.
    if (binding.handle) return binding.handle.read(tensor.isRef);
    if (binding.value === undefined) {
      if (!binding.known) throw new InternalError(`${tensor.name} has neither a value nor a known array.`);
      binding.value = constant(binding.known);
    }
    return binding.value;
  }

  /** A handle as a value. */
  private handleNumber(handle: Tensor): Value {
    let source = handle;
    while (source.op.definition.isCopy) source = this.request.resolve(source.op.inputs[0]);
    return constant(NDArray.full("int32", [], source.op.id));
  }

  known(tensor: Tensor): NDArray | undefined {
    return this.binding(tensor).known;
  }

  shapeOf(tensor: Tensor): TensorShape {
    const { known, value, handle } = this.binding(tensor);
    if (tensor.dtype === "variant") return tensor.shape;
    return new TensorShape(known?.shape ?? value?.shape ?? (handle ? this.heldShape(handle) : null));
  }

  /** The shape of a state at this point. */
  private heldShape({ state }: StateHandle): readonly number[] {
    return (state.role === "variable" ? this.current.get(state.id)?.value.shape : undefined) ?? state.shape;
  }

  node(node: LoweringNode): void {
    if ("kind" in node) lowerStructured(this, node);
    else if (!node.outputs.every(output => this.request.isFed(output)) || node.outputs.length === 0) this.operation(node);
  }

  private operation(op: Operation): void {
    const { definition } = op;
    if (definition.resource && !definition.lower) return this.define(op.outputs[0], { handle: this.objectHandle(op) });
    if (this.request.isOnHost(op)) throw new NeedsHost(op);
    if (!definition.lower)
      throw new UnimplementedError(
        `Op type ${definition.type} cannot run on this backend yet (node '${op.name}').\n\nThe graph can still be built, exported, or run on a remote session. See docs/support.md for what runs.`,
        op,
      );
    const inputs = op.inputs.map(tensor => this.request.resolve(tensor));
    const folded = this.fold(op, inputs);
    if (folded) {
      op.outputs.forEach((output, i) => void this.define(output, { known: folded[i] }));
      return;
    }
    const from = this.builder.steps.length;
    const results = this.call(op, inputs);
    this.blame(op, from);
    op.outputs.forEach((output, i) => void this.define(output, this.toBinding(op, results[i])));
  }

  private define(output: Tensor, binding: Binding): void {
    if (!this.request.isFed(output)) this.bindings.set(output, binding);
  }

  private toBinding(op: Operation, result: Value | StateHandle | undefined): Binding {
    if (result === undefined) throw new InternalError(`${op.type} lowered to fewer results than it has outputs.`);
    if ("state" in result) return { handle: result };
    return { value: result, known: this.builder.constants.get(result) };
  }

  /** Calls the op's `lower` with what its record promises. */
  private call(op: Operation, inputs: readonly Tensor[]): readonly (Value | StateHandle)[] {
    const { definition } = op;
    const names = typesOf(definition, "inputs", op.attrs);
    const items = inputs.map((tensor, i): Value | StateHandle | NDArray => {
      if (definition.compileTimeInputs?.includes(names[i].name)) return this.required(op, tensor, names[i].name);
      const binding = this.binding(tensor);
      const wantsHandle = names[i].isRef || names[i].isHandle;
      if (wantsHandle && binding.handle) return binding.handle;
      if (tensor.dtype === "resource" && wantsHandle && !definition.isCopy) refuseHandle(op, tensor);
      if (tensor.dtype === "resource" && binding.handle)
        return binding.handle.state.make ? this.handleNumber(tensor) : refuseHandle(op, tensor);
      const updated = this.updatedValue(op, tensor);
      if (updated) return updated;
      return definition.isElementwise || definition.cappedInputs?.includes(names[i].name) ? this.valueOrCapped(tensor) : this.value(tensor);
    });
    const cap = definition.isElementwise ? this.capOf(items as Value[]) : undefined;
    const lists = items.filter((_, i) => names[i].dtype === "variant") as Value[];
    this.settleAlike(lists);
    let lowered: ReturnType<NonNullable<typeof definition.lower>>;
    try {
      if (definition.checks) checkShapes(op, items.map(shapeOfItem));
      lowered = definition.lower?.({ ...groupByName(definition, "inputs", op.attrs, items), ...op.attrs }, this.context(op, inputs));
    } catch (error) {
      // Shapes that were unknown while the graph was built may be what is wrong: then the shape function says so.
      if (error instanceof InternalError || error instanceof RangeError) this.outputShapes(op, inputs);
      if (error instanceof TypeError) refuseResources(op, inputs);
      throw error instanceof OpError ? blamed(error, op) : error;
    }
    this.judge(op, inputs, items);
    const results = lowered === undefined ? [] : Array.isArray(lowered) ? lowered : [lowered as Value];
    if (cap) this.caps.set(results[0] as Value, cap);
    if (lists.length > 0) this.keepOpen(op, lists, results as readonly Value[]);
    if (definition.isMonotone) this.boundMonotone(op, inputs, results[0] as Value);
    return results;
  }

  /** Shapes that were not known while the graph was built are judged now, by the shape function, where the op's own checks let them pass. */
  private judge(op: Operation, inputs: readonly Tensor[], items: readonly (Value | StateHandle | NDArray)[]): void {
    if (op.definition.isLenient) return;
    const isNews = op.inputs.some(({ shape, dtype }) => !shape.isFullyDefined && dtype !== "variant");
    if (isNews && !op.inputs.some(({ isRef }, i) => !isRef && "state" in items[i]) && !items.some(item => this.caps.has(item as Value)))
      this.outputShapes(op, inputs);
  }

  /** What a read of a ref variable stands for to an operation that waits for an update of it: a read is another name of the variable's memory, so
   *  such an operation sees the new value (averages of weights after a training step rely on it). */
  private updatedValue(op: Operation, tensor: Tensor): Value | undefined {
    const isEarlier = this.request.isEarlier?.(tensor) === true;
    if (this.current.size === 0 && !isEarlier) return undefined;
    // What the caller feeds in place of a read is no memory of a variable.
    const isGiven = (read: Tensor): boolean => this.request.isFed(read) && this.request.isEarlier?.(read) !== true;
    let source = tensor;
    // In a branch or a loop a read from outside comes under another name.
    const seen = new Set<Tensor>();
    for (let next: Tensor | undefined = source; next && !seen.has(next); ) {
      source = next;
      seen.add(source);
      const isRead = !source.isRef && source.op.definition.isCopy && !isGiven(source);
      next = this.outerOf.get(source) ?? (isRead ? this.request.resolve(source.op.inputs[0]) : undefined);
    }
    if (source === tensor || !source.isRef || !this.has(source)) return undefined;
    const { handle } = this.binding(source);
    const { state } = handle ?? {};
    const now = state && this.current.get(state.id)?.value;
    // What an earlier part of the run read it may have updated since.
    if (!isEarlier && (now === undefined || now === this.binding(tensor).value)) return undefined;
    const isUpdate = (other: Operation): boolean =>
      other.inputs.some(input => input.isRef && this.has(input) && this.binding(input).handle?.state.id === state?.id) &&
      !other.definition.isCopy;
    const sources = [...op.controlInputs, ...op.inputs.flatMap(input => [input.op, this.request.resolve(input).op])];
    if (!handle || !sources.some(waitedFor => [...this.behind(waitedFor)].some(isUpdate))) return undefined;
    // A variable that came to hold more or fewer elements has other memory; the read keeps the old one, in its shape.
    const held = handle.read();
    const shape = this.shapeOf(tensor).asNumbers();
    return sizeOf(shape) === sizeOf(held.shape) ? reshape(held, shape) : undefined;
  }

  private readonly sourcesBehind = new Map<Operation, ReadonlySet<Operation>>();

  /** An operation and all that it waits for. */
  private behind(op: Operation): ReadonlySet<Operation> {
    const known = this.sourcesBehind.get(op);
    if (known) return known;
    const found = new Set<Operation>();
    const stack = [op];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      if (found.has(next)) continue;
      found.add(next);
      // An update that an earlier part of the run made is replaced by its variable.
      stack.push(...next.controlInputs, ...next.inputs.flatMap(input => [input.op, this.request.resolve(input).op]));
    }
    this.sourcesBehind.set(op, found);
    return found;
  }

  /** An elementwise result has as many rows that count as its operands, where the others are repeated along them. */
  private capOf(operands: readonly Value[]): Cap | undefined {
    const cap = operands.map(value => this.caps.get(value)).find(found => found !== undefined);
    if (!cap) return undefined;
    const rank = Math.max(...operands.map(({ shape }) => shape.length));
    const fits = (value: Value): boolean => {
      const own = this.caps.get(value);
      const isOuter = value.shape.length === rank;
      return own ? isOuter && own.rows === cap.rows : !isOuter || value.shape[0] === 1;
    };
    if (!operands.every(fits)) throw new NeedsSize(cap.op);
    return cap;
  }

  /** Of several lists that one operation reads, all have the same elements. */
  settleAlike(lists: readonly Value[]): void {
    const settled = lists.find(list => !this.openLists.has(list));
    const op = lists.map(list => this.openLists.get(list)).find(maker => maker !== undefined);
    if (settled && op) throw new NeedsElements(op, settled.shape.slice(1));
  }

  /** What is made of an open list and is as large is one, too. */
  private keepOpen({ outputs }: Operation, [list]: readonly Value[], results: readonly Value[]): void {
    results.forEach((result, i) => {
      if (outputs[i].dtype === "variant" && sameShape(result.shape, list.shape)) this.followList(list, result);
    });
  }

  /** Makes `to` another form of the list `from`: a parameter of a loop, the result of a branch. */
  followList(from: Value, to: Value): void {
    const op = this.openLists.get(from);
    if (op && !this.openLists.has(to)) this.openLists.set(to, op);
  }

  private sharedRows(first: Tensor, second: Tensor): Value | undefined {
    const values = [this.valueOrCapped(first), this.valueOrCapped(second)];
    const [one, two] = values.map(value => this.caps.get(value));
    if (values[1].shape.length === 0 || one?.rows === two?.rows) return one?.rows;
    if (!one || !two) throw new NeedsSize((one ?? (two as Cap)).op);
    check([], () => s.eq(s.load(one.rows, []), s.load(two.rows, [])), {
      label: "equal rows",
      reads: [one.rows, two.rows],
      error: (_, read) => {
        const [a, b] = [one, two].map(({ rows }) => String(read(rows).get(0)));
        return new InvalidArgumentError(`${first.name} and ${second.name} must have the same number of rows, got ${a} and ${b}.`);
      },
    });
    return one.rows;
  }

  private boundMonotone(op: Operation, inputs: readonly Tensor[], result: Value): void {
    const limits = inputs.map(tensor => {
      const { known, value } = this.binding(tensor);
      return known ?? (value && this.bounds.get(value));
    });
    if (this.builder.constants.has(result) || limits.every((limit, i) => limit === this.known(inputs[i]))) return;
    if (limits.every(limit => limit !== undefined)) this.bounds.set(result, this.evaluate(op, inputs, limits)[0]);
  }

  private required(op: Operation, tensor: Tensor, input: string): NDArray {
    const known = this.known(tensor);
    if (known) return known;
    throw new NeedsValue(tensor, op, input);
  }

  /** The outputs, if they can be computed now and are small enough to keep. */
  private fold(op: Operation, inputs: readonly Tensor[]): NDArray[] | undefined {
    const { definition } = op;
    if (definition.stateful || inputs.length === 0 || op.outputs.length === 0) return undefined;
    if (op.outputs.some(output => output.isRef || output.isHandle || output.dtype === "variant")) return undefined;
    const known: NDArray[] = [];
    for (const tensor of inputs) {
      const binding = this.bindings.get(tensor);
      if (!binding?.known) return undefined;
      known.push(binding.known);
    }
    let shapes: TensorShape[];
    try {
      shapes = this.outputShapes(op, inputs);
    } catch {
      // What is wrong is said by the lowering, in the kernel's words.
      return undefined;
    }
    const size = shapes.reduce((sum, shape) => sum + (shape.size ?? 0), 0);
    const given = known.reduce((sum, array) => sum + array.size, 0);
    if (size > foldLimit && size > given) return undefined;
    const program = this.alone(op, inputs, known);
    if (evaluations(program) > Math.max(foldWork, 4 * given)) return undefined;
    try {
      return [...this.request.evaluate(program)];
    } catch (error) {
      if (error instanceof OpError) return undefined; // The run stops there, if it comes there.
      throw error;
    }
  }

  private evaluate(op: Operation, inputs: readonly Tensor[], values: readonly (NDArray | undefined)[]): NDArray[] {
    return [...this.request.evaluate(this.alone(op, inputs, values))];
  }

  /** The Program of one operation on known values. */
  private alone(op: Operation, inputs: readonly Tensor[], values: readonly (NDArray | undefined)[]): Program {
    const builder = new ProgramBuilder();
    return building(builder, () => {
      const inner = new Lowering(builder, this.request);
      inputs.forEach((tensor, i) => void inner.bind(tensor, { known: values[i] }));
      const results = inner.call(op, inputs);
      inner.blame(op, 0);
      return { steps: builder.steps, results: results as readonly Value[] };
    });
  }

  /** As TensorFlow's kernels call a tensor: what is fed is an argument, numbered in the order of names. */
  private runName(tensor: Tensor): string {
    const { name, op, valueIndex } = tensor;
    if (!this.request.isFed(tensor)) return valueIndex === 0 ? op.name : name;
    const names = this.request.feeds.map(feed => feed.tensor.name).sort();
    return `_arg_${op.name}_${valueIndex}_${names.indexOf(name)}`;
  }

  private context(op: Operation, inputs: readonly Tensor[]): LowerContext {
    const inputOf = (input: string, index = 0): Tensor =>
      inputs[typesOf(op.definition, "inputs", op.attrs).findIndex(({ name }) => name === input) + index];
    const lazyShapes = (): TensorShape[] => this.outputShapes(op, inputs);
    return {
      name: op.name,
      op,
      runName: input => this.runName(inputOf(input)),
      state: state => this.handle(state, op.name),
      resource: ({ state: { id, make } }) => {
        if (!make) throw new InternalError(`${id} is no object of the host.`);
        return this.request.resource({ id, make });
      },
      object: () => this.objectHandle(op),
      known: (input, index) => this.known(inputOf(input, index)),
      required: input => this.required(op, inputOf(input), input),
      get outputShapes() {
        return lazyShapes();
      },
      rows: input => this.caps.get(this.valueOrCapped(inputOf(input)))?.rows,
      sharedRows: (first, second) => this.sharedRows(inputOf(first), inputOf(second)),
      atMost: input => {
        const { value } = this.binding(inputOf(input));
        return value && this.bounds.get(value);
      },
      mayCap: !this.findings.exact.has(op),
      capped: (value, rows) => {
        this.caps.set(value, { rows, op });
        return value;
      },
      bounded: (value, limit) => {
        this.bounds.set(value, limit);
        return value;
      },
      elementShape: this.findings.elements.get(op),
      open: list => {
        this.openLists.set(list, op);
        return list;
      },
      isOpen: list => this.openLists.has(list),
      settle: (list, element) => {
        throw new NeedsElements(this.openLists.get(list) ?? op, element);
      },
      keepOnHost: () => {
        throw new NeedsKeeping(op.outputs[0]);
      },
    };
  }

  /** Output shapes from the concrete input shapes, by the op's shape function. */
  private outputShapes(op: Operation, inputs: readonly Tensor[]): TensorShape[] {
    const { definition, attrs } = op;
    const names = typesOf(definition, "inputs", attrs);
    const position = (input: string, index = 0): Tensor => inputs[names.findIndex(({ name }) => name === input) + index];
    const partial = (input: string, index?: number): PartialArray | undefined => {
      const known = this.known(position(input, index));
      return known && known.rank <= 1
        ? { shape: known.shape, values: Array.from({ length: known.size }, (_, i) => Number(known.get(i))) }
        : undefined;
    };
    const context: ShapeContext = {
      name: op.name,
      constant: (input, index) => this.known(position(input, index)),
      partial,
      scalarSize: (input, rank) => sizeFromPartial(partial(input), inputs.indexOf(position(input)), rank),
      shapeFrom: input => {
        const values = partial(input)?.values;
        return values ? new TensorShape(values.map(v => (v !== null && v >= 0 ? v : null))) : TensorShape.unknown();
      },
      handle: input => {
        const { handle } = this.binding(position(input));
        return handle && { dtype: handle.state.dtype, shape: new TensorShape(this.heldShape(handle)) };
      },
      dtype: (input, index): DType => position(input, index).dtype,
      shapeOf: input => this.shapeOf(position(input)),
    };
    const shapes = inputs.map(tensor => this.shapeOf(tensor));
    try {
      const result = definition.shape({ ...groupByName(definition, "inputs", attrs, shapes), ...attrs }, context);
      const list = result === undefined ? [] : Array.isArray(result) ? (result as TensorShape[]) : [result as TensorShape];
      return op.outputs.map((output, i) => list[i] ?? output.shape);
    } catch (error) {
      // What a shape function refuses with run-time shapes is a run-time error of TensorFlow's kernel.
      if (error instanceof ValueError) throw this.request.runtimeError(op, [error.reason, error.hint].filter(Boolean).join("\n\n"));
      throw error;
    }
  }

  // ---- states ----

  /** An object of the session as a state: a count of its changes, threaded through what reads and writes it. */
  private objectHandle(op: Operation): StateHandle {
    const object = op.definition.resource?.(op.attrs, op);
    if (!object) throw new InternalError(`${op.type} names no object of the host.`);
    return this.handle({ ...object, role: "variable", dtype: "int32", shape: [], initial: () => NDArray.zeros("int32", []) }, op.name);
  }

  private handle(given: State, reader: string): StateHandle {
    const state = given.role === "scratch" ? given : this.request.currentState(given);
    const { id } = state;
    if (!this.firstShapes.has(id)) this.firstShapes.set(id, state.shape);
    const handle: StateHandle = {
      state,
      read: isDemanded => {
        let entry = this.current.get(id);
        if (!entry) {
          const value = state.role === "scratch" ? full(state.dtype, state.shape, 0) : readState(state, reader, isDemanded);
          entry = { state, value, isWritten: false };
          this.current.set(id, entry);
        }
        return entry.value;
      },
      write: value => {
        this.assign(state, value);
        return handle;
      },
      isInitialized: () => (this.current.get(id)?.isWritten ? constant(NDArray.full("bool", [], true)) : isInitialized(state)),
    };
    return handle;
  }

  /** Makes `value` the state's value from here on. */
  assign(state: State, value: Value): void {
    const next: State = sameShape(state.shape, value.shape) ? state : { ...state, shape: value.shape };
    this.current.set(state.id, { state: next, value, isWritten: true });
  }

  /** Does a state hold something here, whatever case was taken before? Not if the session has not given it a value yet. */
  isHeld(state: State): boolean {
    return this.current.has(state.id) || state.role !== "variable" || state.initial !== undefined || this.request.isHeld?.(state) !== false;
  }

  /** The value a state has at this point. */
  stateValue(state: State): Value {
    return this.handle(state, state.id).read();
  }

  /** Writes each changed state once, after everything else. */
  finish(): void {
    for (const [id, { state, value, isWritten }] of this.current)
      if (isWritten && state.role !== "scratch")
        updateState(state, value, !sameShape(this.firstShapes.get(id) ?? state.shape, value.shape));
  }

  /** Values made since step `from` are the operation's, and errors of checks name it, as TensorFlow's do. */
  private blame(op: Operation, from: number): void {
    const { steps, origins } = this.builder;
    for (let i = from; i < steps.length; i++) {
      const step: Step = steps[i];
      for (const value of outputsOf(step)) if (!origins.has(value)) origins.set(value, op.name);
      if (step.kind !== "check") continue;
      const { failure } = step;
      steps[i] = { ...step, failure: { ...failure, error: (at, read) => blamed(failure.error(at, read), op) } };
    }
  }
}

const shapeOfItem = (item: Value | StateHandle | NDArray): readonly number[] => ("state" in item ? item.state.shape : item.shape);

/** Elements that a Program evaluates outside of branches and loops. */
const evaluations = ({ steps }: Program): number =>
  steps.reduce((sum, step) => {
    const over = "over" in step ? sizeOf(step.over) : 1;
    return sum + over * ("out" in step && step.kind !== "scatter" ? sizeOf(step.out.shape) : 1);
  }, 0);
