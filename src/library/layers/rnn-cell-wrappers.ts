// Cells around cells: dropout, residual connections, placement. A wrapper makes no variables and opens no scope of its own.

import { type DType, isDType, noDtype } from "../../base/dtype.ts";
import { pythonStr } from "../../base/python-text.ts";
import { ValueError } from "../../base/errors.ts";
import { md5 } from "../../base/md5.ts";
import { NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { DeviceFunction } from "../../graph/device.ts";
import { Tensor } from "../../graph/operation.ts";
import { staticValue } from "../../graph/static-value.ts";
import { concat } from "../../ops/array/slicing.ts";
import { divide } from "../../ops/math/math.ts";
import { floor } from "../../ops/math/functions.ts";
import { assertSameStructure, flatten, mapNested, type Nested, packAs } from "../../ops/flow/nested.ts";
import { dropout } from "../../ops/nn/nn.ts";
import { add, mul, sub } from "../../ops/operators.ts";
import { randomUniform } from "../../ops/random/random.ts";
import { TensorArray } from "../../ops/flow/tensor-array.ts";
import { assertLikeCell, type CellLike, type CellResult, type CellScope, LSTMStateTuple, RNNCell, type UnitSize } from "./rnn-cell.ts";
import type { Variable } from "../variables/variables.ts";
import { ScopedLayer } from "./layer-base.ts";
import { refuseOthers } from "../../ops/arguments.ts";

abstract class CellWrapper extends RNNCell {
  readonly cell: CellLike;

  constructor(cell: CellLike, className: string, options: object = {}) {
    super(options, className);
    assertLikeCell("cell", cell);
    this.cell = cell;
  }

  override get stateSize(): Nested {
    return this.cell.stateSize;
  }
  override get outputSize(): Nested {
    return this.cell.outputSize;
  }
  override get weights(): readonly Variable[] {
    return this.cell instanceof ScopedLayer ? this.cell.variables : [];
  }

  override zeroState(batchSize: TensorLike, dtype: DType): Nested {
    return getDefaultGraph().nameScope(`${this.className}ZeroState`, () => this.cell.zeroState(batchSize, dtype));
  }

  override call(inputs: Nested, state: Nested): CellResult {
    return this.apply(inputs, state);
  }

  abstract override apply(inputs: Nested, state: Nested, options?: CellScope): CellResult;
}

/** Which parts of a state dropout reaches: true or false for a part and all below it, or one of them for each item of a list. */
export type DropoutStateFilter = (state: Nested) => boolean | readonly boolean[];

export interface DropoutWrapperOptions {
  /** Probabilities to keep an element of the input, the state and the output; 1 leaves it out. */
  readonly inputKeepProb?: TensorLike;
  readonly outputKeepProb?: TensorLike;
  readonly stateKeepProb?: TensorLike;
  /** Drops the same elements at every step; needs `dtype`, and `inputSize` where inputs are dropped. */
  readonly variationalRecurrent?: boolean | null;
  readonly inputSize?: Nested;
  readonly dtype?: DType | null;
  readonly seed?: number | bigint | null;
  readonly dropoutStateFilterVisitor?: DropoutStateFilter | null;
}

type Part = "input" | "state" | "output";

/** Dropout on a cell's inputs, outputs and states (of an LSTM's state on h only). TF: tf.nn.rnn_cell.DropoutWrapper.
 *  @throws ValueError for probabilities outside [0, 1]. */
export class DropoutWrapper extends CellWrapper {
  private readonly keep: Readonly<Record<Part, number | Tensor>>;
  private readonly noise: { readonly [K in Part]?: Nested } | null;
  private readonly seed: number | bigint | null;
  private readonly filter: DropoutStateFilter;

  constructor(cell: CellLike, options: DropoutWrapperOptions = {}) {
    const { inputKeepProb = 1, stateKeepProb = 1, outputKeepProb = 1, dropoutStateFilterVisitor: filter } = options;
    if (options.dtype && !isDType(options.dtype)) throw noDtype(options.dtype);
    super(cell, new.target === DropoutWrapper ? "DropoutWrapper" : new.target.name, options);
    if (filter && typeof filter !== "function")
      throw new TypeError(`dropout_state_filter_visitor must be callable. Received: ${pythonStr(filter)}`);
    this.filter = filter ?? defaultFilter;
    this.seed = options.seed ?? null;
    const graph = getDefaultGraph();
    this.keep = graph.nameScope("DropoutWrapperInit", () => ({
      input: probability("input_keep_prob", inputKeepProb),
      state: probability("state_keep_prob", stateKeepProb),
      output: probability("output_keep_prob", outputKeepProb),
    }));
    this.noise = options.variationalRecurrent ? this.recurrentNoise(options) : null;
  }

  get wrappedCell(): CellLike {
    return this.cell;
  }

  private recurrentNoise({ dtype, inputSize }: DropoutWrapperOptions): { readonly [K in Part]?: Nested } {
    if (!dtype) throw new ValueError("When variational_recurrent=True, dtype must be provided");
    const noiseOf = (part: Part, sizes: Nested): Nested => {
      let i = 0;
      const make = (size: UnitSize): Tensor => {
        const dims = size instanceof TensorShape ? [...size.asNumbers()] : [size as number].flat();
        return randomUniform(concat([NDArray.from([1], "int32"), NDArray.from(dims, "int32")], 0), {
          seed: this.partSeed(part, i++),
          dtype,
        });
      };
      return mapNested(sizes, size => make(size as UnitSize));
    };
    const { input } = this.keep;
    if (input !== 1 && (inputSize === null || inputSize === undefined))
      throw new ValueError("When variational_recurrent=True and input_keep_prob < 1.0 or is unknown, input_size must be provided");
    return {
      ...(input !== 1 && { input: noiseOf("input", sizesOf(inputSize)) }),
      state: noiseOf("state", this.cell.stateSize),
      output: noiseOf("output", this.cell.outputSize),
    };
  }

  /** Every place has its own seed, made of the wrapper's. */
  private partSeed(part: Part, index: number): number | undefined {
    if (this.seed === null) return undefined;
    return Number.parseInt(md5(`${this.seed}${part}_${index}`).slice(0, 8), 16) & 0x7fffffff;
  }

  private drop(part: Part, values: Nested, filter: Nested = values): Nested {
    const keep = this.keep[part];
    if (keep === 1) return values;
    let next = 0;
    const visit = (choice: Nested, value: Nested, noise: Nested): Nested => {
      if (Array.isArray(choice)) {
        const items = choice.map((item, i): unknown => visit(item, value[i], noise?.[i]));
        return value instanceof LSTMStateTuple ? value.withItems(items) : items;
      }
      const index = next++;
      if (choice === false) return value;
      return this.noise === null
        ? dropout(value as Tensor, { rate: keep instanceof Tensor ? sub(1, keep) : 1 - keep, seed: this.partSeed(part, index) })
        : dropBy(value as Tensor, noise as Tensor, keep);
    };
    return visit(filter, values, this.noise?.[part]);
  }

  override apply(inputs: Nested, state: Nested, options: CellScope = {}): CellResult {
    const [output, newState] = this.cell.apply(this.drop("input", inputs), state, options);
    const kept = this.keep.state === 1 ? newState : this.drop("state", newState, traversed(this.filter, newState));
    return [this.drop("output", output), kept];
  }
}

/** Shapes in a structure: a list of numbers is one. */
const sizesOf = (size: Nested): Nested => (Array.isArray(size) && size.every(d => typeof d === "number") ? new TensorShape(size) : size);

/** A probability that is known as a number, another as a tensor. */
function probability(name: string, value: TensorLike): number | Tensor {
  const tensor = convertToTensor(value);
  const known = staticValue(tensor);
  if (known === undefined) return tensor;
  const given = typeof value === "number" ? value : Number(known.get(0));
  if (given < 0 || given > 1) throw new ValueError(`Parameter ${name} must be between 0 and 1. Received ${given}`);
  return Number(known.get(0));
}

/** Elements where keep + noise reaches 1 stay, scaled up. */
function dropBy(value: Tensor, noise: Tensor, keep: number | Tensor): Tensor {
  const isKept = floor(add(keep, noise));
  const kept = mul(divide(value, keep), isKept);
  kept.setShape(value.shape);
  return kept;
}

const defaultFilter: DropoutStateFilter = state => (state instanceof LSTMStateTuple ? [false, true] : !(state instanceof TensorArray));

/** The filter's answers for a whole state. */
function traversed(filter: DropoutStateFilter, state: Nested): Nested {
  const answer = filter(state);
  if (!Array.isArray(state)) return answer;
  if (answer === false) return false;
  if (answer === true) return state.map((item): unknown => traversed(filter, item));
  return state.map((item, i) => (answer[i] ? filter(item) : false));
}

export interface ResidualWrapperOptions {
  /** Joins inputs and outputs; default: their sum. */
  readonly residualFn?: ((inputs: Nested, outputs: Nested) => Nested) | null;
}

/** Adds a cell's inputs to its outputs. TF: tf.nn.rnn_cell.ResidualWrapper. */
export class ResidualWrapper extends CellWrapper {
  private readonly residual: (inputs: Nested, outputs: Nested) => Nested;

  constructor(cell: CellLike, { residualFn, ...others }: ResidualWrapperOptions = {}) {
    refuseOthers(others);
    super(cell, new.target === ResidualWrapper ? "ResidualWrapper" : new.target.name, { residualFn });
    this.residual = residualFn ?? sumOf;
  }

  override apply(inputs: Nested, state: Nested, options: CellScope = {}): CellResult {
    const [output, newState] = this.cell.apply(inputs, state, options);
    return [this.residual(inputs, output), newState];
  }
}

function sumOf(inputs: Nested, outputs: Nested): Nested {
  assertSameStructure(inputs, outputs);
  const [left, right] = [flatten(inputs), flatten(outputs)] as [Tensor[], Tensor[]];
  left.forEach((input, i) => {
    if (!input.shape.isCompatibleWith(right[i].shape)) throw new ValueError(`Shapes ${input.shape} and ${right[i].shape} are incompatible`);
  });
  return packAs(
    outputs,
    left.map((input, i) => add(input, right[i])),
  );
}

/** A cell on a device of its own. TF: tf.nn.rnn_cell.DeviceWrapper. */
export class DeviceWrapper extends CellWrapper {
  private readonly place: string | DeviceFunction | null;

  constructor(cell: CellLike, device: string | DeviceFunction | null) {
    super(cell, new.target === DeviceWrapper ? "DeviceWrapper" : new.target.name, { device });
    this.place = device;
  }

  override zeroState(batchSize: TensorLike, dtype: DType): Nested {
    const graph = getDefaultGraph();
    return graph.nameScope(`${this.className}ZeroState`, () => graph.device(this.place, () => this.cell.zeroState(batchSize, dtype)));
  }

  override apply(inputs: Nested, state: Nested, options: CellScope = {}): CellResult {
    return getDefaultGraph().device(this.place, () => this.cell.apply(inputs, state, options));
  }
}
