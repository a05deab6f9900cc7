// Options by name against TensorFlow's signatures: a public function knows every optional argument that TensorFlow's has, and refuses a name that none has.
// What is called here gets nothing but options, so functions that look at their arguments first answer for those. What is not there is listed.

import { expect, it } from "vitest";
import { camelOf } from "../../src/base/names.ts";
import { parseSignature } from "../../src/compat/calls.ts";
import { signatures } from "../../src/compat/signatures.ts";
import * as api from "../../src/index.ts";
import { surprises } from "./expected-failures.ts";

/** What acts on the process, on files or on sessions as soon as it is called. */
const acting =
  /^OpError|^errors|Session|Writer|ProfilerHook|Server|Coordinator|gfile|^config|(?:^|[._])(?:enable|disable|write|remove|delete|reset)_/;

type Callable = (...given: unknown[]) => unknown;

function functionAt(path: string): Callable | undefined {
  let found: unknown = api;
  for (const part of path.split(".")) found = (found as Record<string, unknown> | undefined)?.[camelOf(part)];
  return typeof found === "function" ? (found as Callable) : undefined;
}

type Answer = "refused" | "taken" | "another error";

/** What a call that gives these options and nothing else is answered with. */
async function answer(call: Callable, positional: number, options: Readonly<Record<string, unknown>>): Promise<Answer> {
  const given = [...Array<undefined>(positional).fill(undefined), options];
  try {
    let result: unknown;
    new api.Graph().asDefault(() => {
      result = /^class\b/.test(String(call)) ? Reflect.construct(call, given) : call(...given);
    });
    // What answers later has read its options already, and a generator does at its first step.
    const first = Object(result) as { readonly next?: unknown; readonly [Symbol.asyncIterator]?: unknown };
    const isGenerator = Symbol.asyncIterator in first && typeof first.next === "function";
    const later = isGenerator ? (first.next as () => Promise<unknown>).call(first) : result;
    if (later instanceof Promise) {
      later.catch(() => undefined);
      await Promise.race([later, new Promise(resolve => void setTimeout(resolve, 0))]);
    }
  } catch (error) {
    return /got an unexpected keyword argument/.test((error as Error).message) ? "refused" : "another error";
  }
  return "taken";
}

const rows = Object.entries(signatures).flatMap(([path, text]) => {
  const { parameters, positional, isVariadic } = parseSignature(path, text);
  const options = parameters.flatMap(({ name }, i) => (positional.includes(i) ? [] : [camelOf(name)]));
  const call = isVariadic || options.length === 0 || acting.test(path) || /(?:^|\.)[A-Z]\w*\./.test(path) ? undefined : functionAt(path);
  return call === undefined ? [] : [{ path, call, positional: positional.length, options }];
});

it("functions know the optional arguments that TensorFlow's have, and take no name that none has", async () => {
  const failures = new Map<string, string>();
  let refused = 0;
  for (const { path, call, positional, options } of rows) {
    for (const name of options)
      if ((await answer(call, positional, { [name]: 1 })) === "refused") failures.set(`${path} ${name}`, "an option that is not there");
    const misspelt = await answer(call, positional, { zzqqxx: 1 });
    if (misspelt === "taken") failures.set(path, "takes any name");
    if (misspelt === "refused") refused++;
  }
  expect(surprises("option-names", failures)).toEqual([]);
  // The others look at their arguments first.
  expect(refused).toBeGreaterThan(900);
});
