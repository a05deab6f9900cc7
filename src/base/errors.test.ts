// What an error shows by itself: its own fields, as an engine prints them below an error that nobody caught.

import { expect, test } from "vitest";
import { InvalidArgumentError } from "./errors.ts";

test("an error knows its operation and does not print it, which would be the whole graph", () => {
  const node = { name: "dense/MatMul", graph: { operations: ["many"] } };
  const error = new InvalidArgumentError("Matrix size-incompatible", node);
  expect(error.op).toBe(node);
  expect(error.node).toBe("dense/MatMul");
  expect(Object.keys(error)).not.toContain("op");
});
