// What a dataset's elements are: a nesting of components, each with a type and a shape, or itself a dataset (windows).

import type { DType } from "../../base/dtype.ts";
import { NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import { convertToTensor, isAsTensor } from "../../graph/conversion.ts";
import { Tensor } from "../../graph/operation.ts";
import { SparseTensor } from "../../graph/sparse-tensor.ts";
import { isOptions } from "../../ops/arguments.ts";
import { flatten, mapNested, type Nested } from "../../ops/flow/nested.ts";
import { ComponentSpec, ownSpec, componentSpecFrom } from "../../ops/sparse/type-specs.ts";

export { ComponentSpec };

export const componentsOf = (spec: Nested): ComponentSpec[] => flatten(spec) as ComponentSpec[];

/** The attributes that say which tensors elements are. */
export const typesAndShapes = (spec: Nested): { outputTypes: DType[]; outputShapes: TensorShape[] } => ({
  outputTypes: componentsOf(spec).map(({ flat }) => flat.dtype),
  outputShapes: componentsOf(spec).map(({ flat }) => flat.shape),
});

/** What values are; those that are specs themselves say it. */
export const specOfValue = (value: Nested): Nested => mapNested(value, componentSpecFrom);

/** The tensors that stand for an element's values, or whose rows do. */
export function componentTensors(spec: Nested, value: Nested, way: "tensorOf" | "rowsOf" = "tensorOf"): Tensor[] {
  const leaves = flatten(value);
  return componentsOf(spec).map((component, i) => component[way](leaves[i]));
}

/** An element of these tensors. */
export function valueOf(spec: Nested, tensors: readonly Tensor[]): Nested {
  let next = 0;
  return mapNested(spec, leaf => (leaf as ComponentSpec).valueFrom(tensors[next++]));
}

/** Something that has a spec of its own: a dataset. */
const isWhole = (value: unknown): boolean => typeof value === "object" && value !== null && "elementSpec" in value;
/** Something that is one component, and no tensor. */
const isComposite = (value: unknown): boolean => value instanceof SparseTensor || ownSpec(value) !== undefined;
const isTensorLeaf = (value: unknown): boolean =>
  value instanceof Tensor || value instanceof NDArray || isAsTensor(value) || isWhole(value) || isComposite(value);

/** A list that holds tensors or structures is a structure (a tuple in Python); one of numbers, strings and lists of them is one tensor. */
const isTuple = (value: unknown): value is readonly unknown[] =>
  Array.isArray(value) && value.some(item => isTensorLeaf(item) || isOptions(item) || isTuple(item));

/** The tensors of what a user gave as an element, in its nesting. */
export function tensorsOf(value: Nested, nameOf: (i: number) => string | undefined): Nested {
  let next = 0;
  const convert = (item: unknown): unknown => {
    if (isTuple(item)) return item.map(convert);
    if (isOptions(item))
      return Object.fromEntries(
        Object.keys(item)
          .sort()
          .map(key => [key, convert(item[key])]),
      );
    const name = isWhole(item) ? undefined : nameOf(next++);
    return isWhole(item) || isComposite(item) ? item : convertToTensor(item as Tensor, { name });
  };
  return convert(value);
}

/** A shape or type for each component, from one for all or a nesting of them. */
export function forEach<T>(spec: Nested, given: Nested, isLeaf: (value: unknown) => boolean): T[] {
  const walk = (part: Nested, value: Nested): T[] => {
    if (part instanceof ComponentSpec || isLeaf(value)) return componentsOf(part).map(() => value as T);
    if (Array.isArray(part)) return part.flatMap((inner, i) => walk(inner, (value as readonly Nested[])[i]));
    return Object.keys(part)
      .sort()
      .flatMap(key => walk(part[key], value[key]));
  };
  return walk(spec, given);
}

/** Types and shapes in one nesting. */
export const specOf = (types: Nested, shapes: Nested | null | undefined, shapeOf: (shape: unknown) => TensorShape): Nested => {
  const spec = mapNested(types, dtype => new ComponentSpec(dtype as DType, TensorShape.unknown()));
  if (shapes === null || shapes === undefined) return spec;
  const list = forEach<unknown>(spec, shapes, () => false);
  let next = 0;
  return mapNested(spec, leaf => (leaf as ComponentSpec).withShape(shapeOf(list[next++])));
};
