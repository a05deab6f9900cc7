// What the entries of tf.data's nodes share: attributes, and values of small inputs.

import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { decodeText, type NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { DatasetArray, type HostDataset } from "./host-dataset.ts";

const scalar = new TensorShape([]);

export const anyTypes = attr.types(undefined, { minimum: 0 });
export const elementAttrs = { outputTypes: attr.types(undefined, { minimum: 1 }), outputShapes: attr.shapes(undefined, 1) };
/** The same for a dataset whose inputs are of these types. */
export const componentAttrs = { Toutput_types: elementAttrs.outputTypes, outputShapes: elementAttrs.outputShapes };
export const metadata = attr.string("");
export const common = { ...elementAttrs, metadata };
export const functionAttrs = { f: attr.func(), Targuments: anyTypes, ...elementAttrs };
export const made = { shape: () => scalar, gradient: "none" } as const;
/** The shape function of a dataset whose inputs of these names have to be scalars. */
export const scalarInputs =
  (...names: readonly string[]) =>
  (given: Readonly<Record<string, unknown>>): TensorShape => {
    for (const name of names) (given[name] as TensorShape).withRank(0);
    return scalar;
  };
/** What an element's parts look like. @throws ValueError unless there is a shape for each type. */
export function elementShapes(of: {
  readonly outputTypes: readonly unknown[];
  readonly outputShapes: readonly TensorShape[];
}): TensorShape[] {
  const { outputTypes, outputShapes } = of;
  if (outputTypes.length !== outputShapes.length)
    throw new ValueError(`\`output_shapes\` must be the same length as \`output_types\` (${outputShapes.length} vs. ${outputTypes.length}`);
  return [...outputShapes];
}
export const handleOutput = { handle: "variant" } as const;
export const datasetInput = { inputDataset: "variant" } as const;
/** How elements go that are made side by side: here one after the other, whatever is asked. */
export const deterministic = attr.string("default");

export const wrap = (held: HostDataset): NDArray => new DatasetArray(held);
export const numberOf = (array: NDArray): number => Number(array.get(0));
export const isTrue = (array: NDArray): boolean => Boolean(array.get(0));
export const textOf = (array: NDArray, i = 0): string => decodeText(array.get(i) as Uint8Array);

/** @throws InvalidArgumentError for zero and less. */
export function positive(size: NDArray, name: string): number {
  if (numberOf(size) <= 0) throw new InvalidArgumentError(`${name} must be greater than zero.`);
  return numberOf(size);
}
