// Cells over sequences: dynamicRnn (a loop in the graph), staticRnn (unrolled), both in two directions, and rawRnn, where a function of the user's
// decides what comes next. Node for node as TensorFlow builds them. The cells are in layers/rnn-cell.ts.

import { pythonStr } from "../../base/python-text.ts";
import type { DType } from "../../base/dtype.ts";
import { ValueError } from "../../base/errors.ts";
import type { Dimension } from "../../base/shape.ts";
import { TensorShape } from "../../base/shape.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Operation } from "../../graph/operation.ts";
import { Tensor } from "../../graph/operation.ts";
import { staticValue } from "../../graph/static-value.ts";
import { constant, identity, rank as rankOf, shape as shapeOf, zeros } from "../../ops/array/array.ts";
import { range } from "../../ops/array/ranges.ts";
import { reverse, reverseSequence, transpose } from "../../ops/array/rearranging.ts";
import { where } from "../../ops/array/selection.ts";
import { concat, getItem, stack, unstack } from "../../ops/array/slicing.ts";
import { Assert } from "../../ops/flow/control-flow.ts";
import { cond, type Context, whileLoop } from "../../ops/flow/control-flow-contexts.ts";
import { cast } from "../../ops/math/cast.ts";
import { equal, logicalNot, logicalOr } from "../../ops/math/comparison.ts";
import { maximum, minimum } from "../../ops/math/math.ts";
import { reduceAll, reduceMax, reduceMin } from "../../ops/math/reduction.ts";
import { assertSameStructure, flatten, mapNested, type Nested, packAs } from "../../ops/flow/nested.ts";
import { add, greaterEqual, less, lessEqual, greater } from "../../ops/operators.ts";
import { TensorArray } from "../../ops/flow/tensor-array.ts";
import { assertLikeCell, batchShape, type CellLike, type CellResult, staticBatchShape, type UnitSize } from "./rnn-cell.ts";
import { type VariableScope, variableScope } from "../variables/variable-scope.ts";

interface SequenceOptions {
  readonly sequenceLength?: TensorLike | null;
  readonly dtype?: DType | null;
  /** The variable scope; "rnn" (or "bidirectional_rnn") by default. */
  readonly scope?: string | VariableScope | null;
}

interface LoopOptions {
  readonly parallelIterations?: number | null;
  readonly swapMemory?: boolean | null;
}

export interface DynamicRnnOptions extends SequenceOptions, LoopOptions {
  readonly initialState?: Nested;
  /** Inputs and outputs are [time, batch, depth] instead of [batch, time, depth]. */
  readonly timeMajor?: boolean | null;
}

export interface StaticRnnOptions extends SequenceOptions {
  readonly initialState?: Nested;
}

interface TwoStates {
  readonly initialStateFw?: Nested;
  readonly initialStateBw?: Nested;
}

const isGiven = <T>(value: T | null | undefined): value is T => value !== null && value !== undefined;

/** @throws ValueError with the text of Python's shapes. */
function atLeast(shape: TensorShape, rank: number): TensorShape {
  if (shape.dims !== null && shape.dims.length < rank) throw new ValueError(`Shape ${shape} must have rank at least ${rank}`);
  return shape;
}

/** Nothing for what counts as nothing in Python, too: an empty list. */
const given = <T>(value: T): T | undefined => (Array.isArray(value) && value.length === 0 ? undefined : value);

/** The scope of a recurrent network; outside of loops, variables are read where they are used. */
function inRnnScope<R>(scope: string | VariableScope | null | undefined, body: (opened: VariableScope) => R): R {
  return variableScope(given(scope) ?? "rnn", opened => {
    const loop = (getDefaultGraph().controlFlowContext as Context | null)?.loop ?? null;
    if (loop === null && opened.cachingDevice === null) opened.setCachingDevice(op => op.device);
    return body(opened);
  });
}

/** [batch, time, …] ↔ [time, batch, …]. */
function transposeBatchTime(x: Tensor): Tensor {
  const { shape } = x;
  const { rank } = shape;
  if (rank === null || rank < 2) return x;
  const turned = transpose(x, concat([[1, 0], range(2, rankOf(x))], 0));
  turned.setShape([shape.dim(1), shape.dim(0), ...shape.asList().slice(2)]);
  return turned;
}

