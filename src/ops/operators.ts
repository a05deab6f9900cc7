// The operators of tensors: `x.add(y)`, `x.matmul(w)`, `x.less(0)`, `x.at(0, [1, null])`, under the names of Python's operators (add, truediv, mod …).
// graph/ knows no ops, so it only declares the methods (graph/tensor-operators.ts) and `attachOperators` puts them on the prototype. The doors of
// the package (index.ts, compat.ts) call it once; importing this file does nothing, so that bundlers can drop what is unused.

import type { DType } from "../base/dtype.ts";
import type { ArrayLike } from "../base/ndarray.ts";
import type { TensorLike } from "../graph/conversion.ts";
import { checkFits, convertToTensor, isAsTensor, literalType } from "../graph/conversion.ts";
import { answered } from "../graph/composite.ts";
import { Tensor } from "../graph/operation.ts";
import type { IndexSpec, TensorOperators } from "../graph/tensor-operators.ts";
import { getItem } from "./array/slicing.ts";
import { cast } from "./math/cast.ts";
import { BitwiseAnd, BitwiseOr, BitwiseXor, Invert } from "./math/bitwise.ts";
import { addNamed, FloorDiv, FloorMod, Mul, Pow, Sub, truediv as divide } from "./math/math.ts";
import { Equal, Greater, GreaterEqual, Less, LessEqual, LogicalAnd, LogicalNot, LogicalOr, NotEqual } from "./math/comparison.ts";
import { Abs, Neg } from "./math/functions.ts";
import { matmul as matrixProduct } from "./math/matrix.ts";
import { inNameScope } from "./named.ts";

/** The type of the first operand that has one for certain. */
function typeOf(x: TensorLike, y: TensorLike): DType | undefined {
  const [a, b] = [literalType(x), literalType(y)];
  return a.isCertain ? a.dtype : b.isCertain ? b.dtype : a.dtype;
}

/** A variable whose operator is called is read before the operator's own name scope opens, as in TensorFlow. */
function operands(x: TensorLike, y: TensorLike): [TensorLike, TensorLike] {
  if (isAsTensor(x)) return [convertToTensor(x), y];
  // Python then asks the tensor, which takes what fits its type.
  if (!(x instanceof Tensor) && x !== null && y instanceof Tensor && !Array.isArray(x)) checkFits(x as ArrayLike, y.dtype);
  return [x, !(x instanceof Tensor) && isAsTensor(y) ? convertToTensor(y) : y];
}

type BinaryOperator = (x: TensorLike, y: TensorLike) => Tensor;
/** An operator on its operands. */
function binary(make: BinaryOperator): BinaryOperator {
  const plain: BinaryOperator = (x, y) => make(...operands(x, y));
  const operator: BinaryOperator = (x, y) => answered(plain, [x, y], operator);
  return operator;
}
const unary =
  (make: (x: TensorLike) => Tensor) =>
  (x: TensorLike): Tensor =>
    make(isAsTensor(x) ? convertToTensor(x) : x);

// The functions behind the methods; `x` or `y` may be a number: `operators.sub(2, x)`.

const plainAdd: BinaryOperator = (x, y) => addNamed(x, y, null, "add");
export const add: BinaryOperator = (x, y) => answered(plainAdd, [x, y], add);
export const sub = binary((x, y) => Sub({ x, y }, { name: "sub" }));
/** Of bool operands int32 numbers are multiplied, as in TensorFlow's operator: another type beside them is cast, too. */
export const mul = binary((x, y) =>
  [x, y].some(each => each instanceof Tensor && each.dtype === "bool")
    ? inNameScope("mul", "mul", [x, y], scope => cast(Mul({ x: cast(x, "int32"), y: cast(y, "int32") }, scope), "bool"))
    : Mul({ x, y }, { name: "mul" }),
);
export const truediv = binary((x, y) => divide(x, y));
export const floordiv = binary((x, y) => FloorDiv({ x, y }, { name: "floordiv" }));
export const mod = binary((x, y) => FloorMod({ x, y }, { name: "mod" }));
export const pow = binary((x, y) => Pow({ x, y }, { name: "pow" }));
export const matmul = binary((x, y) => matrixProduct(x, y, { name: "matmul" }));
export const neg = unary(x => Neg({ x }));
export const abs = unary(x => Abs({ x }));
export const less = binary((x, y) => Less({ x, y }));
export const lessEqual = binary((x, y) => LessEqual({ x, y }));
export const greater = binary((x, y) => Greater({ x, y }));
export const greaterEqual = binary((x, y) => GreaterEqual({ x, y }));
export const equal = binary((x, y) => Equal({ x, y }));
export const notEqual = binary((x, y) => NotEqual({ x, y }));

