// tf.nn.rnn_cell: cells compute one step, (output, state) = cell.apply(input, state). Here: the base, the plain cells, and the stack of several.
// Wrappers around cells: layers/rnn-cell-wrappers.ts; what runs a cell over a sequence: rnn.ts. Gate order, variable names and nodes are those of
// TensorFlow's own cells, so checkpoints fit.

import { type DType, isComplex, isFloating } from "../../base/dtype.ts";
import { pythonStr } from "../../base/python-text.ts";
import { NotImplementedError, ValueError, withHint } from "../../base/errors.ts";
import type { Dimension } from "../../base/shape.ts";
import { TensorShape } from "../../base/shape.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import { Tensor } from "../../graph/operation.ts";
import { staticValue } from "../../graph/static-value.ts";
import { isOptions, refuseOthers } from "../../ops/arguments.ts";
import { constant, expandDims, shape as shapeOf, zeros } from "../../ops/array/array.ts";
import { concat, getItem, slice, split } from "../../ops/array/slicing.ts";
import { add, multiply } from "../../ops/math/math.ts";
import { sigmoid, tanh } from "../../ops/math/functions.ts";
import { matmul } from "../../ops/math/matrix.ts";
import { flatten, mapNested, type Nested } from "../../ops/flow/nested.ts";
import { biasAdd } from "../../ops/nn/nn.ts";
import * as operators from "../../ops/operators.ts";

import { clipByValue } from "../../ops/math/math.ts";
import { constantInitializer, zerosInitializer } from "../variables/initializers.ts";
import { type Activation, type ActivationLike, activationOf } from "./keras-activations.ts";
import { type LayerOptions, ScopedLayer, snakeName } from "./layer-base.ts";
import {
  type CustomGetter,
  getVariableScope,
  type VariableInitializer,
  type VariableScope,
  variableScope,
} from "../variables/variable-scope.ts";
import { fixedSizePartitioner } from "../variables/partitioned-variable.ts";
import type { Variable } from "../variables/variables.ts";

/** A size of a state or an output: a number of units, or the shape without the batch. */
export type UnitSize = number | TensorShape | readonly number[] | Tensor;

/** What a cell gives for one step: its output, and the state to go on with. */
export type CellResult = [output: Nested, state: Nested];

export interface CellScope {
  /** A variable scope to make the variables in, instead of one named after the class. */
  readonly scope?: string | VariableScope | null;
}

export interface CellOptions extends Omit<LayerOptions, "scope"> {
  readonly activation?: ActivationLike | null;
}

/** An LSTM's state: `c`, the memory, and `h`, the last output; both may be given by name. A list of two with names. TF: tf.nn.rnn_cell.LSTMStateTuple.
 *  @throws TypeError if one is missing. */
export class LSTMStateTuple<T = Tensor> extends Array<T> {
  constructor(...given: [c: T, h: T] | [parts: { readonly c: T; readonly h: T }]) {
    super();
    if (given.length === 2) this.push(...given);
    else if (typeof given[0] === "object" && given[0] !== null && "c" in given[0] && "h" in given[0]) this.push(given[0].c, given[0].h);
    else throw new TypeError("LSTMStateTuple() takes 'c' and 'h'.");
  }

  // What map and slice make of a state is a plain list.
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  get c(): T {
    return this[0];
  }
  get h(): T {
    return this[1];
  }
  withItems(items: readonly unknown[]): LSTMStateTuple<unknown> {
    return new LSTMStateTuple(items[0], items[1]);
  }

  /** The type both parts have. @throws TypeError if they differ. */
  get dtype(): DType {
    const [c, h] = this as readonly { readonly dtype?: DType }[];
    if (c.dtype !== h.dtype) throw new TypeError(`Inconsistent dtypes for internal state: <dtype: '${c.dtype}'> vs <dtype: '${h.dtype}'>`);
    return c.dtype as DType;
  }

  override toString(): string {
    return `LSTMStateTuple(c=${String(this.c)}, h=${String(this.h)})`;
  }
}