function batchSizeOf(inputs: readonly Tensor[]): number | Tensor {
  for (const { shape } of inputs) {
    if (shape.rank === null) continue;
    if (shape.rank < 2) throw new ValueError(`Input tensor should have rank >= 2. Received input=${inputs[0]} of rank ${shape.rank}`);
    const batch = shape.dim(1);
    if (batch !== null) return batch;
  }
  return getItem(shapeOf(inputs[0]), 1);
}

function stateTypeOf(dtype: DType | null | undefined, state: Nested): DType {
  if (dtype) return dtype;
  const types = flatten(state).map(leaf => (leaf as Tensor).dtype);
  if (types.length === 0) throw new ValueError(`Unable to infer dtype from argument state=${String(state)}.`);
  if (types.some(type => type !== types[0]))
    throw new ValueError(
      `Argument state=${String(state)} has tensors of different inferred dtypes. Unable to infer a single representative dtype. Dtypes received: [${types.map(type => `tf.${type}`).join(", ")}]`,
    );
  return types[0];
}

function initialStateOf(cell: CellLike, state: Nested, batchSize: number | Tensor, dtype: DType | null | undefined): Nested {
  if (isGiven(state)) return state;
  if (!dtype) throw new ValueError("If no initial_state is provided, argument `dtype` must be specified");
  return cell.zeroState(batchSize, dtype);
}

/** Parts of a size: shapes and numbers are leaves. */
const sizesOf = (size: Nested): UnitSize[] => flatten(size) as UnitSize[];

// ---- one step of a batch whose sequences differ in length ----

interface StepLengths {
  readonly sequence: Tensor;
  readonly min: Tensor;
  readonly max: Tensor;
}

/** A step that leaves finished sequences as they are and gives zeros for them. */
function stepOf(
  time: Tensor | number,
  lengths: StepLengths,
  zeroOutput: Nested,
  state: Nested,
  callCell: () => CellResult,
  skipConditionals: boolean,
): CellResult {
  const flatState = flatten(state) as Tensor[];
  const flatZero = flatten(zeroOutput) as Tensor[];
  // Python turns a comparison with a number on the left around.
  const isPast = (limit: Tensor): Tensor => (typeof time === "number" ? lessEqual(limit, time) : greaterEqual(time, limit));
  const isFinished = isPast(lengths.sequence);
  const choose = (before: Tensor, after: Tensor): Tensor =>
    before.shape.rank === 0 ? after : after.graph.colocateWith(after, undefined, () => where(isFinished, before, after));
  const step = (): { outputs: Tensor[]; states: Tensor[] } => {
    const [output, newState] = callCell();
    assertSameStructure(zeroOutput, output);
    assertSameStructure(state, newState);
    return { outputs: flatten(output) as Tensor[], states: flatten(newState) as Tensor[] };
  };
  const copySome = ({ outputs, states }: { outputs: Tensor[]; states: Tensor[] }): Tensor[] => [
    ...outputs.map((output, i) => choose(flatZero[i], output)),
    ...states.map((item, i) => choose(flatState[i], item)),
  ];
  let flat: Tensor[];
  if (skipConditionals) {
    const made = step();
    flat = copySome({ outputs: made.outputs, states: made.states });
  } else {
    flat = cond(
      isPast(lengths.max),
      () => [...flatZero, ...flatState],
      () => {
        const made = step();
        const isBefore = typeof time === "number" ? greater(lengths.min, time) : less(time, lengths.min);
        return cond(
          isBefore,
          () => [...made.outputs, ...made.states],
          () => copySome(made),
          { strict: true },
        );
      },
      { strict: true },
    ) as Tensor[];
  }
  flat.forEach((tensor, i) => void tensor.setShape((i < flatZero.length ? flatZero[i] : flatState[i - flatZero.length]).shape));
  return [packAs(zeroOutput, flat.slice(0, flatZero.length)), packAs(state, flat.slice(flatZero.length))];
}

// ---- dynamicRnn ----

/** `[outputs, finalState]` of a cell over a sequence, by a loop in the graph. Inputs are [batch, time, depth] (or [time, batch, depth] with
 *  `timeMajor`), or a structure of such; so are the outputs. Where `sequenceLength` [batch] ends, outputs are zeros and the state stays.
 *  TF: tf.nn.dynamic_rnn. @throws ValueError for inputs of unknown depth, or neither an initial state nor a dtype. */
