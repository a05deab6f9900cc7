// What is done to one row after the other: rows as text, images of a batch that have different sizes. TF: ops/ragged/ragged_string_ops, ragged_image_ops.

import { ValueError } from "../../base/errors.ts";
import { TensorShape } from "../../base/shape.ts";
import type { Callable } from "../../graph/composite.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import type { Named } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { constantValue } from "../../graph/shape-inference.ts";
import { collect } from "../../ops/arguments.ts";
import { constant, numbersOf, shape as shapeOf, zeros } from "../../ops/array/array.ts";
import { concat, getItem } from "../../ops/array/slicing.ts";
import { cond } from "../../ops/flow/control-flow-contexts.ts";
import { mapFn } from "../../ops/flow/functional.ts";
import { equal } from "../../ops/math/comparison.ts";
import { inNameScope } from "../../ops/named.ts";
import { add, lessEqual } from "../../ops/operators.ts";
import { regexReplace } from "../../ops/string/regex.ts";
import { asString, reduceJoin } from "../../ops/string/string.ts";
import { TensorSpec } from "../../ops/sparse/type-specs.ts";
import { isRagged, type Ragged, type RaggedLike } from "./ragged-elementwise.ts";
import type { RaggedTensor } from "./ragged-tensor.ts";

/** The template with each placeholder replaced by rows as Python lists, or by a dense tensor. @throws ValueError for as many inputs as there are no places. */
export function raggedFormat(
  plain: Callable,
  template: string,
  inputs: RaggedLike | readonly RaggedLike[],
  ...rest: readonly unknown[]
): Tensor {
  interface Options extends Named {
    readonly placeholder: string;
    readonly summarize: number | null;
  }
  const { placeholder = "{}", summarize = 3, name } = collect<Options>(["placeholder", "summarize", "name"], rest);
  const list = (Array.isArray(inputs) ? inputs : [inputs]) as readonly RaggedLike[];
  const [first, ...parts] = template.split(placeholder);
  if (list.length !== parts.length)
    throw new ValueError(`num placeholders in template and num inputs must match: ${parts.length} vs ${list.length}`);
  return inNameScope({ name }, "StringFormat", [], () => {
    const pieces: Tensor[] = [constant(first)];
    for (const [i, input] of list.entries()) {
      pieces.push(isRagged(input) ? textOf(input, summarize) : (plain("{}", [input], { summarize }) as Tensor));
      pieces.push(constant(parts[i]));
    }
    return reduceJoin(pieces as TensorLike);
  });
}

function textOf(rows: RaggedTensor, summarize: number | null): Tensor {
  const most = summarize === -1 ? null : summarize;
  if (most !== null && !(Number.isInteger(most) && most > 0))
    throw new ValueError(`Expected summarize to be -1 or a positive int, got ${most}`);
  return inNameScope(null, "AsString", [rows], () => {
    if (rows.shape.rank === null) throw new ValueError("RaggedTensor to_string requires that rt.shape.rank is not None.");
    const { flatValues: flat } = rows;
    if (rows.dtype !== "string") return listText(rows.withFlatValues(asString(flat)), most);
    const escaped = regexReplace(flat, "(['\\\\])", "\\\\\\1");
    return listText(rows.withFlatValues(add(add("'", escaped), "'")), most);
  });
}

/** Strings, or lists of strings, with brackets around them. */
function listText(strings: Ragged, most: number | null): Tensor {
  const whole =
    strings.shape.rank === 1
      ? (strings as Tensor)
      : (mapFn(row => listText(row as Ragged, most), strings, { fnOutputSignature: new TensorSpec(null, "string") }) as Tensor);
  const pieces = most === null ? whole : ends(strings, whole, most);
  return add(add("[", reduceJoin(pieces, { separator: ", " })), "]");
}

/** The first and the last pieces, where there are many. */
function ends(strings: Ragged, pieces: Tensor, most: number): Tensor {
  const rows = isRagged(strings) ? strings.nrows({ outType: "int32" }) : getItem(shapeOf(strings), 0);
  const cut = (): Tensor => concat([getItem(pieces, [null, most]), ["..."], getItem(pieces, [-most, null])], 0);
  return cond(lessEqual(rows, 2 * most), () => pieces, cut) as Tensor;
}

/** Images of different sizes, `[batch, (h), (w), channels]`, made a dense batch of one size. @throws ValueError for another rank. */
export function raggedResizeImages(plain: Callable, images: RaggedTensor, size: TensorLike, ...rest: readonly unknown[]): Tensor {
  const { name, ...given } = collect<Named>(["method", "alignCorners", "preserveAspectRatio", "name"], rest);
  return inNameScope({ name }, "RaggedResizeImages", [images, size], () => {
    const { dims } = images.shape;
    if (dims?.length !== 4) throw new ValueError("tf.image.resize: images.shape.rank must be 4 if images is ragged.");
    const box = convertToTensor(size, { dtype: "int32", name: "size" });
    const known = constantValue(box);
    const shape = new TensorShape(known === undefined ? [null, null] : [...numbersOf(known)]).withRank(2).concatenate([dims[3]]);
    const resized = (image: unknown): Tensor => plain(isRagged(image) ? image.toTensor() : image, box, given) as Tensor;
    const all = (): Tensor => mapFn(resized, images, { fnOutputSignature: new TensorSpec(shape, "float32") }) as Tensor;
    const none = (): Tensor => {
      const channels = getItem(shapeOf(images.flatValues), [-1, null]);
      return zeros(concat([[0], box, channels], 0));
    };
    if (dims[0] === 0) return none();
    return dims[0] === null ? (cond(equal(images.nrows(), 0n), none, all) as Tensor) : all();
  });
}
