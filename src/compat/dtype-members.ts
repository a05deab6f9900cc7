// `x.dtype.base_dtype`, `tf.float32.max`: in TensorFlow a type is an object, here its name. So that pasted programs find what they ask of it, names of
// types answer; no other text does (docs/decisions.md). Only this door does so, when it is first used.

import { DType } from "../base/dtype-class.ts";
import { isDType } from "../base/dtype.ts";
import type { SnakeOf } from "../base/names.ts";
import { snakeOf } from "../base/names.ts";

type Known = Omit<InstanceType<typeof DType>, "toString" | "valueOf">;

/** What a type's name answers to. */
export type DTypeMembers = {
  readonly [K in keyof Known as SnakeOf<K>]: Known[K] extends DType ? DType & DTypeMembers : Known[K];
};

export function attachDtypeMembers(): void {
  const members = Object.getOwnPropertyDescriptors(DType.prototype);
  for (const name of [...Object.keys(members), "name"]) {
    const theirs = snakeOf(name);
    if (["constructor", "toString", "valueOf", "limit"].includes(name) || theirs in String.prototype) continue;
    Object.defineProperty(String.prototype, theirs, {
      configurable: true,
      get(this: unknown) {
        const text = String(this);
        if (!isDType(text)) return undefined;
        const type = new DType(text);
        const value: unknown = Reflect.get(type, name);
        return typeof value === "function" ? value.bind(type) : value;
      },
    });
  }
}