/** Anything that can be run over a sequence. */
export interface CellLike {
  readonly stateSize: Nested;
  readonly outputSize: Nested;
  apply(inputs: Nested, state: Nested, options?: CellScope): CellResult;
  zeroState(batchSize: TensorLike, dtype: DType): Nested;
}

/** @throws TypeError naming what an argument lacks to be a cell. */
export function assertLikeCell(argument: string, cell: unknown): asserts cell is CellLike {
  const has = (name: string): boolean => (typeof cell === "object" || typeof cell === "function") && cell !== null && name in cell;
  const errors = [
    ...(has("outputSize") ? [] : ["'output_size' property is missing"]),
    ...(has("stateSize") ? [] : ["'state_size' property is missing"]),
    ...(has("getInitialState") || has("zeroState") ? [] : ["either 'zero_state' or 'get_initial_state' method is required"]),
    ...(has("apply") ? [] : ["is not callable"]),
  ];
  if (errors.length > 0) throw new TypeError(`The argument '${argument}' (${pythonStr(cell)}) is not an RNNCell: ${errors.join(", ")}.`);
}

/** [prefix, suffix] as a static shape and as the tensor of it; both constants are made, as TensorFlow does. */
export function batchShape(prefix: TensorLike | null, suffix: UnitSize): Tensor {
  const [p, s] = [prefix, suffix].map(shapeTensor);
  if (p === null || s === null)
    throw new ValueError(`Prefix or suffix can't be None. Received prefix = ${pythonStr(prefix)} and suffix = ${pythonStr(suffix)}`);
  return concat([p, s], 0);
}

/** The same as far as it is known while building. */
export function staticBatchShape(prefix: TensorLike | readonly Dimension[] | null, suffix: UnitSize): TensorShape {
  const [p, s] = [prefix, suffix].map(part => {
    shapeTensor(part as TensorLike);
    return staticShape(part);
  });
  return p.dims === null || s.dims === null ? TensorShape.unknown() : new TensorShape([...p.dims, ...s.dims]);
}

function shapeTensor(part: TensorLike | UnitSize | readonly Dimension[] | null): Tensor | null {
  if (typeof part === "string") return convertToTensor(new TensorShape(part as never));
  if (part instanceof Tensor) {
    const { rank } = part.shape;
    if (rank === 0) return expandDims(part, 0);
    if (rank !== 1) throw new ValueError(`Prefix tensor must be either a scalar or vector, but received tensor: ${part}`);
    return part;
  }
  const shape = staticShape(part);
  return shape.isFullyDefined ? constant([...shape.asNumbers()], "int32") : null;
}

function staticShape(part: unknown): TensorShape {
  if (part instanceof TensorShape) return part;
  if (part === null || part === undefined) return new TensorShape([null]);
  if (typeof part === "number") return new TensorShape([part]);
  if (Array.isArray(part)) return new TensorShape(part as Dimension[]);
  const known = part instanceof Tensor ? staticValue(part) : undefined;
  if (known) return new TensorShape(Array.from({ length: known.size }, (_, i) => Number(known.get(i))));
  return part instanceof Tensor && part.shape.rank === 1 ? TensorShape.unknown() : new TensorShape([null]);
}

/** Zeros for every part of a state. Lists of numbers are states of several parts; shapes are one part. */
const zeroStateTensors = (stateSize: Nested, batchSize: TensorLike, dtype: DType): Nested =>
  mapNested(stateSize, size => {
    const zero = zeros(batchShape(batchSize, size as UnitSize), dtype);
    zero.setShape(staticBatchShape(batchSize, size as UnitSize));
    return zero;
  });

/** A cell's class name: for our own the name written here (a minifier may change the class's), for subclasses theirs. */
const nameOfClass = (own: string, isOwn: boolean, target: { readonly name: string }): string => (isOwn ? own : target.name);

