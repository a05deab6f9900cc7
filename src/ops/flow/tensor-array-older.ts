// TensorArrays of graphs before version 26, whose handles are strings: references up to version 15, plain ones after that. Each op is its newer one
// with another signature. An array came without a flow then, and its elements were stacked and unstacked by ops of their own.

import type { DType } from "../../base/dtype.ts";
import { InvalidArgumentError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import { type OpDefinition, renameOp, type StateHandle, type UntypedOp } from "../../graph/op-definition.ts";
import { constant } from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import {
  TensorArrayCloseV3,
  TensorArrayConcatV3,
  TensorArrayGatherV3,
  TensorArrayGradV3,
  TensorArrayReadV3,
  TensorArrayScatterV3,
  TensorArraySizeV3,
  TensorArraySplitV3,
  TensorArrayV3,
  TensorArrayWriteV3,
} from "./tensor-array.ts";
import { elementsOf } from "./tensor-array-elements.ts";
import { gatherElements, isDynamicArray, scatterElements, sizeOfArray } from "./tensor-array-memory.ts";

type Changes = Partial<OpDefinition>;
const handles: readonly string[] = ["handle", "gradHandle"];

const withHandles = (specs: Readonly<Record<string, string>>, type: string): Record<string, string> =>
  Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, handles.includes(name) ? type : spec]));

const { identicalElementShapes: _, ...arrayAttrs } = TensorArrayV3.attrs;
const handleShape = new TensorShape([2]);
/** What makes an array gives its handle alone, and is stateful; the others are not. */
const array: Changes = { outputs: { handle: "" }, attrs: arrayAttrs, holds: undefined, stateful: true, shape: () => handleShape };
const gradient: Changes = { outputs: { gradHandle: "" }, stateful: true, shape: () => handleShape };

const older = (type: string, of: OpDefinition, handle: string, changes: Changes): UntypedOp =>
  renameOp(type, of, {
    gradient: of.gradient,
    stateful: false,
    handles,
    ...changes,
    inputs: withHandles(changes.inputs ?? of.inputs, handle),
    outputs: withHandles(changes.outputs ?? of.outputs, handle),
  });

// ---- plain strings ----

const byName = (of: OpDefinition, changes: Changes = {}): UntypedOp =>
  older(of.type.replace(/V3$/, "V2"), of, "string", { removed: [26, `Use ${of.type}`], ...changes });

export const TensorArrayV2 = byName(TensorArrayV3, array);
export const TensorArrayGradV2 = byName(TensorArrayGradV3, gradient);
export const TensorArrayWriteV2 = byName(TensorArrayWriteV3);
export const TensorArrayReadV2 = byName(TensorArrayReadV3);
export const TensorArrayGatherV2 = byName(TensorArrayGatherV3, { shape: () => TensorShape.unknown() });
export const TensorArrayScatterV2 = byName(TensorArrayScatterV3);
/** The only one that TensorFlow still builds. */
export const TensorArrayConcatV2 = byName(TensorArrayConcatV3, { removed: undefined });
export const TensorArraySplitV2 = byName(TensorArraySplitV3);
export const TensorArraySizeV2 = byName(TensorArraySizeV3);
export const TensorArrayCloseV2 = byName(TensorArrayCloseV3);

// ---- references to strings; no shape is known while the graph is built ----

const byRef = (of: OpDefinition, changes: Changes = {}, type = of.type.replace(/V3$/, "")): UntypedOp =>
  older(type, of, "Ref(string)", {
    removed: [16, `Use ${of.type}`],
    ...changes,
    shape: () => Object.keys(changes.outputs ?? of.outputs).map(() => TensorShape.unknown()),
  });

export const TensorArray = byRef(TensorArrayV3, array);
const grad = byRef(TensorArrayGradV3, gradient);
/** Takes a plain string for the array, and gives a reference. */
export const TensorArrayGrad = renameOp(grad.type, grad, { inputs: withHandles(grad.inputs, "string"), gradient: grad.gradient });
export const TensorArrayWrite = byRef(TensorArrayWriteV3);
export const TensorArrayRead = byRef(TensorArrayReadV3);
export const TensorArrayGather = byRef(TensorArrayGatherV3);
export const TensorArrayScatter = byRef(TensorArrayScatterV3, { removed: [19, "Use TensorArrayGradV3"] });
export const TensorArrayConcat = byRef(TensorArrayConcatV3, { removed: [16, "Use TensorArrayGradV3"] });
export const TensorArraySplit = byRef(TensorArraySplitV3);
export const TensorArraySize = byRef(TensorArraySizeV3);
export const TensorArrayClose = byRef(TensorArrayCloseV3);

// ---- all elements at once ----

const upTo = (count: number): number[] => Array.from({ length: count }, (_, k) => k);
const indicesOf = (all: readonly number[]): Value => constant(NDArray.from([...all], "int32", [all.length]));
const knownDims = (shape: TensorShape): readonly number[] | undefined => (shape.isFullyDefined ? shape.asNumbers() : undefined);

/** All elements as one tensor. */
export const TensorArrayPack = byRef(
  TensorArrayGatherV3,
  {
    inputs: { handle: "", flowIn: "float32" },
    removed: [16, "Use TensorArrayGatherV3 with RangeOp"],
    gradient: undefined,
    checks: undefined,
    lower: ({ handle, dtype, elementShape }: PackRecord<StateHandle>, context) => {
      const all = upTo(sizeOfArray(handle));
      return gatherElements(handle, indicesOf(all), all, dtype, knownDims(elementShape), context);
    },
    onHost: ({ handle, dtype, elementShape }: PackRecord<object>) => {
      const elements = elementsOf(handle);
      return [elements.gather(upTo(elements.size), dtype, elementShape)];
    },
  },
  "TensorArrayPack",
);

/** The rows of a tensor become the elements, as many as there are. */
export const TensorArrayUnpack = byRef(
  TensorArrayScatterV3,
  {
    inputs: { handle: "", value: "T", flowIn: "float32" },
    removed: [20, "Use TensorArrayScatterV3 with RangeOp"],
    gradient: undefined,
    checks: undefined,
    lower: ({ handle, value, flowIn }: UnpackRecord<StateHandle, Value>, context) => {
      const all = upTo(rowsFor(value.shape, sizeOfArray(handle), isDynamicArray(handle)));
      scatterElements(handle, indicesOf(all), all, value, context);
      return flowIn;
    },
    onHost: ({ handle, value, flowIn }: UnpackRecord<object, NDArray>) => {
      const elements = elementsOf(handle);
      elements.scatter(upTo(rowsFor(value.shape, elements.size, elements.isDynamic)), value);
      return [flowIn];
    },
  },
  "TensorArrayUnpack",
);

interface PackRecord<Handle> {
  readonly handle: Handle;
  readonly dtype: DType;
  readonly elementShape: TensorShape;
}

interface UnpackRecord<Handle, Item> {
  readonly handle: Handle;
  readonly value: Item;
  readonly flowIn: Item;
}

function rowsFor(shape: readonly number[], size: number, isDynamic: boolean): number {
  if (shape.length === 0) throw new InvalidArgumentError("Input value for unpack must be at least a vector but received shape: []");
  const [rows] = shape;
  if (rows === size || (isDynamic && rows > size)) return rows;
  throw new InvalidArgumentError(`Input value must have first dimension equal to the array size (${rows} vs. ${size})`);
}
