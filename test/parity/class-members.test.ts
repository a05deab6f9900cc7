// Members of classes against TensorFlow's: methods, properties and constants of every public class, and of the objects that public functions make
// (recorded by generate/class_members.py). What is not there stands in src/compat/missing-members.ts, with what to do instead.

import { expect, it } from "vitest";
import { camelOf } from "../../src/base/names.ts";
import { kindOf } from "../../src/compat/message-fields.ts";
import { insteadOf, missingMembers } from "../../src/compat/missing-members.ts";
import { tf } from "../../src/compat.ts";
import { fieldsOf } from "../../src/formats/message-codec.ts";
import { loadSpec } from "./golden.ts";
import { objectsByOrigin } from "./class-objects.ts";

const recorded = loadSpec("class-members") as Readonly<Record<string, Readonly<Record<string, string>>>>;

/** The class behind a path of the compat door, or an object of constants; undefined where there is none. */
function classAt(path: string): object | undefined {
  let found: unknown = tf;
  for (const part of path.split(".")) {
    if ((typeof found !== "object" && typeof found !== "function") || found === null || !(part in found)) return undefined;
    found = Reflect.get(found, part);
  }
  return typeof found === "function" || (typeof found === "object" && found !== null) ? found : undefined;
}

/** What an object and those behind it are called by. */
function chainOf(first: object | null | undefined): object[] {
  const chain: object[] = [];
  for (let each = first; each && each !== Function.prototype && each !== Object.prototype; each = Object.getPrototypeOf(each) as object)
    chain.push(each);
  return chain;
}

/** Is a member there: on the class, on what it makes, or as a field that its constructor sets? */
function has(type: object, member: string): boolean {
  const ours = camelOf(member);
  const prototype = Reflect.get(type, "prototype") as { readonly constructor: object } | undefined;
  // Behind the door's class, whose text is not to be read, is ours.
  const chain = chainOf(prototype?.constructor ?? type);
  if (chain.some(each => Object.hasOwn(each, member) || Object.hasOwn(each, ours))) return true;
  if (chainOf(prototype).some(each => Object.hasOwn(each, member) || Object.hasOwn(each, ours))) return true;
  const kind = kindOf(prototype);
  if (kind !== undefined && fieldsOf(kind).some(({ name }) => name === ours)) return true;
  const text = chain.map(each => (typeof each === "function" ? Function.prototype.toString.call(each) : "")).join("\n");
  return new RegExp(`(?:^|\\n)\\s+(?:this\\.)?${ours}\\s*[;=]`).test(text);
}

const objects = objectsByOrigin();
const rows = Object.entries(recorded).flatMap(([path, members]) => {
  const object = objects[path];
  const type = object === undefined ? classAt(path) : undefined;
  if (object === undefined && type === undefined) return [];
  const isThere = (member: string): boolean =>
    object !== undefined ? member in object || camelOf(member) in object : has(type as object, member);
  return [{ path, absent: Object.keys(members).filter(member => !isThere(member)), members: Object.keys(members) }];
});

it("classes have TensorFlow's members, or say what to do instead", () => {
  expect(rows.length).toBeGreaterThan(240);
  const unknown = rows.flatMap(({ path, absent }) => {
    const names = absent.filter(member => insteadOf([path], member) === undefined);
    return names.length === 0 ? [] : [`${path}: ${names.join(" ")}`];
  });
  expect(unknown).toEqual([]);
});

it("what is said to be missing is", () => {
  const there = missingMembers.flatMap(({ of, members }) => {
    const classes = rows.filter(({ path }) => of.test(path));
    return members
      .split(" ")
      .filter(member => !classes.some(({ absent }) => absent.includes(member)))
      .map(member => `${of.source}: ${member}`);
  });
  expect(there).toEqual([]);
});
