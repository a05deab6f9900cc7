// The comparison itself, tried on answers it must refuse and answers it must take.
import { describe, expect, it } from "vitest";
import type { DType } from "../../src/base/dtype.ts";
import { InvalidArgumentError, ValueError } from "../../src/base/errors.ts";
import { type ArrayLike, NDArray } from "../../src/base/ndarray.ts";
import { difference } from "./compare.ts";
import type { Tolerance } from "./golden.ts";
import { coreMessage, errorDifference } from "./run-case.ts";
import { reasonClass } from "./suite.ts";

const why = (got: ArrayLike, want: ArrayLike, cmp: Tolerance, dtype: DType = "float32"): string | undefined =>
  difference(NDArray.from(got, dtype), NDArray.from(want, dtype), cmp);
const complex = (re: number, im: number) => ({ re, im });

describe("difference", () => {
  it.each<[ArrayLike, ArrayLike, Tolerance, DType]>([
    [[1, 2], [1, 2], "exact", "int32"],
    [[NaN, -0], [NaN, 0], "exact", "float32"],
    [[NaN, 0], [NaN, 0], "bits", "float32"],
    [[1.00001], [1], [1e-4, 0], "float32"],
    [[1e-7], [0], [0, 1e-6], "float32"],
    [[Infinity, -Infinity], [Infinity, -Infinity], [1, 1], "float32"],
    [["a", ""], ["a", ""], "exact", "string"],
    [[complex(1, 1e-9)], [complex(1, 0)], [1e-6, 0], "complex64"],
    [[complex(NaN, 0)], [complex(NaN, 0)], [1e-6, 0], "complex64"],
    [[9007199254740993n], [9007199254740993n], "exact", "int64"],
  ])("takes %s for %s (%s, %s)", (got, want, cmp, dtype) => {
    expect(why(got, want, cmp, dtype)).toBeUndefined();
  });

  it.each<[ArrayLike, ArrayLike, Tolerance, DType, string]>([
    [[1, 3], [1, 2], "exact", "int32", "3 for 2 at 1"],
    [[-0], [0], "bits", "float32", "-0 for 0 at 0"],
    [[1.001], [1], [1e-4, 0], "float32", "1.0010000467300415 for 1 at 0 (rtol 0.0001, atol 0)"],
    [[NaN], [1], [1, 1], "float32", "NaN for 1 at 0"],
    [[1], [NaN], [1, 1], "float32", "1 for NaN at 0"],
    [[1e30], [Infinity], [1, 1], "float32", "for Infinity at 0"],
    [[Infinity], [-Infinity], [1, 1], "float32", "Infinity for -Infinity at 0"],
    [["a"], ["b"], "exact", "string", '"a" for "b" at 0'],
    [[complex(0, 1)], [complex(1, 0)], [1e-3, 1e-3], "complex64", "0 + 1i for 1 + 0i at 0"],
    [[1, 2], [[1, 2]], "exact", "int32", "shape [2] for [1,2]"],
    [[9007199254740992n], [9007199254740993n], "exact", "int64", "9007199254740992 for 9007199254740993 at 0"],
  ])("refuses %s for %s (%s, %s)", (got, want, cmp, dtype, text) => {
    expect(why(got, want, cmp, dtype)).toContain(text);
  });

  it("refuses another type", () => {
    expect(difference(NDArray.from([1], "int32"), NDArray.from([1], "int64"), "exact")).toBe("dtype int32 for int64");
  });
});

describe("errors", () => {
  const want = { class: "InvalidArgumentError", message: "indices[0] = 5 is not in [0, 3)", match: "exact" } as const;

  it("are compared up to our blank line and TensorFlow's node mark", () => {
    const error = new InvalidArgumentError("indices[0] = 5 is not in [0, 3)\n\t [[{{node GatherV2}}]]\n\nGive indices below 3.");
    expect(coreMessage(error)).toBe(want.message);
    expect(errorDifference(error, want)).toBeUndefined();
    expect(errorDifference(new InvalidArgumentError(`a/b: ${want.message}`), { ...want, match: "suffix" })).toBeUndefined();
    expect(errorDifference(new InvalidArgumentError(`${want.message} and more`), { ...want, match: "prefix" })).toBeUndefined();
    expect(errorDifference(new InvalidArgumentError("wording of 1.x"), { ...want, message_tf1: "wording of 1.x" })).toBeUndefined();
  });

  it("differ by class and by text", () => {
    expect(errorDifference(new ValueError(want.message), want)).toMatch(/^raised ValueError/);
    expect(errorDifference(new InvalidArgumentError(`a/b: ${want.message}`), want)).toMatch(/^raised InvalidArgumentError: a\/b/);
  });
});

it("counts like failures together", () => {
  expect(reasonClass("Sum Sum:0: 3 for 2 at 1")).toBe(reasonClass("Sum a/b:0: -1e-7 for 2.5 at 4 (rtol 1, atol 2)"));
  expect(reasonClass("static shape of Pad Pad:0: [1] for [2]")).toBe("static shape of Pad");
  expect(reasonClass("UnimplementedError: Op type Switch cannot run on this backend yet (node 'cond/Switch').")).toBe(
    "UnimplementedError: Op type Switch cannot run on this backend yet (node …).",
  );
  expect(reasonClass("missing op Foo3")).toBe("missing op Foo3");
});