/** BasicLSTMCell → basic_lstm_cell. */
/** Called as a function, a cell is applied. */
export interface RNNCell {
  (named: { readonly inputs: Nested; readonly state: Nested } & CellScope): CellResult;
  (inputs: Nested, state: Nested, options?: CellScope): CellResult;
}
/** The base of all cells: what makes `[output, state]` of an input [batch, depth] and a state. Subclasses give `stateSize`, `outputSize` and
 *  `call`, where getVariable makes variables below the cell's scope. Run a cell by `apply`, which is Python's `cell(inputs, state)`.
 *  TF: tf.nn.rnn_cell.RNNCell. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the base class makes its instances callable
export abstract class RNNCell extends ScopedLayer implements CellLike {
  readonly className: string;
  /** Cells run inside this scope, where a subclass that calls getVariable makes its variables. */
  private callScope: VariableScope | null = null;
  private readonly captured: Variable[] = [];

  constructor(options: Omit<LayerOptions, "scope"> = {}, className: string = new.target.name) {
    super(snakeName(className), options);
    this.className = className;
  }

  // Not abstract for TypeScript: a subclass may say them in Python's spelling, through the other door.
  get stateSize(): Nested {
    throw withHint(new NotImplementedError("Abstract method"), `${this.className} has to say its stateSize.`);
  }

  get outputSize(): Nested {
    throw withHint(new NotImplementedError("Abstract method"), `${this.className} has to say its outputSize.`);
  }

  /** One step: `[output, newState]` for inputs [batch, depth] and the state before. */
  abstract call(inputs: Nested, state: Nested): CellResult;

  /** Runs the cell, in its variable scope; `cell(inputs, state)` does the same. */
  override apply(inputs: Nested, state: Nested, { scope, ...others }: CellScope = {}): CellResult {
    refuseOthers(others);
    const getter: CustomGetter = (make, name, options) => this.capture(make(name, options));
    if (scope !== undefined && scope !== null)
      return variableScope(scope, { customGetter: getter }, opened => this.run(inputs, state, opened));
    this.callScope ??= getVariableScope();
    return variableScope(this.callScope, { customGetter: getter }, () => this.run(inputs, state, null));
  }

  protected run(inputs: Nested, state: Nested, scope: string | VariableScope | null): CellResult {
    return this.inScope(
      graphOf(inputs),
      () => {
        if (!this.built) this.buildFor(inputs);
        const result = this.call(inputs, state);
        this.built = true;
        return result;
      },
      scope,
    );
  }

  /** A cell of a program's own makes its variables from the shape of the inputs. */
  protected buildFor(inputs: Nested): void {
    const [first] = flatten([inputs]) as Tensor[];
    this.build(convertToTensor(first).shape);
  }

  private capture(variable: Variable): Variable {
    if (!this.captured.includes(variable)) this.captured.push(variable);
    return variable;
  }

  override get weights(): readonly Variable[] {
    return [...super.weights, ...this.captured];
  }
  override get trainableVariables(): readonly Variable[] {
    return this.trainable ? this.weights.filter(({ trainable }) => trainable) : [];
  }

  /** Zeros for a state. TF: RNNCell.zero_state. */
  zeroState(batchSize: TensorLike, dtype: DType): Nested {
    return getDefaultGraph().nameScope(`${this.className}ZeroState`, () => zeroStateTensors(this.stateSize, batchSize, dtype));
  }

  /** The state to begin with: zeros for the batch of `inputs`, or for `batchSize` and `dtype`. */
  getInitialState(options: { inputs?: TensorLike | null; batchSize?: TensorLike | null; dtype?: DType | null } = {}): Nested {
    let { batchSize, dtype } = options;
    if (options.inputs !== undefined && options.inputs !== null) {
      const inputs = convertToTensor(options.inputs, { name: "inputs" });
      const batch = inputs.shape.dim(0);
      if (batchSize !== undefined && batchSize !== null) {
        const known = batchSize instanceof Tensor ? staticValue(batchSize)?.get(0) : batchSize;
        if (batch !== (known === undefined ? null : Number(known)))
          throw new ValueError(
            `batch size from input tensor is different from the input param. Input tensor batch: ${batch ?? "None"}, batch_size: ${batchSize}`,
          );
      }
      if (dtype && inputs.dtype !== dtype)
        throw new ValueError(
          `dtype from input tensor is different from the input param. Input tensor dtype: <dtype: '${inputs.dtype}'>, dtype: <dtype: '${dtype}'>`,
        );
      batchSize = batch || getItem(shapeOf(inputs), 0);
      dtype = inputs.dtype;
    }
    if (batchSize === undefined || batchSize === null || !dtype)
      throw new ValueError(
        `batch_size and dtype cannot be None while constructing initial state: batch_size=${batchSize ?? "None"}, dtype=${dtype ? `<dtype: '${dtype}'>` : "None"}`,
      );
    return this.zeroState(batchSize, dtype);
  }
}

