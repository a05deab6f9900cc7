// Operations on memory, as graphs of optimizers and debuggers hold them: rows changed in a copy, fresh memory, values passed through, the time.

import { InvalidArgumentError } from "../../base/errors.ts";
import { type Complex, NDArray } from "../../base/ndarray.ts";
import { sizeOf, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp, type Gradients } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { staticValue } from "../../graph/static-value.ts";
import * as ir from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import { castScalar, s } from "../../ir/scalar.ts";
import { numbersOf } from "./array.ts";
import { type NameOption, named } from "../named.ts";
import { need } from "../arguments.ts";

// ---- rows of a copy ----

type Element = ReturnType<NDArray["get"]>;
/** What becomes of an element. */
type Change = (old: Element, added: Element) => Element;

function inplaceLower(x: Value, i: Value, v: Value, change: Change | null): Value {
  const rank = x.shape.length;
  const refuse = (reason: string): never => {
    throw new InvalidArgumentError(reason);
  };
  const count = sizeOf(i.shape);
  if (i.shape.length !== 1) refuse(`i must be a vector. [${i.shape}]`);
  if (v.shape.length !== rank) refuse(`x and v shape doesn't match (ranks differ): [${x.shape}] vs. [${v.shape}]`);
  x.shape.forEach((size, axis) => {
    if (axis > 0 && size !== v.shape[axis]) refuse(`x and v shape doesn't match at index ${axis} : [${x.shape}] vs. [${v.shape}]`);
  });
  if (change && count > 0 && (x.dtype === "bool" || x.dtype === "string")) refuse(`Unsupported data type: ${x.dtype}`);
  if (count !== v.shape[0]) refuse(`i and x shape doesn't match at index 0: [${i.shape}] vs. [${v.shape}]`);
  const rows = x.shape[0];
  const width = sizeOf(x.shape.slice(1));
  const run = ([from, at, added]: readonly NDArray[], [out]: readonly NDArray[]): void => {
    for (let k = 0; k < from.size; k++) out.set(k, from.get(k));
    numbersOf(at).forEach((index, n) => {
      // Rows are counted round and round.
      const row = ((index % rows) + rows) % rows;
      for (let k = 0; k < width; k++) {
        const [place, value] = [row * width + k, added.get(n * width + k)];
        out.set(place, change ? change(out.get(place), value) : value);
      }
    });
  };
  return ir.call({ name: "inplace", run }, [x, i, v], [x])[0];
}

const rowFields = {
  inputs: { x: "T", i: "int32", v: "T" },
  outputs: { y: "T" },
  attrs: { T: attr.type() },
  shape: ({ x }: { readonly x: TensorShape }) => x,
} as const;
const changeBy =
  (sign: 1 | -1): Change =>
  (a, b) => {
    if (typeof a === "bigint") return a + BigInt(sign) * BigInt(b as bigint);
    if (isComplexElement(a) && isComplexElement(b)) return { re: a.re + sign * b.re, im: a.im + sign * b.im };
    return Number(a) + sign * Number(b);
  };
const isComplexElement = (x: Element): x is Complex => typeof x === "object" && "re" in x;
const [plus, minus] = [changeBy(1), changeBy(-1)];

/** Rows of x replaced. */
export const InplaceUpdate = defineOp("InplaceUpdate", {
  ...rowFields,
  lower: ({ x, i, v }) => inplaceLower(x, i, v, null),
});
/** Something added to rows of x. */
export const InplaceAdd = defineOp("InplaceAdd", {
  ...rowFields,
  lower: ({ x, i, v }) => inplaceLower(x, i, v, plus),
});
/** Something subtracted from rows of x. */
export const InplaceSub = defineOp("InplaceSub", {
  ...rowFields,
  lower: ({ x, i, v }) => inplaceLower(x, i, v, minus),
});