export function dynamicRnn(cell: CellLike, inputs: Nested, options: DynamicRnnOptions = {}): CellResult {
  assertLikeCell("cell", cell);
  const { dtype, timeMajor, parallelIterations } = options;
  return inRnnScope(options.scope, () => {
    let flatInput = flatten(inputs).map(input => convertToTensor(input as TensorLike));
    if (!timeMajor) flatInput = flatInput.map(transposeBatchTime);
    let sequenceLength: Tensor | null = null;
    if (isGiven(options.sequenceLength)) {
      sequenceLength = cast(options.sequenceLength, "int32");
      const { rank } = sequenceLength.shape;
      if (rank !== null && rank !== 1)
        throw new ValueError(
          `Argument sequence_length must be a vector of length batch_size. Received sequence_length=${sequenceLength} of shape: ${sequenceLength.shape}`,
        );
      sequenceLength = identity(sequenceLength, { name: "sequence_length" });
    }
    const batchSize = batchSizeOf(flatInput);
    const state = initialStateOf(cell, options.initialState, batchSize, dtype);
    if (sequenceLength !== null) {
      const lengths = sequenceLength;
      sequenceLength = getDefaultGraph().controlDependencies([assertLength(lengths, batchSize)], () =>
        identity(lengths, { name: "CheckSeqLen" }),
      );
    }
    const [outputs, finalState] = dynamicLoop(cell, packAs(inputs, flatInput), state, sequenceLength, dtype, {
      parallelIterations: given(parallelIterations) || 32,
      swapMemory: options.swapMemory ?? false,
    });
    return [timeMajor ? outputs : mapNested(outputs, output => transposeBatchTime(output as Tensor)), finalState];
  });
}

function assertLength(x: Tensor, length: number | Tensor): Operation {
  const found = shapeOf(x);
  const wanted = typeof length === "number" ? constant([length], "int32", { name: "stack" }) : stack([length]);
  return Assert(reduceAll(equal(found, wanted)), [`Expected shape for Tensor ${x.name} is `, wanted, " but saw shape: ", found]);
}

function dynamicLoop(
  cell: CellLike,
  inputs: Nested,
  initialState: Nested,
  sequenceLength: Tensor | null,
  dtype: DType | null | undefined,
  loop: { readonly parallelIterations: number; readonly swapMemory: boolean },
): CellResult {
  const flatInput = flatten(inputs) as Tensor[];
  const { outputSize } = cell;
  const outputSizes = sizesOf(outputSize);
  const timeSteps = getItem(shapeOf(flatInput[0]), 0);
  const batchSize = batchSizeOf(flatInput);
  const shapes = flatInput.map(({ shape }) => atLeast(shape, 3));
  const [knownSteps, knownBatch] = checkInputs(flatInput, shapes);
  const stateType = stateTypeOf(dtype, initialState);
  const zeroOutput = packAs(
    outputSize,
    outputSizes.map(size => zeros(batchShape(batchSize, size), stateType)),
  );
  const lengths = sequenceLength && { sequence: sequenceLength, min: reduceMin(sequenceLength), max: reduceMax(sequenceLength) };
  const time = constant(0, "int32", { name: "time" });
  const baseName = getDefaultGraph().nameScope("dynamic_rnn", scope => String(scope));
  const arrayOf = (name: string, type: DType, elementShape: TensorShape): TensorArray =>
    new TensorArray(type, { size: timeSteps, elementShape, tensorArrayName: `${baseName}${name}` });
  const outputArrays = outputSizes.map((size, i) => arrayOf(`output_${i}`, stateType, new TensorShape([knownBatch, ...dimsOf(size)])));
  const emptyInputs = flatInput.map((input, i) => arrayOf(`input_${i}`, input.dtype, input.shape.slice(1)));
  const inputArrays = emptyInputs.map((array, i) => array.unstack(flatInput[i]));
  const body = (now: Tensor, arrays: readonly TensorArray[], state: Nested): Nested => {
    const read = inputArrays.map((array, i) => {
      const input = array.read(now);
      input.setShape(shapes[i].slice(1));
      return input;
    });
    const callCell = (): CellResult => cell.apply(packAs(inputs, read), state);
    const [output, newState] = lengths ? stepOf(now, lengths, zeroOutput, state, callCell, true) : callCell();
    const written = (flatten(output) as Tensor[]).map((item, i) => arrays[i].write(now, item));
    return [add(now, 1), written, newState];
  };
  const loopBound = minimum(timeSteps, maximum(1, lengths?.max ?? timeSteps));
  const [, finalArrays, finalState] = whileLoop((now: Tensor) => less(now, loopBound), body, [time, outputArrays, initialState], {
    parallelIterations: loop.parallelIterations,
    swapMemory: loop.swapMemory,
    maximumIterations: timeSteps,
  }) as [Tensor, TensorArray[], Nested];
  const outputs = finalArrays.map(array => array.stack());
  outputs.forEach((output, i) => void output.setShape(staticBatchShape([knownSteps, knownBatch], outputSizes[i])));
  return [packAs(outputSize, outputs), finalState];
}