const graphOf = (inputs: Nested) => {
  const tensor = flatten(inputs).find(leaf => leaf instanceof Tensor);
  return tensor === undefined ? getDefaultGraph() : tensor.graph;
};

function checkFloating(dtype: DType | null): void {
  if (dtype !== null && !isFloating(dtype) && !isComplex(dtype))
    throw new ValueError(`RNN cell only supports floating point inputs, but received dtype: <dtype: '${dtype}'>`);
}

/** A cell that makes its variables once, before its first step. */
abstract class LayerCell extends RNNCell {
  readonly numUnits: number;
  protected readonly activation: Activation;
  private isRunning = false;

  constructor(numUnits: number, options: CellOptions, className: string) {
    super(options, className);
    checkFloating(this.dtype);
    const { activation } = options;
    this.numUnits = numUnits;
    const isGiven = Boolean(activation) && !(Array.isArray(activation) && activation.length === 0);
    this.activation = isGiven ? activationOf(activation as ActivationLike) : tanh;
  }

  protected override buildFor(): void {}
  protected abstract makeWeights(depth: number, dtype: DType): void;
  protected abstract step(inputs: Tensor, state: Nested): CellResult;

  override get outputSize(): Nested {
    return this.numUnits;
  }

  override apply(inputs: Nested, state: Nested, { scope, ...others }: CellScope = {}): CellResult {
    refuseOthers(others);
    return this.run(convertToTensor(inputs as TensorLike), state, scope ?? null);
  }

  /** One step. Called by itself, it is the same as `apply`. */
  override call(inputs: Nested, state: Nested): CellResult {
    if (!this.isRunning) return this.apply(inputs, state);
    const input = inputs as Tensor;
    if (!this.built) {
      this.checkInput(input);
      this.makeWeights(input.shape.dim(-1) as number, this.dtype ?? input.dtype);
      this.built = true;
    } else this.checkRank(input, 2);
    for (const tensor of flatten([input, state])) checkFloating((tensor as Tensor).dtype);
    return this.step(input, state);
  }

  protected override run(inputs: Nested, state: Nested, scope: string | VariableScope | null): CellResult {
    this.isRunning = true;
    try {
      return super.run(inputs, state, scope);
    } finally {
      this.isRunning = false;
    }
  }

  private checkInput(input: Tensor): void {
    this.checkRank(input, 2);
    if (input.shape.dim(-1) === null) throw new ValueError(`Expected inputs.shape[-1] to be known, received shape: ${input.shape}`);
    checkFloating(this.dtype ?? input.dtype);
  }

  /** In `shards` parts, if there are to be some. */
  protected weight(
    name: string,
    shape: readonly number[],
    dtype: DType,
    initializer?: VariableInitializer | null,
    shards?: number | null,
  ): Variable {
    return this.addWeight(name, { shape, dtype, initializer, partitioner: shards ? fixedSizePartitioner(shards) : null });
  }
}

/** output = newState = activation([inputs, state]·kernel + bias), variables `basic_rnn_cell/{kernel,bias}`. TF: tf.nn.rnn_cell.BasicRNNCell. */
export class BasicRNNCell extends LayerCell {
  private kernel!: Variable;
  private bias!: Variable;

  constructor(numUnits: number, options: CellOptions = {}) {
    super(numUnits, options, nameOfClass("BasicRNNCell", new.target === BasicRNNCell, new.target));
  }

  override get stateSize(): Nested {
    return this.numUnits;
  }

  protected override makeWeights(depth: number, dtype: DType): void {
    this.kernel = this.weight("kernel", [depth + this.numUnits, this.numUnits], dtype);
    this.bias = this.weight("bias", [this.numUnits], dtype, zerosInitializer());
  }

