// Texts of kernels: equal where the code may be one, different for any other number, size or sharing.

import { expect, test } from "vitest";
import { axisIndex } from "../ir/index-map.ts";
import type { Value } from "../ir/program.ts";
import { constantScalar, loadScalar, type Scalar, s } from "../ir/scalar.ts";
import type { AnySizeKernel } from "./any-size.ts";
import { textOf } from "./kernel-text.ts";

let id = 0;
const vector = (size: number): Value => ({ id: id++, dtype: "float32", shape: [size] });
const at = (value: Value): Scalar => loadScalar(value, [axisIndex(0, value.shape[0])]);
const map = (out: Value, body: Scalar): AnySizeKernel => ({ kind: "map", shape: out.shape, stores: [{ out, body }] });
const sum = (size: number, of = (a: Value, b: Value) => s.add(at(a), at(b))): AnySizeKernel =>
  map(vector(size), of(vector(size), vector(size)));

test("the same of other values is one text, its values in order", () => {
  const [out, a, b] = [vector(5), vector(5), vector(5)];
  const told = textOf(map(out, s.add(at(a), at(b))));
  expect(told.values).toEqual([out, a, b]);
  expect(textOf(sum(5)).text).toBe(told.text);
  const failing = (label: string): AnySizeKernel => ({
    kind: "check",
    over: [5],
    ok: s.lt(at(a), 1),
    failure: { label, reads: [], error: () => new Error(label) },
  });
  expect(textOf(failing("one")).text).toBe(textOf(failing("other")).text);
});

test("sizes, numbers and values that are one make other texts", () => {
  const constant = (value: number | bigint): AnySizeKernel => map(vector(5), constantScalar("float32", value));
  const shared = (a: Value): Scalar => {
    const root = s.sqrt(at(a));
    return s.add(root, root);
  };
  const kernels = [
    sum(5),
    sum(6),
    sum(5, a => s.add(at(a), at(a))),
    sum(5, (a, b) => s.mul(at(a), at(b))),
    sum(5, shared),
    sum(5, a => s.add(s.sqrt(at(a)), s.sqrt(at(a)))),
    ...[0, -0, 1, 1.5, Number.NaN, Number.NEGATIVE_INFINITY].map(constant),
  ];
  expect(new Set(kernels.map(kernel => textOf(kernel).text)).size).toBe(kernels.length);
});
