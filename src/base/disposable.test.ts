// Entering and leaving scopes.
import { expect, test } from "vitest";
import { disposeSymbol, scoped } from "./disposable.ts";

const refusing: Disposable = {
  [disposeSymbol]: () => {
    throw new Error("a scope inside was left open");
  },
};

test("what goes wrong inside a scope is told before what its end makes of it", () => {
  const fail = (): never => {
    throw new Error("the cause");
  };
  expect(() => scoped(refusing, fail)).toThrow("the cause");
  expect(() => scoped(refusing, () => 1)).toThrow("a scope inside was left open");
});
