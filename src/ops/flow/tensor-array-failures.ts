// What a TensorArray complains about, in TensorFlow's words, wherever its elements are kept.

import type { DType } from "../../base/dtype.ts";
import { InvalidArgumentError, UnimplementedError } from "../../base/errors.ts";

export const cTypeOf = (dtype: DType): string => ({ float32: "float", float64: "double", float16: "half" })[dtype as "float32"] ?? dtype;
const shapeText = (shape: readonly number[]): string => `[${shape}]`;

/** What every complaint is about. */
interface Named {
  readonly name: string;
  readonly dtype: DType;
}

export function requireWritable(array: Named, dtype: DType): void {
  if (array.dtype !== dtype)
    throw new InvalidArgumentError(`TensorArray dtype is ${cTypeOf(array.dtype)} but Op is trying to write dtype ${cTypeOf(dtype)}.`);
}

export function requireReadable(array: Named, dtype: DType): void {
  if (array.dtype !== dtype)
    throw new InvalidArgumentError(`TensorArray dtype is ${cTypeOf(array.dtype)} but Op requested dtype ${cTypeOf(dtype)}.`);
}

export const negativeSize = (): Error => new InvalidArgumentError("Size should be >= 0.");

export const wrongElement = ({ name }: Named, index: number | string, shape: readonly number[], element: string): Error =>
  new InvalidArgumentError(
    `TensorArray ${name}: Could not write to TensorArray index ${index} because the value shape is ${shapeText(shape)} which is incompatible with the TensorArray's inferred element shape: ${element} (consider setting infer_shape=False).`,
  );

export const unknownElement = ({ name }: Named, index: number | string): Error =>
  new InvalidArgumentError(
    `TensorArray ${name}: Could not read from TensorArray index ${index}.  Furthermore, the element shape is not fully defined: <unknown>.  It is possible you are working with a resizeable TensorArray and stop_gradients is not allowing the gradients to be written.  If you set the full element_shape property on the forward TensorArray, the proper all-zeros tensor will be returned instead of incurring this error.`,
  );

export const writeOutside = ({ name }: Named, index: number, size: number): Error =>
  new InvalidArgumentError(`TensorArray ${name}: Tried to write to index ${index} but array is not resizeable and size is: ${size}`);

export const readOutside = (index: number, size: number): Error =>
  new InvalidArgumentError(`Tried to read from index ${index} but array size is: ${size}`);

export const scatterOutside = (largest: number, size: number): Error =>
  new InvalidArgumentError(`Max scatter index must be < array size (${largest} vs. ${size})`);

export const emptyPack = (element: string): Error =>
  new UnimplementedError(
    `TensorArray has size zero, but element shape ${element} is not fully defined. Currently only static shapes are supported when packing zero-size TensorArrays.`,
  );

export const emptyConcat = (element: string): Error =>
  new UnimplementedError(
    `TensorArray has size zero, but element_shape_except0 ${element} is not fully defined. Currently only static shapes are supported when concatenating zero-size TensorArrays.`,
  );

export const scalarConcat = (): Error =>
  new InvalidArgumentError("Concat saw a scalar shape at index 0 but requires at least vectors.  Did you mean to call pack?");

export const scalarSplit = (): Error => new InvalidArgumentError("Expected value to be at least a vector, but received shape: []");

export const wrongLengths = (sum: number, shape: readonly number[]): Error =>
  new InvalidArgumentError(
    `Expected sum of lengths to be equal to values.shape[0], but sum of lengths is ${sum} and value's shape is: ${shapeText(shape)}`,
  );

export const wrongCount = (size: number, lengths: number): Error =>
  new InvalidArgumentError(
    `TensorArray's size is not equal to the size of lengths (${size} vs. ${lengths}), and the TensorArray is not marked as dynamically resizeable`,
  );