/** A tensor whose elements may be anything: here zeros. */
export const Empty = defineOp("Empty", {
  inputs: { shape: "int32" },
  outputs: { output: "dtype" },
  attrs: { dtype: attr.type(), init: attr.bool(false) },
  stateful: true,
  compileTimeInputs: ["shape"],
  sizesFromValues: true,
  shape: (_, context) => context.shapeFrom("shape"),
  lower: ({ shape, dtype }) => {
    const sizes = numbersOf(shape);
    if (shape.rank !== 1) throw new InvalidArgumentError(`shape must be a vector of int32, got shape [${shape.shape}]`);
    for (const size of sizes) need(size >= 0, () => `Dimension ${size} must be >= 0`);
    return ir.zeros(dtype, sizes);
  },
});

// ---- passed through ----

const copyFields = {
  inputs: { input: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(), tensorName: attr.string(""), debugOpsSpec: attr.strings([]) },
  allowsUninitializedInput: true,
  shape: ({ input }: { readonly input: TensorShape }) => input,
  lower: ({ input }: { readonly input: Value }) => input,
} as const;

export const Copy = defineOp("Copy", copyFields);
export const CopyHost = defineOp("CopyHost", copyFields);

const watched = { deviceName: attr.string(""), tensorName: attr.string("") };
const debugEnd = { debugUrls: attr.strings([]), gatedGrpc: attr.bool(false) };

export const DebugIdentity = defineOp("DebugIdentity", {
  inputs: { input: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(), ...watched, ...debugEnd },
  allowsUninitializedInput: true,
  shape: ({ input }) => input,
  lower: ({ input }) => input,
});
export const DebugIdentityV2 = defineOp("DebugIdentityV2", {
  inputs: { input: "T" },
  outputs: { output: "T" },
  attrs: {
    T: attr.type(),
    tfdbgContextId: attr.string(""),
    opName: attr.string(""),
    outputSlot: attr.int(-1),
    tensorDebugMode: attr.int(-1),
    debugUrls: attr.strings([]),
    circularBufferSize: attr.int(1000),
    tfdbgRunId: attr.string(""),
  },
  stateful: true,
  gradient: (_, d): Gradients => ({ input: d.output }),
  staticValue: ({ input }) => staticValue(input),
  shape: ({ input }) => input,
  lower: ({ input }) => input,
});
export const DebugIdentityV3 = defineOp("DebugIdentityV3", {
  inputs: { input: "T" },
  outputs: { output: "T" },
  attrs: {
    T: attr.type(),
    ...watched,
    ioOfNode: attr.string(""),
    isInput: attr.bool(false),
    ioIndex: attr.int(-1),
    ...debugEnd,
  },
  stateful: true,
  allowsUninitializedInput: true,
  shape: ({ input }) => input,
  lower: ({ input }) => input,
});

/** How many elements are no number, int64 `[1]`. */
export const DebugNanCount = defineOp("DebugNanCount", {
  inputs: { input: "T" },
  outputs: { output: "int64" },
  attrs: { T: attr.type(), ...watched, ...debugEnd },
  allowsUninitializedInput: true,
  shape: () => new TensorShape([1]),
  lower: ({ input }) => {
    const axes = input.shape.map((_, axis) => axis);
    const count = ir.reduce("sum", input, axes, { f: x => castScalar(s.ne(x, x), "int64") });
    return ir.reshape(count, [1]);
  },
});

// ---- the time ----

/** Seconds since 1970, float64, anew in every run. */
export const Timestamp = defineOp("Timestamp", {
  inputs: {},
  outputs: { ts: "float64" },
  attrs: {},
  stateful: true,
  gradient: "none",
  shape: () => new TensorShape([]),
  host: () => NDArray.full("float64", [], Date.now() / 1000),
});

/** Seconds since 1970 when a run comes to it, float64. TF: tf.timestamp. */
export const timestamp = (options?: NameOption): Tensor => Timestamp({}, named(options));

/** A known value. */
export const HostConst = defineOp("HostConst", {
  inputs: {},
  outputs: { output: "dtype" },
  attrs: { value: attr.tensor(), dtype: attr.type() },
  shape: ({ value }) => new TensorShape(value.shape),
  lower: ({ value }) => ir.constant(value),
});