function checkInputs(inputs: readonly Tensor[], shapes: readonly TensorShape[]): [steps: Dimension, batch: Dimension] {
  const [steps, batch] = [shapes[0].dim(0), shapes[0].dim(1)];
  shapes.forEach((shape, i) => {
    if (!shape.slice(2).isFullyDefined)
      throw new ValueError(
        `Input size (depth of inputs) must be accessible via shape inference, but saw value None for input=${inputs[i]}.`,
      );
    if (shape.dim(0) !== steps)
      throw new ValueError(
        `Time steps is not the same for all the elements in the input in a batch. Received time steps=${shape.dim(0) ?? "None"} for input=${inputs[i]}.`,
      );
    if (shape.dim(1) !== batch)
      throw new ValueError(
        `Batch_size is not the same for all the elements in the input. Received batch size=${shape.dim(1) ?? "None"} for input=${inputs[i]}.`,
      );
  });
  return [steps, batch];
}

/** The dimensions of a size. */
function dimsOf(size: UnitSize): readonly Dimension[] {
  if (size instanceof Tensor) {
    const known = staticValue(size);
    return known ? Array.from({ length: known.size }, (_, i) => Number(known.get(i))) : [null];
  }
  if (size instanceof TensorShape) return size.asList();
  return typeof size === "number" ? [size] : size;
}

export interface BidirectionalDynamicRnnOptions extends SequenceOptions, LoopOptions, TwoStates {
  readonly timeMajor?: boolean | null;
}

/** Two cells over a sequence, one from each end: `[[outputsFw, outputsBw], [stateFw, stateBw]]`. TF: tf.nn.bidirectional_dynamic_rnn. */
export function bidirectionalDynamicRnn(
  cellFw: CellLike,
  cellBw: CellLike,
  inputs: Nested,
  options: BidirectionalDynamicRnnOptions = {},
): [outputs: [Nested, Nested], states: [Nested, Nested]] {
  assertLikeCell("cell_fw", cellFw);
  assertLikeCell("cell_bw", cellBw);
  const { scope, initialStateFw, initialStateBw, ...rest } = options;
  const { sequenceLength, timeMajor } = rest;
  const [timeAxis, batchAxis] = timeMajor ? [0, 1] : [1, 0];
  const reversed = (input: TensorLike): Tensor =>
    isGiven(sequenceLength) ? reverseSequence(input, sequenceLength, { seqAxis: timeAxis, batchAxis }) : reverse(input, [timeAxis]);
  const [[outputFw, stateFw], [outputBw, stateBw]] = variableScope(given(scope) ?? "bidirectional_rnn", () => [
    variableScope("fw", inner => dynamicRnn(cellFw, inputs, { ...rest, initialState: initialStateFw, scope: inner })),
    variableScope("bw", inner => {
      const backward = mapNested(inputs, input => reversed(input as TensorLike));
      return dynamicRnn(cellBw, backward, { ...rest, initialState: initialStateBw, scope: inner });
    }),
  ]);
  return [
    [outputFw, mapNested(outputBw, output => reversed(output as Tensor))],
    [stateFw, stateBw],
  ];
}

// ---- staticRnn ----

/** `[outputs, state]` of a cell over a list of inputs [batch, depth], unrolled: one copy of the cell's nodes for each. Past `sequenceLength` [batch]
 *  outputs are zeros and the state stays. TF: tf.nn.static_rnn. */
