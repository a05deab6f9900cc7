// The arguments of tf.raw_ops: Python takes them all by name, the node's own name among them, and some under other names than the op's definition.

const axis = { axis: "reductionIndices" } as const;
const splitDim = { axis: "splitDim" } as const;

/** Names of Python's functions for the inputs and attributes of ops. */
const renamed: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  All: axis,
  Any: axis,
  EuclideanNorm: axis,
  ExpandDims: { axis: "dim" },
  Max: axis,
  Mean: axis,
  Min: axis,
  Prod: axis,
  Select: { x: "t", y: "e" },
  Split: splitDim,
  SplitV: splitDim,
  Squeeze: { axis: "squeezeDims" },
  Sum: axis,
  Where: { condition: "input" },
};

/** `raw_ops.Sum({ input, axis, name })` as our function of the op takes it: the record of its arguments, and the name apart. */
export function rawArguments(type: string, [record = {}, ...rest]: readonly unknown[]): unknown[] {
  if (typeof record !== "object" || record === null) return [record, ...rest];
  const { name, ...given } = record as Readonly<Record<string, unknown>>;
  const names = Object.hasOwn(renamed, type) ? renamed[type] : {};
  const own = Object.fromEntries(Object.entries(given).map(([key, value]) => [Object.hasOwn(names, key) ? names[key] : key, value]));
  return name === undefined ? [own, ...rest] : [own, { name }];
}
