// Options by name against TensorFlow's signatures: a public function knows every optional argument that TensorFlow's has, and refuses a name that none has.
// What is called here gets nothing but options, so a function that looks at its arguments first answers for those; such, and what is not there, is listed.

import { expect, it } from "vitest";
import { camelOf } from "../../src/base/names.ts";
import { parseSignature } from "../../src/compat/calls.ts";
import { signatures } from "../../src/compat/signatures.ts";
import * as api from "../../src/index.ts";
import { surprises } from "./expected-failures.ts";

/** What acts on the process, on files or on sessions as soon as it is called. */
const acting = /Session|Writer|Server|Coordinator|gfile|^config|(?:^|[._])(?:enable|disable|write|remove|delete|reset)_/;

type Callable = (...given: unknown[]) => unknown;

function functionAt(path: string): Callable | undefined {
  let found: unknown = api;
  for (const part of path.split(".")) found = (found as Record<string, unknown> | undefined)?.[camelOf(part)];
  return typeof found === "function" ? (found as Callable) : undefined;
}

/** Whether options of these names are refused as ones that nobody has. */
function isRefused(call: Callable, positional: number, options: Readonly<Record<string, unknown>>): boolean {
  const given = [...Array<undefined>(positional).fill(undefined), options];
  try {
    new api.Graph().asDefault(() => {
      const result = /^class\b/.test(String(call)) ? Reflect.construct(call, given) : call(...given);
      // What answers later has read its options already.
      if (result instanceof Promise) result.catch(() => undefined);
    });
  } catch (error) {
    return /got an unexpected keyword argument/.test((error as Error).message);
  }
  return false;
}

const rows = Object.entries(signatures).flatMap(([path, text]) => {
  const { parameters, positional, isVariadic } = parseSignature(path, text);
  const options = parameters.flatMap(({ name }, i) => (positional.includes(i) ? [] : [camelOf(name)]));
  const call = isVariadic || options.length === 0 || acting.test(path) || /(?:^|\.)[A-Z]\w*\./.test(path) ? undefined : functionAt(path);
  return call === undefined ? [] : [{ path, call, positional: positional.length, options }];
});

it("functions know the optional arguments that TensorFlow's have, and refuse a name that none has", () => {
  const failures = new Map<string, string>();
  for (const { path, call, positional, options } of rows) {
    for (const name of options) if (isRefused(call, positional, { [name]: 1 })) failures.set(`${path} ${name}`, "unknown option");
    if (!isRefused(call, positional, { zzqqxx: 1 })) failures.set(path, "looks at its arguments first, or at no name");
  }
  expect(surprises("option-names", failures)).toEqual([]);
});