export function staticRnn(cell: CellLike, inputs: readonly Nested[], options: StaticRnnOptions = {}): [outputs: Nested[], state: Nested] {
  assertLikeCell("cell", cell);
  if (!Array.isArray(inputs)) throw new TypeError(`Argument \`inputs\` must be a sequence. Received: ${pythonStr(inputs)}`);
  if (inputs.length === 0) throw new ValueError("Argument `inputs` must not be empty.");
  const { dtype } = options;
  return inRnnScope(options.scope, scope => {
    const [first] = flatten(inputs[0]) as Tensor[];
    const knownBatch = first.shape.rank === 1 ? first.shape.dim(0) : batchOfSteps(flatten(inputs) as Tensor[]);
    const batchSize = knownBatch || getItem(shapeOf(first), 0);
    let state = initialStateOf(cell, options.initialState, batchSize, dtype);
    const prepared = isGiven(options.sequenceLength)
      ? staticLengths(cell, options.sequenceLength, batchSize, knownBatch, stateTypeOf(dtype, state))
      : null;
    const outputs = inputs.map((input: Nested, time) => {
      if (time > 0) scope.reuseVariables();
      const before = state;
      const callCell = (): CellResult => cell.apply(input, before);
      const [output, after] = prepared ? stepOf(time, prepared.lengths, prepared.zeroOutput, before, callCell, false) : callCell();
      state = after;
      return output as unknown;
    });
    return [outputs, state];
  });
}

/** The batch size all steps agree on. */
function batchOfSteps(inputs: readonly Tensor[]): Dimension {
  const batch = atLeast(inputs[0].shape, 2).dim(0);
  for (const input of inputs) {
    const [size, ...rest] = atLeast(input.shape, 2).asList();
    if (batch !== null && size !== null && size !== batch) throw new ValueError(`Dimensions ${batch} and ${size} are not compatible`);
    rest.forEach((d, i) => {
      if (d === null)
        throw new ValueError(`Input size (dimension ${i} of input ${input}) must be accessible via shape inference, but saw value None.`);
    });
  }
  return batch;
}

function staticLengths(
  cell: CellLike,
  given: TensorLike,
  batchSize: number | Tensor,
  knownBatch: Dimension,
  stateType: DType,
): { lengths: StepLengths; zeroOutput: Nested } {
  const converted = convertToTensor(given, { name: "sequence_length", preferredDtype: "int32" });
  const { rank } = converted.shape;
  if (rank !== null && rank !== 1)
    throw new ValueError(`Argument \`sequence_length\` must be a vector of length ${batchSize}. Received sequence_length=${converted}.`);
  const zeroOutput = packAs(
    cell.outputSize,
    sizesOf(cell.outputSize).map(size => {
      const zero = zeros(batchShape(batchSize, size), stateType);
      zero.setShape(staticBatchShape(knownBatch === null ? null : [knownBatch], size));
      return zero;
    }),
  );
  const sequence = cast(converted, "int32");
  return { lengths: { sequence, min: reduceMin(sequence), max: reduceMax(sequence) }, zeroOutput };
}

/** Keeps a state by name between runs. */
export interface StateSaver {
  state(name: string): Tensor;
  saveState(name: string, value: Tensor): Operation | Tensor;
}

export interface StateSavingRnnOptions {
  readonly sequenceLength?: TensorLike | null;
  readonly scope?: string | VariableScope | null;
}