  protected override step(inputs: Tensor, state: Nested): CellResult {
    const gates = biasAdd(matmul(concat([inputs, state], 1), this.kernel), this.bias);
    const output = this.activation(gates);
    return [output, output];
  }
}

export interface GRUCellOptions extends CellOptions {
  readonly kernelInitializer?: VariableInitializer | null;
  readonly biasInitializer?: VariableInitializer | null;
}

/** Gated recurrent unit: [r, u] = σ([x, h]·Wg + bg), c = activation([x, r·h]·Wc + bc), h' = u·h + (1 - u)·c; variables
 *  `gru_cell/{gates,candidate}/{kernel,bias}`, gate biases 1 at first. TF: tf.nn.rnn_cell.GRUCell. */
export class GRUCell extends LayerCell {
  private readonly initializers: GRUCellOptions;
  private gateKernel!: Variable;
  private gateBias!: Variable;
  private candidateKernel!: Variable;
  private candidateBias!: Variable;

  constructor(numUnits: number, options: GRUCellOptions = {}) {
    super(numUnits, options, nameOfClass("GRUCell", new.target === GRUCell, new.target));
    this.initializers = options;
  }

  override get stateSize(): Nested {
    return this.numUnits;
  }

  protected override makeWeights(depth: number, dtype: DType): void {
    const { numUnits } = this;
    const { kernelInitializer, biasInitializer } = this.initializers;
    this.gateKernel = this.weight("gates/kernel", [depth + numUnits, 2 * numUnits], dtype, kernelInitializer);
    this.gateBias = this.weight("gates/bias", [2 * numUnits], dtype, biasInitializer ?? constantInitializer(1));
    this.candidateKernel = this.weight("candidate/kernel", [depth + numUnits, numUnits], dtype, kernelInitializer);
    this.candidateBias = this.weight("candidate/bias", [numUnits], dtype, biasInitializer ?? zerosInitializer());
  }

  protected override step(inputs: Tensor, state: Nested): CellResult {
    const gates = sigmoid(biasAdd(matmul(concat([inputs, state], 1), this.gateKernel), this.gateBias));
    const [r, u] = split(gates, 2, 1);
    const kept = operators.mul(r, state);
    const candidate = this.activation(biasAdd(matmul(concat([inputs, kept], 1), this.candidateKernel), this.candidateBias));
    const output = operators.add(operators.mul(u, state), operators.mul(operators.sub(1, u), candidate));
    return [output, output];
  }
}

export interface BasicLSTMCellOptions extends CellOptions {
  /** Added to the forget gate, so that little is forgotten at first. Default 1. */
  readonly forgetBias?: number | null;
  /** With false the state is one tensor [batch, 2·units], c before h. */
  readonly stateIsTuple?: boolean | null;
}

/** Long short-term memory: [i, j, f, o] = [x, h]·W + b, c' = c·σ(f + forgetBias) + σ(i)·activation(j), h' = activation(c')·σ(o); variables
 *  `basic_lstm_cell/{kernel,bias}`. TF: tf.nn.rnn_cell.BasicLSTMCell. */
export class BasicLSTMCell extends LayerCell {
  private readonly forgetBias: number;
  private readonly stateIsTuple: boolean;
  private kernel!: Variable;
  private bias!: Variable;

  constructor(numUnits: number, options: BasicLSTMCellOptions = {}) {
    super(numUnits, options, nameOfClass("BasicLSTMCell", new.target === BasicLSTMCell, new.target));
    const { forgetBias, stateIsTuple } = options;
    this.forgetBias = forgetBias ?? 1;
    this.stateIsTuple = stateIsTuple ?? true;
  }

  override get stateSize(): Nested {
    return this.stateIsTuple ? new LSTMStateTuple(this.numUnits, this.numUnits) : 2 * this.numUnits;
  }

  protected override makeWeights(depth: number, dtype: DType): void {
    this.kernel = this.weight("kernel", [depth + this.numUnits, 4 * this.numUnits], dtype);
    this.bias = this.weight("bias", [4 * this.numUnits], dtype, zerosInitializer());
  }

