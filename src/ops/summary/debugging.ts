// What debuggers put into graphs: values passed through on the way of gradients and numbers that sum a tensor up; and what graphs ask of the machine they run on.

import { type DType, dtypeTable } from "../../base/dtype.ts";
import { InvalidArgumentError, UnimplementedError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { sizeOf, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp, type Gradients } from "../../graph/op-definition.ts";
import * as ir from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import { numbersOf } from "../array/array.ts";

// ---- passed through ----

/** Its gradient passes through one of its kind, which a debugger watches. */
export const DebugGradientIdentity = defineOp("DebugGradientIdentity", {
  inputs: { input: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type() },
  allowsUninitializedInput: true,
  shape: ({ input }) => input,
  // TensorFlow's asks for the debugger that made the node, which is Python's; without one it is refused.
  gradient: (): Gradients => {
    throw new UnimplementedError(
      "The gradient of DebugGradientIdentity belongs to the debugger that made the node: ask for gradients before debugging.",
    );
  },
  lower: ({ input }) => input,
});

/** The same for what a reference holds. */
export const DebugGradientRefIdentity = defineOp("DebugGradientRefIdentity", {
  inputs: { input: "Ref(T)" },
  outputs: { output: "Ref(T)" },
  attrs: { T: attr.type() },
  allowsUninitializedInput: true,
  shape: ({ input }) => input,
  gradient: (): Gradients => {
    throw new UnimplementedError(
      "The gradient of DebugGradientRefIdentity belongs to the debugger that made the node: ask for gradients before debugging.",
    );
  },
  lower: ({ input }) => input,
});

// ---- summed up ----

function needNumbers(input: Value, type: string): void {
  if (["string", "complex64", "complex128", "variant", "resource"].includes(input.dtype))
    throw new InvalidArgumentError(`${type} takes numbers and bool, not ${input.dtype}.`);
}

interface Bounds {
  readonly lowerBound: number;
  readonly upperBound: number;
}

/** [is initialized, elements, NaN, at most the lower bound, negative, zero, positive, at least the upper bound, least, greatest, mean, variance, type, rank,
 *  …sizes]; the four in the middle are of finite elements. */
function summaryOf(array: NDArray, { lowerBound, upperBound }: Bounds): number[] {
  const numbers = numbersOf(array);
  const [low, high] = [Math.fround(lowerBound), Math.fround(upperBound)];
  const finite = numbers.filter(Number.isFinite);
  const counts = { nan: 0, below: 0, negative: 0, zero: 0, positive: 0, above: 0 };
  for (const x of numbers) {
    if (Number.isNaN(x)) counts.nan++;
    else if (x <= low) counts.below++;
    else if (x >= high) counts.above++;
    else if (x < 0) counts.negative++;
    else if (x === 0) counts.zero++;
    else counts.positive++;
  }
  const mean = finite.reduce((sum, x) => sum + x, 0) / finite.length;
  const variance = finite.reduce((sum, x) => sum + (x - mean) ** 2, 0) / finite.length;
  const extremes = finite.reduce(
    ([least, greatest], x) => [Math.min(least, x), Math.max(greatest, x)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
  return [1, array.size, ...Object.values(counts), ...extremes, mean, variance, dtypeTable[array.dtype].number, array.rank, ...array.shape];
}

/** What a debugger wants to know of a tensor, in one vector of float64. */
export const DebugNumericSummary = defineOp("DebugNumericSummary", {
  inputs: { input: "T" },
  outputs: { output: "float64" },
  attrs: {
    T: attr.type(),
    deviceName: attr.string(""),
    tensorName: attr.string(""),
    debugUrls: attr.strings([]),
    lowerBound: attr.float(Number.NEGATIVE_INFINITY),
    upperBound: attr.float(Number.POSITIVE_INFINITY),
    muteIfHealthy: attr.bool(false),
    gatedGrpc: attr.bool(false),
  },
  allowsUninitializedInput: true,
  shape: () => TensorShape.unknown(),
  lower: ({ input, tensorName, ...bounds }) => {
    if (!/^.+:\d+$/.test(tensorName)) throw new InvalidArgumentError(`Failed to parse tensor name: "${tensorName}"`);
    needNumbers(input, "DebugNumericSummary");
    const run = ([x]: readonly NDArray[], [out]: readonly NDArray[]): void => fill(out, summaryOf(x, bounds));
    return ir.call({ name: "numericSummary", run }, [input], [{ dtype: "float64", shape: [14 + input.shape.length] }])[0];
  },
});

const fill = (out: NDArray, numbers: readonly number[]): void => {
  numbers.forEach((x, i) => void out.set(i, x));
};

const mode = { curtHealth: 2, conciseHealth: 3, fullHealth: 4, shape: 5, reducedInfNan: 8 } as const;
const shownSizes = 6;

/** One of several vectors about a tensor, by the mode of a debugger. */
export const DebugNumericSummaryV2 = defineOp("DebugNumericSummaryV2", {
  inputs: { input: "T" },
  outputs: { output: "outputDtype" },
  attrs: {
    outputDtype: attr.type(["float32", "float64"], "float32"),
    T: attr.type(),
    tensorDebugMode: attr.int(-1),
    tensorId: attr.int(-1),
  },
  shape: () => TensorShape.unknown(),
  lower: ({ input, outputDtype, tensorDebugMode, tensorId }) => {
    const find = healthOf(tensorDebugMode, tensorId, input.dtype);
    if (find === undefined) throw new UnimplementedError(`Unimplemented tensor debug mode: ${tensorDebugMode}`);
    // A float32 that has to tell ids apart.
    if (outputDtype === "float32" && tensorDebugMode !== mode.reducedInfNan && tensorId > 2 ** 24)
      throw new InvalidArgumentError(
        `DebugNumericSummaryV2Op requires tensor_id to be less than or equal to (2^${24}). Given tensor_id:${tensorId}`,
      );
    if (tensorDebugMode !== mode.shape) needNumbers(input, "DebugNumericSummaryV2");
    const length = find(NDArray.zeros("float32", [0])).length;
    const shape = { dtype: "int32", shape: [input.shape.length] } as const;
    if (tensorDebugMode === mode.shape) {
      const numbers = [tensorId, dtypeTable[input.dtype].number, shape.shape[0], sizeOf(input.shape), ...lastSizes(input.shape)];
      return ir.constant(NDArray.from(numbers, outputDtype));
    }
    const run = ([x]: readonly NDArray[], [out]: readonly NDArray[]): void => fill(out, find(x));
    return ir.call({ name: "tensorHealth", run }, [input], [{ dtype: outputDtype, shape: [length] }])[0];
  },
});

const lastSizes = (sizes: readonly number[]): number[] => {
  const last = sizes.slice(-shownSizes);
  return [...last, ...new Array<number>(shownSizes - last.length).fill(0)];
};

/** What a mode makes of a tensor; undefined for modes that there are none of. */
function healthOf(asked: number, id: number, dtype: DType): ((array: NDArray) => readonly number[]) | undefined {
  const count = (array: NDArray, is: (x: number) => boolean): number => numbersOf(array).filter(is).length;
  const isHigh = (x: number): boolean => x === Number.POSITIVE_INFINITY;
  const isLow = (x: number): boolean => x === Number.NEGATIVE_INFINITY;
  const flag = (array: NDArray, is: (x: number) => boolean, value: number): number => (count(array, is) > 0 ? value : 0);
  switch (asked) {
    case mode.curtHealth:
      return array => [id, flag(array, x => !Number.isFinite(x), 1)];
    case mode.conciseHealth:
      return array => [id, array.size, count(array, isLow), count(array, isHigh), count(array, Number.isNaN)];
    case mode.fullHealth:
      return array => [
        id,
        -1,
        dtypeTable[dtype].number,
        array.rank,
        array.size,
        ...[isLow, isHigh, Number.isNaN].map(is => count(array, is)),
        count(array, x => x < 0 && !isLow(x)),
        count(array, x => x === 0),
        count(array, x => x > 0 && !isHigh(x)),
      ];
    case mode.shape:
      return () => [];
    case mode.reducedInfNan:
      return array => [
        flag(array, isLow, Number.NEGATIVE_INFINITY),
        flag(array, isHigh, Number.POSITIVE_INFINITY),
        flag(array, Number.isNaN, Number.NaN),
      ];
  }
  return undefined;
}

// ---- the machine ----

/** A truth. */
export const Fact = defineOp("Fact", {
  inputs: {},
  outputs: { fact: "string" },
  attrs: {},
  shape: () => TensorShape.unknown(),
  lower: () => ir.constant(NDArray.from("0! == 1", "string")),
});

const scalar = new TensorShape([]);

/** Which of these kinds of devices the operation runs on, here a CPU; how many there are if it is none of them. */
export const DeviceIndex = defineOp("DeviceIndex", {
  inputs: {},
  outputs: { index: "int32" },
  attrs: { deviceNames: attr.strings() },
  stateful: true,
  shape: () => scalar,
  lower: ({ deviceNames }) => {
    const at = deviceNames.indexOf("CPU");
    return ir.constant(NDArray.full("int32", [], at < 0 ? deviceNames.length : at));
  },
});

/** Are products rounded to TensorFloat-32 on devices that have it? That is on by default, and of no consequence here. */
export const IsTensorFloat32Enabled = defineOp("IsTensorFloat32Enabled", {
  inputs: {},
  outputs: { enabled: "bool" },
  attrs: {},
  stateful: true,
  shape: () => scalar,
  lower: () => ir.constant(NDArray.full("bool", [], true)),
});