/** staticRnn whose state comes from a saver and goes back to it before the last output is there. TF: tf.nn.static_state_saving_rnn. */
export function staticStateSavingRnn(
  cell: CellLike,
  inputs: readonly Nested[],
  stateSaver: StateSaver,
  stateName: Nested,
  options: StateSavingRnnOptions = {},
): [outputs: Nested[], state: Nested] {
  const { stateSize } = cell;
  const isList = Array.isArray(stateSize);
  if (isList !== Array.isArray(stateName))
    throw new ValueError(
      `Argument \`state_name\` should be the same type as \`cell.state_size\`. Received: state_name=${String(stateName)}, cell.state_size=${String(stateSize)}.`,
    );
  const names = flatten(stateName) as string[];
  const count = flatten(stateSize).length;
  if (names.length !== count)
    throw new ValueError(
      `Number of elements in argument \`state_name\` and \`cell.state_size\` are mismatched. Received state_name=${String(stateName)} with ${names.length} elements and cell.state_size=${String(stateSize)} with ${count} elements.`,
    );
  const initialState = packAs(
    stateSize,
    names.map(name => stateSaver.state(name)),
  );
  const [outputs, state] = staticRnn(cell, inputs, { ...options, initialState });
  const flatState = flatten(state) as Tensor[];
  const saved = names.map((name, i) => stateSaver.saveState(name, flatState[i]));
  return getDefaultGraph().controlDependencies(saved, () => {
    const last = mapNested(outputs[outputs.length - 1], output => identity(output as Tensor));
    return [
      [...outputs.slice(0, -1), last],
      packAs(
        state,
        flatState.map(item => identity(item)),
      ),
    ];
  });
}

/** A list of steps in reverse; with lengths each sequence within its own. */
function reversedSteps(steps: readonly Nested[], lengths: TensorLike | null | undefined): Nested[] {
  if (!isGiven(lengths)) return [...steps].reverse();
  const flat = steps.map(step => flatten(step) as Tensor[]);
  const columns = flat[0].map((_, k) => {
    const sequence = flat.map(row => row[k]);
    let shape = TensorShape.unknownOfRank(sequence[0].shape.rank as number);
    for (const input of sequence) shape = input.shape.mergeWith(shape);
    const turned = unstack(reverseSequence(stack(sequence), lengths, { seqAxis: 0, batchAxis: 1 }));
    for (const step of turned) step.setShape(shape);
    return turned;
  });
  return steps.map((step, t): unknown =>
    packAs(
      step,
      columns.map(column => column[t]),
    ),
  );
}

export interface StaticBidirectionalRnnOptions extends SequenceOptions, TwoStates {}

/** Two cells over a list of inputs, one from each end: `[outputs, stateFw, stateBw]`, outputs joined along their last axis.
 *  TF: tf.nn.static_bidirectional_rnn. */
export function staticBidirectionalRnn(
  cellFw: CellLike,
  cellBw: CellLike,
  inputs: readonly Nested[],
  options: StaticBidirectionalRnnOptions = {},
): [outputs: Nested[], stateFw: Nested, stateBw: Nested] {
  assertLikeCell("cell_fw", cellFw);
  assertLikeCell("cell_bw", cellBw);
  if (!Array.isArray(inputs)) throw new TypeError(`Argument \`inputs\` must be a sequence. Received: ${pythonStr(inputs)}`);
  if (inputs.length === 0) throw new ValueError("Argument `inputs` must not be empty.");
  const { dtype, sequenceLength } = options;
  const common = { dtype, sequenceLength };
  const [[outputFw, stateFw], [backward, stateBw]] = variableScope(options.scope ?? "bidirectional_rnn", () => [
    variableScope("fw", scope => staticRnn(cellFw, inputs, { ...common, initialState: options.initialStateFw, scope })),
    variableScope("bw", scope =>
      staticRnn(cellBw, reversedSteps(inputs, sequenceLength), { ...common, initialState: options.initialStateBw, scope }),
    ),
  ]);
  const outputBw = flatten(reversedSteps(backward, sequenceLength)) as Tensor[];
  const joined = (flatten(outputFw) as Tensor[]).map((forward, i) => concat([forward, outputBw[i]], 1));
  return [packAs(outputFw, joined) as Nested[], stateFw, stateBw];
}

// ---- rawRnn ----

/** What a loop function says: which sequences are finished, the next input and state, what to emit, and what to carry along. */
export type RawRnnStep = readonly [finished: Tensor, nextInput: Nested, nextState: Nested, emitOutput: Nested, loopState: Nested];
/** Called with null for everything but the time before the first step: then it gives the first input and state, and the structure of what is emitted. */
export type RawRnnFunction = (time: Tensor, cellOutput: Nested, cellState: Nested, loopState: Nested) => RawRnnStep;

export interface RawRnnOptions extends LoopOptions {
  readonly scope?: string | VariableScope | null;
}