  protected override step(inputs: Tensor, state: Nested): CellResult {
    const one = constant(1, "int32");
    const [c, h] = (this.stateIsTuple ? state : split(state as Tensor, 2, one)) as Tensor[];
    const gates = biasAdd(matmul(concat([inputs, h], 1), this.kernel), this.bias);
    const [i, j, f, o] = split(gates, 4, one);
    const forgetBias = constant(this.forgetBias, f.dtype);
    const newC = add(multiply(c, sigmoid(add(f, forgetBias))), multiply(sigmoid(i), this.activation(j)));
    const newH = multiply(this.activation(newC), sigmoid(o));
    return [newH, this.stateIsTuple ? new LSTMStateTuple(newC, newH) : concat([newC, newH], 1)];
  }
}

export interface LSTMCellOptions extends BasicLSTMCellOptions {
  /** Gates see the memory through diagonal weights `w_{f,i,o}_diag`. */
  readonly usePeepholes?: boolean | null;
  /** The memory is kept within ±cellClip. */
  readonly cellClip?: number | null;
  readonly initializer?: VariableInitializer | null;
  /** Outputs are projected to this many units by `projection/kernel`. */
  readonly numProj?: number | null;
  readonly projClip?: number | null;
  /** Into how many parts the kernel is cut, and that of the projection. */
  readonly numUnitShards?: number | null;
  readonly numProjShards?: number | null;
}

/** Long short-term memory with optional peepholes, clipping and projection; gates as in BasicLSTMCell, variables `lstm_cell/…`. TF: tf.nn.rnn_cell.LSTMCell. */
export class LSTMCell extends LayerCell {
  private readonly options: LSTMCellOptions;
  private kernel!: Variable;
  private bias!: Variable;
  private peepholes: Variable[] = [];
  private projection: Variable | null = null;

  constructor(numUnits: number, options: LSTMCellOptions = {}) {
    super(numUnits, options, nameOfClass("LSTMCell", new.target === LSTMCell, new.target));
    this.options = options;
  }

  private get isTuple(): boolean {
    return this.options.stateIsTuple ?? true;
  }
  override get outputSize(): Nested {
    return this.options.numProj || this.numUnits;
  }
  override get stateSize(): Nested {
    const size = this.outputSize as number;
    return this.isTuple ? new LSTMStateTuple(this.numUnits, size) : this.numUnits + size;
  }

  protected override makeWeights(depth: number, dtype: DType): void {
    const { numUnits } = this;
    const { initializer, usePeepholes, numProj, numUnitShards, numProjShards } = this.options;
    this.kernel = this.weight("kernel", [depth + (numProj ?? numUnits), 4 * numUnits], dtype, initializer, numUnitShards);
    this.bias = this.weight("bias", [4 * numUnits], dtype, zerosInitializer());
    if (usePeepholes) this.peepholes = ["f", "i", "o"].map(gate => this.weight(`w_${gate}_diag`, [numUnits], dtype, initializer));
    if (numProj !== null && numProj !== undefined)
      this.projection = this.weight("projection/kernel", [numUnits, numProj], dtype, initializer, numProjShards);
  }

  protected override step(inputs: Tensor, state: Nested): CellResult {
    const { numUnits, activation } = this;
    const { cellClip, projClip, numProj, forgetBias } = this.options;
    const [cBefore, mBefore] = (
      this.isTuple
        ? state
        : [slice(state as Tensor, [0, 0], [-1, numUnits]), slice(state as Tensor, [0, numUnits], [-1, numProj ?? numUnits])]
    ) as Tensor[];
    const { add: plus, mul: times } = operators;
    const gates = biasAdd(matmul(concat([inputs, mBefore], 1), this.kernel), this.bias);
    const [i, j, f, o] = split(gates, 4, 1);
    const [forPast, forInput, forOutput] = this.peepholes;
    const forget = plus(f, forgetBias ?? 1);
    let c: Tensor;
    if (forPast) {
      const kept = times(sigmoid(plus(forget, times(forPast, cBefore))), cBefore);
      c = plus(kept, times(sigmoid(plus(i, times(forInput, cBefore))), activation(j)));
    } else {
      const kept = times(sigmoid(forget), cBefore);
      c = plus(kept, times(sigmoid(i), activation(j)));
    }
    if (cellClip !== null && cellClip !== undefined) c = clipByValue(c, -cellClip, cellClip) as Tensor;
    let m = times(sigmoid(forOutput ? plus(o, times(forOutput, c)) : o), activation(c));
    if (this.projection) {
      m = matmul(m, this.projection);
      if (projClip !== null && projClip !== undefined) m = clipByValue(m, -projClip, projClip) as Tensor;
    }
    return [m, this.isTuple ? new LSTMStateTuple(c, m) : concat([c, m], 1)];
  }
}

