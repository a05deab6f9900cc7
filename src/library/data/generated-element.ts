// An element that a generator of JavaScript gave, as arrays of the types and shapes that were told for it. TF: from_generator_op.

import { type ArrayLike, NDArray } from "../../base/ndarray.ts";
import { pythonRepr, pythonStr } from "../../base/python-text.ts";
import type { Nested } from "../../ops/flow/nested.ts";
import type { ComponentSpec } from "./element-spec.ts";

/** An array for each component. @throws TypeError for another nesting than that of `types`, for other types and shapes. */
export function arraysOf(value: unknown, types: Nested, components: readonly ComponentSpec[]): NDArray[] {
  const values: unknown[] = [];
  if (!collect(types, value, values))
    throw new TypeError(
      `\`generator\` yielded an element that did not match the expected structure. The expected structure was ${typesText(types)}, but the yielded element was ${pythonStr(value)}.`,
    );
  return components.map(({ dtype, shape }, i) => {
    const array = converted(values[i], dtype);
    if (array === undefined)
      throw new TypeError(
        `\`generator\` yielded an element that could not be converted to the expected type. The expected type was ${dtype}, but the yielded element was ${pythonStr(values[i])}.`,
      );
    if (!shape.isCompatibleWith(array.shape))
      throw new TypeError(
        `\`generator\` yielded an element of shape (${array.shape.join(", ")}${array.rank === 1 ? "," : ""}) where an element of shape ${shape} was expected.`,
      );
    return array;
  });
}

/** Puts what is in the places of types into a list; false if there is no place for one. */
function collect(types: Nested, value: unknown, into: unknown[]): boolean {
  if (typeof types !== "object" || types === null) return into.push(value) > 0;
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(types))
    return Array.isArray(value) && value.length === types.length && types.every((type, i) => collect(type, value[i], into));
  const [wanted, given] = [Object.keys(types).sort(), Object.entries(value)];
  return wanted.length === given.length && wanted.every(key => key in value && collect(types[key], Object.fromEntries(given)[key], into));
}

function converted(value: unknown, dtype: ComponentSpec["dtype"]): NDArray | undefined {
  if (value === null || value === undefined) return undefined;
  try {
    return NDArray.from(value as ArrayLike, dtype);
  } catch {
    return undefined;
  }
}

function typesText(types: Nested): string {
  if (Array.isArray(types)) return `(${types.map(typesText).join(", ")}${types.length === 1 ? "," : ""})`;
  if (typeof types !== "object" || types === null) return `tf.${String(types)}`;
  return `{${Object.entries(types)
    .map(([key, inner]) => `${pythonRepr(key)}: ${typesText(inner as Nested)}`)
    .join(", ")}}`;
}