/** A loop in which `loopFn` chooses each step's input, state and output: `[emitted TensorArrays, finalState, finalLoopState]`. TF: tf.nn.raw_rnn. */
export function rawRnn(
  cell: CellLike,
  loopFn: RawRnnFunction,
  options: RawRnnOptions = {},
): [emitted: Nested, finalState: Nested, finalLoopState: Nested] {
  assertLikeCell("cell", cell);
  if (typeof loopFn !== "function") throw new TypeError(`Argument \`loop_fn\` must be a callable. Received: ${String(loopFn)}.`);
  return inRnnScope(options.scope, () => {
    const start = constant(0, "int32");
    const [elementsFinished, firstInput, initialState, emitStructure, initialLoopState] = loopFn(start, null, null, null);
    const flatInput = flatten(firstInput) as Tensor[];
    const startLoopState: Nested = isGiven(initialLoopState) ? initialLoopState : constant(0, "int32");
    const knownBatch = flatInput[0].shape.dim(0);
    for (const { shape } of flatInput)
      if (knownBatch !== null && shape.dim(0) !== null && shape.dim(0) !== knownBatch)
        throw new ValueError(`Dimensions ${knownBatch} and ${shape.dim(0)} are not compatible`);
    const batchSize = knownBatch ?? getItem(shapeOf(flatInput[0]), 0);
    assertSameStructure(initialState, cell.stateSize);
    const state = mapNested(initialState, item => convertToTensor(item as TensorLike));
    const structure: Nested = isGiven(emitStructure) ? emitStructure : cell.outputSize;
    const emits: { size: UnitSize; dtype: DType }[] = isGiven(emitStructure)
      ? (flatten(emitStructure) as Tensor[]).map(emit => ({
          size: emit.shape.isFullyDefined ? emit.shape : shapeOf(emit),
          dtype: emit.dtype,
        }))
      : sizesOf(cell.outputSize).map(size => ({ size, dtype: (flatten(state)[0] as Tensor).dtype }));
    const arrays = packAs(
      structure,
      emits.map(
        ({ size, dtype }, i) =>
          new TensorArray(dtype, {
            dynamicSize: true,
            elementShape: new TensorShape([knownBatch, ...dimsOf(size)]),
            size: 0,
            name: `rnn_output_${i}`,
          }),
      ),
    );
    const zeroEmit = packAs(
      structure,
      emits.map(({ size, dtype }) => zeros(batchShape(batchSize, size), dtype)),
    );
    const body = (time: Tensor, finished: Tensor, input: Nested, emitted: Nested, before: Nested, loopState: Nested): Nested => {
      const [output, cellState] = cell.apply(input, before);
      assertSameStructure(before, cellState);
      assertSameStructure(cell.outputSize, output);
      const nextTime = add(time, 1);
      const [nextFinished, nextInput, nextState, emitOutput, nextLoopState] = loopFn(nextTime, output, cellState, loopState);
      assertSameStructure(before, nextState);
      assertSameStructure(input, nextInput);
      assertSameStructure(emitted, emitOutput);
      const copySome = (current: Nested, candidate: Nested): Nested => {
        const candidates = flatten(candidate) as Tensor[];
        return packAs(
          current,
          flatten(current).map((item, i) => {
            const after = candidates[i];
            if (item instanceof TensorArray || (item as Tensor).shape.rank === 0) return after;
            return after.graph.colocateWith(after, undefined, () => where(finished, item as Tensor, after));
          }),
        );
      };
      const emission = copySome(zeroEmit, emitOutput);
      const kept = copySome(before, nextState);
      const emissions = flatten(emission) as Tensor[];
      const written = packAs(
        emitted,
        (flatten(emitted) as TensorArray[]).map((array, i) => array.write(time, emissions[i])),
      );
      return [nextTime, logicalOr(finished, nextFinished), nextInput, written, kept, isGiven(nextLoopState) ? nextLoopState : loopState];
    };
    const returned = whileLoop(
      (_time: Tensor, finished: Tensor) => logicalNot(reduceAll(finished)),
      body,
      [start, elementsFinished, firstInput, arrays, state, startLoopState],
      { parallelIterations: options.parallelIterations || 32, swapMemory: options.swapMemory ?? false },
    ) as Nested[];
    const [emitted, finalState, finalLoopState] = returned.slice(-3);
    return [emitted, finalState, isGiven(initialLoopState) ? finalLoopState : null];
  });
}
