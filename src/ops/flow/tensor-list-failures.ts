// What a list of tensors complains about, in TensorFlow's words, wherever its elements are kept.

import type { DType } from "../../base/dtype.ts";
import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { cTypeOf } from "./tensor-array-failures.ts";

export const wrongType = (asked: DType, held: DType): Error =>
  new InvalidArgumentError(`Invalid data types; op elements ${cTypeOf(asked)} but list elements ${cTypeOf(held)}`);

export const wrongStaticType = (asked: DType, held: DType): Error =>
  new ValueError(`Expected list with element dtype ${cTypeOf(asked)} but got list with element dtype ${cTypeOf(held)}`);

export const wrongPushedType = (asked: DType, held: DType): Error =>
  new ValueError(
    `Trying to push to list with wrong element dtype. List has type ${cTypeOf(held)} but trying to push element with type ${cTypeOf(asked)}`,
  );

/** For what pops an element, and for what reads them all. */
export const wrongReadType = (asked: DType, held: DType, isPopped: boolean): Error =>
  new ValueError(
    `Trying to read from list with wrong element dtype. List has type ${cTypeOf(held)} but ${isPopped ? "trying to push element with" : "expected"} type ${cTypeOf(asked)}`,
  );

export const wrongJoinedType = (asked: DType, held: DType): Error =>
  new ValueError(`input_a.type != element_dtype: ${cTypeOf(held)} vs. ${cTypeOf(asked)}`);

export const readOutside = (index: number, size: number): Error =>
  new InvalidArgumentError(`Trying to access element ${index} in a list with ${size} elements.`);

export const writeOutside = (index: number, size: number): Error =>
  new InvalidArgumentError(`Trying to modify element ${index} in a list with ${size} elements.`);

export const wrongItem = (item: readonly number[], element: string): Error =>
  new InvalidArgumentError(
    `Tried to set a tensor with incompatible shape at a list index. Item element shape: [${item}] list shape: ${element}`,
  );

export const wrongPushed = (item: readonly number[], element: string): Error =>
  new InvalidArgumentError(
    `Tried to append a tensor with incompatible shape to a list. Op element shape: [${item}] list shape: ${element}`,
  );

export const fullList = (size: number, most: number): Error =>
  new InvalidArgumentError(`Tried to push item into a full list list size: ${size} max_num_elements: ${most}`);

export const emptyPop = (): Error => new InvalidArgumentError("Trying to pop from an empty list.");

export const wrongCount = (expected: number, size: number): Error =>
  new InvalidArgumentError(`Operation expected a list with ${expected} elements but got a list with ${size} elements.`);

export const unsetConcat = (index: number, dims: number): Error =>
  new InvalidArgumentError(`List contains uninitialized tensor at index ${index} but leading_dims has only ${dims} elements.`);

export const gatherOutside = (index: number, size: number): Error =>
  new InvalidArgumentError(`Index ${index} out o range; list only has ${size} elements.`);

/** The same of a list whose elements' shape is not wholly declared. */
export const gatherOutsideOpen = (index: number, size: number): Error =>
  new InvalidArgumentError(`Trying to gather element ${index} in a list with ${size} elements.`);

export const scatterOutside = (index: number, size: number): Error =>
  new InvalidArgumentError(`TensorListScatter: Trying to scatter at index ${index} in list with size ${size}`);

export const negativeScatter = (): Error => new InvalidArgumentError("Indices in TensorListScatter must all be non-negative.");

export const wrongRows = (expected: number, rows: number): Error =>
  new InvalidArgumentError(`Invalid number of rows in input tensor. Expected: ${expected} Actual: ${rows}`);

export const unusedValues = (length: number, used: number): Error =>
  new InvalidArgumentError(`Unused values in tensor. Length of tensor: ${length} Values used: ${used}`);

export const sliceOutside = (from: number, to: number, length: number): Error =>
  new InvalidArgumentError(`Attempting to slice [${from}, ${to}] from tensor with length ${length}`);

export const negativeLength = (length: number): Error => new InvalidArgumentError(`Invalid value in lengths: ${length}`);

export const negativeResize = (size: number): Error =>
  new InvalidArgumentError(`TensorListSlice expects size to be non-negative. Got: ${size}`);

export const negativeReserve = (size: number): Error =>
  new InvalidArgumentError(`The num_elements to reserve must be a non negative number, but got ${size}`);
