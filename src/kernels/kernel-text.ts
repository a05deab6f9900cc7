// A kernel as a text, its values numbered as they are met: kernels of equal texts do the same with other values. Nodes that are shared are
// told once and named after, for code is shared where they are. What only names things, or follows from the rest, is left out.

import type { Value } from "../ir/program.ts";
import type { AnySizeKernel } from "./any-size.ts";

/** What the code of a kernel does not depend on: whom a failed check blames, and names by which indices are ordered. */
const untold: ReadonlySet<string> = new Set(["failure", "key", "form", "min", "max"]);

/** The text, and the values in the order of their numbers. */
export function textOf(kernel: AnySizeKernel): { readonly text: string; readonly values: readonly Value[] } {
  const numbers = new Map<object, number>();
  const values: Value[] = [];
  let text = "";
  const told = (part: object): void => {
    const known = numbers.get(part);
    if (known !== undefined) {
      text += `@${known} `;
      return;
    }
    numbers.set(part, numbers.size);
    if (Array.isArray(part)) {
      text += "[";
      for (const item of part) tell(item);
      text += "]";
      return;
    }
    const isValue = "id" in part;
    if (isValue) values.push(part as Value);
    text += "{";
    for (const name in part) {
      if (untold.has(name) || (isValue && name === "id")) continue;
      text += `${name}:`;
      tell(part[name as keyof typeof part]);
    }
    text += "}";
  };
  const tell = (part: unknown): void => {
    if (typeof part === "object" && part !== null) told(part);
    else if (typeof part === "bigint") text += `${part}n `;
    else text += Object.is(part, -0) ? "-0 " : `${part} `;
  };
  told(kernel);
  return { text, values };
}
