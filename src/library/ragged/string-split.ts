// tf.string_split, whose parts are a sparse tensor or rows. Its younger kin are in ragged-strings.ts.

import { ValueError } from "../../base/errors.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import type { Named } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { SparseTensor } from "../../graph/sparse-tensor.ts";
import { collect, eitherName } from "../../ops/arguments.ts";
import { getItem } from "../../ops/array/slicing.ts";
import { inNameScope } from "../../ops/named.ts";
import { StringSplit } from "../../ops/string/parsing.ts";
import { RaggedTensor } from "./ragged-tensor.ts";

export interface PartsOptions extends Named {
  readonly sep?: TensorLike | null;
  /** "SparseTensor", the default, or "RaggedTensor". */
  readonly resultType?: string;
}
interface AtBytesOptions extends PartsOptions {
  readonly delimiter?: TensorLike | null;
  readonly skipEmpty?: boolean;
}
export interface SparseParts {
  readonly indices: Tensor;
  readonly values: Tensor;
  readonly shape: Tensor;
}

/** The parts as rows. */
export const rowsOfParts = ({ indices, values, shape }: SparseParts): RaggedTensor =>
  RaggedTensor.fromValueRowids(values, getItem(indices, [], 0), { nrows: getItem(shape, 0), validate: false });

/** @throws ValueError for a word that is none. */
export const unknownResult = (): never => {
  throw new ValueError("result_type must be 'RaggedTensor' or 'SparseTensor'.");
};

/** Parts of each string of a vector, at any byte of the delimiter (a space by default; "": at every byte).
 *  TF: tf.string_split(source, sep, skip_empty, delimiter, result_type, name). @throws ValueError for another type of result. */
export function stringSplit(source: TensorLike, options: AtBytesOptions & { readonly resultType: "RaggedTensor" }): RaggedTensor;
export function stringSplit(source: TensorLike, ...rest: unknown[]): SparseTensor;
export function stringSplit(source: TensorLike, ...rest: unknown[]): SparseTensor | RaggedTensor {
  const { sep, delimiter, skipEmpty, resultType, name } = collect<AtBytesOptions>(
    ["sep", "skipEmpty", "delimiter", "resultType", "name"],
    rest,
  );
  const by = eitherName("sep", sep, "delimiter", delimiter) ?? " ";
  return inNameScope({ name }, "StringSplit", [source], () => {
    const made = StringSplit({
      delimiter: convertToTensor(by, { dtype: "string" }),
      input: convertToTensor(source, { dtype: "string" }),
      skipEmpty,
    });
    if ((resultType ?? "SparseTensor") === "SparseTensor") return new SparseTensor(made.indices, made.values, made.shape);
    return resultType === "RaggedTensor" ? rowsOfParts(made) : unknownResult();
  });
}