export interface MultiRNNCellOptions {
  /** With false the states are one tensor, joined along its columns. */
  readonly stateIsTuple?: boolean | null;
}

const isNested = (value: unknown): boolean => Array.isArray(value) || isOptions(value);

/** Cells one upon the other: each takes the output of the one before. The state is the list of their states. Variables are below
 *  `multi_rnn_cell/cell_0` and so on. TF: tf.nn.rnn_cell.MultiRNNCell. */
export class MultiRNNCell extends RNNCell {
  readonly cells: readonly CellLike[];
  private readonly stateIsTuple: boolean;
  private isRunning = false;

  constructor(cells: readonly CellLike[], { stateIsTuple, ...others }: MultiRNNCellOptions = {}) {
    refuseOthers(others);
    super({}, nameOfClass("MultiRNNCell", new.target === MultiRNNCell, new.target));
    if (!cells || (Array.isArray(cells) && cells.length === 0)) throw new ValueError("Must specify at least one cell for MultiRNNCell.");
    if (!Array.isArray(cells)) throw new TypeError(`cells must be a list or tuple, but received: ${pythonStr(cells)}.`);
    this.cells = cells;
    this.stateIsTuple = stateIsTuple ?? true;
    if (!this.stateIsTuple && cells.some(cell => isNested(cell.stateSize)))
      throw new ValueError(
        `Some cells return tuples of states, but the flag state_is_tuple is not set. State sizes are: [${cells.map(cell => String(cell.stateSize)).join(", ")}]`,
      );
  }

  override get stateSize(): Nested {
    if (this.stateIsTuple) return this.cells.map(cell => cell.stateSize as unknown);
    return this.cells.reduce((sum, cell) => sum + (cell.stateSize as number), 0);
  }
  override get outputSize(): Nested {
    return this.cells[this.cells.length - 1].outputSize;
  }

  override zeroState(batchSize: TensorLike, dtype: DType): Nested {
    return getDefaultGraph().nameScope(`${this.className}ZeroState`, () =>
      this.stateIsTuple ? this.cells.map(cell => cell.zeroState(batchSize, dtype) as unknown) : super.zeroState(batchSize, dtype),
    );
  }

  override get weights(): readonly Variable[] {
    return this.cells.flatMap(cell => (cell instanceof ScopedLayer ? cell.variables : []));
  }

  protected override run(inputs: Nested, state: Nested, scope: string | VariableScope | null): CellResult {
    this.isRunning = true;
    try {
      return super.run(inputs, state, scope);
    } finally {
      this.isRunning = false;
    }
  }

  override call(inputs: Nested, state: Nested): CellResult {
    if (!this.isRunning) return this.apply(inputs, state);
    let position = 0;
    let current = inputs;
    const newStates = this.cells.map((cell, i) =>
      variableScope(`cell_${i}`, (): unknown => {
        let own: Nested;
        if (this.stateIsTuple) {
          if (!isNested(state))
            throw new ValueError(`Expected state to be a tuple of length ${this.cells.length}, but received: ${String(state)}`);
          own = state[i];
        } else {
          own = slice(state as Tensor, [0, position], [-1, cell.stateSize as number]);
          position += cell.stateSize as number;
        }
        const [output, newState] = cell.apply(current, own);
        current = output;
        return newState;
      }),
    );
    return [current, this.stateIsTuple ? newStates : concat(newStates as Tensor[], 1)];
  }
}