/** `&`: logical for bool, bitwise for integers. */
export const and = binary((x, y) => logic("and", x, y, LogicalAnd, BitwiseAnd));
/** `|`: logical for bool, bitwise for integers. */
export const or = binary((x, y) => logic("or", x, y, LogicalOr, BitwiseOr));

/** `^`: logical for bool, bitwise for integers. */
export const xor = binary((x, y) =>
  logic("xor", x, y, (pair, scope) => LogicalAnd({ x: LogicalOr(pair), y: LogicalNot({ x: LogicalAnd(pair) }) }, scope), BitwiseXor),
);

type Pair = { x: TensorLike; y: TensorLike };
type Make = (pair: Pair, scope?: { name: string }) => Tensor;

function logic(name: string, x: TensorLike, y: TensorLike, logical: Make, bitwise: Make): Tensor {
  return inNameScope(name, name, [x, y], scope => (typeOf(x, y) === "bool" ? logical({ x, y }, scope) : bitwise({ x, y })));
}

/** `~`: logical for bool, bitwise for integers. */
export const invert = (x: TensorLike): Tensor => (typeOf(x, x) === "bool" ? LogicalNot({ x }) : Invert({ x }));

const methods: { [K in keyof TensorOperators]: (this: TensorLike, ...args: Parameters<TensorOperators[K]>) => Tensor } = {
  add(y) {
    return add(this, y);
  },
  sub(y) {
    return sub(this, y);
  },
  mul(y) {
    return mul(this, y);
  },
  div(y) {
    return truediv(this, y);
  },
  truediv(y) {
    return truediv(this, y);
  },
  floordiv(y) {
    return floordiv(this, y);
  },
  mod(y) {
    return mod(this, y);
  },
  pow(y) {
    return pow(this, y);
  },
  matmul(y) {
    return matmul(this, y);
  },
  neg() {
    return neg(this);
  },
  abs() {
    return abs(this);
  },
  less(y) {
    return less(this, y);
  },
  lessEqual(y) {
    return lessEqual(this, y);
  },
  greater(y) {
    return greater(this, y);
  },
  greaterEqual(y) {
    return greaterEqual(this, y);
  },
  equal(y) {
    return equal(this, y);
  },
  notEqual(y) {
    return notEqual(this, y);
  },
  and(y) {
    return and(this, y);
  },
  or(y) {
    return or(this, y);
  },
  xor(y) {
    return xor(this, y);
  },
  invert() {
    return invert(this);
  },
  logicalAnd(y) {
    return LogicalAnd({ x: this, y });
  },
  logicalOr(y) {
    return LogicalOr({ x: this, y });
  },
  logicalNot() {
    return LogicalNot({ x: this });
  },
  at(...spec: readonly IndexSpec[]) {
    return getItem(this, ...spec);
  },
};

/** Gives a class that stands for tensors (Tensor itself, Variable) the operators. May be called again. */
export function attachOperators(target: { readonly prototype: object } = Tensor): void {
  for (const [name, value] of Object.entries(methods))
    if (!Object.hasOwn(target.prototype, name))
      Object.defineProperty(target.prototype, name, { value, writable: true, configurable: true });
}
