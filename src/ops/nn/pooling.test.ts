// Pooling: who gets a gradient among equals, what NaN and infinities do, and every kind of window against differences.

import { describe, expect, test } from "vitest";
import { expectGradients, someArray, valueOf, valuesOf } from "../../../test/values.ts";
import { NDArray } from "../../base/ndarray.ts";
import { gradients } from "../../gradients/gradients.ts";
import { Graph } from "../../graph/graph.ts";
import type { Tensor } from "../../graph/operation.ts";
import { constant, placeholder, reshape } from "../array/array.ts";
import { transpose } from "../array/rearranging.ts";
import { avgPool, avgPool1d, avgPool3d, maxPool, maxPool1d, maxPool3d, maxPoolWithArgmax, pool } from "./pooling-api.ts";

const inGraph = <R>(build: () => R): R => new Graph().asDefault(build);
/** A row of pixels with one channel. */
const row = (values: readonly number[]): Tensor => constant(NDArray.from([...values], "float32", [1, 1, values.length, 1]));
const slopeOf = (x: Tensor, y: Tensor): Tensor => reshape(gradients(y, x)[0] as Tensor, [-1]);

describe("maxPool", () => {
  test("the first of equals gets the gradient", async () => {
    const build = (): Tensor => {
      const x = row([2, 2, 1, 1, 0, 3]);
      return slopeOf(x, maxPool(x, [1, 1, 2, 1], [1, 1, 2, 1], "VALID"));
    };
    expect(await valueOf(build)).toEqual([1, 0, 1, 0, 0, 1]);
  });

  test("an element that is the largest of several windows gets all their gradients", async () => {
    const build = (): Tensor => {
      const x = row([1, 5, 2, 4, 4]);
      return slopeOf(x, maxPool(x, [1, 1, 3, 1], [1, 1, 1, 1], "SAME"));
    };
    expect(await valueOf(build)).toEqual([0, 3, 0, 2, 0]);
  });

  test("NaN never wins; a window of nothing else gives the lowest number", async () => {
    const [most, slopes] = await valuesOf(() => {
      const x = row([1, Number.NaN, Number.NaN, Number.NaN, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]);
      const y = maxPool(x, [1, 1, 2, 1], [1, 1, 2, 1], "VALID");
      return [reshape(y, [-1]), slopeOf(x, y)];
    });
    const lowest = -3.4028234663852886e38;
    expect((most as number[])[0]).toBe(1);
    expect((most as number[])[1]).toBe(lowest);
    expect((slopes as number[]).slice(0, 2)).toEqual([1, 0]);
  });

  test("indices count from the first element of the image, or of the batch", async () => {
    const build = (): Tensor[] => {
      const x = constant(NDArray.from([1, 9, 3, 4, 8, 2, 7, 6], "float32", [2, 2, 2, 1]));
      const one = maxPoolWithArgmax(x, [1, 2, 2, 1], [1, 2, 2, 1], "VALID");
      const all = maxPoolWithArgmax(x, [1, 2, 2, 1], [1, 2, 2, 1], "VALID", { includeBatchInIndex: true });
      return [one.argmax, all.argmax, one.output].map(tensor => reshape(tensor, [-1]));
    };
    expect(await valuesOf(build)).toEqual([
      [1n, 0n],
      [1n, 4n],
      [9, 8],
    ]);
  });

  test("NCHW is the same, turned", async () => {
    const [straight, turned] = await valuesOf(() => {
      const x = constant(someArray([2, 5, 4, 3]));
      const y = maxPool(transpose(x, [0, 3, 1, 2]), [1, 1, 3, 2], [1, 1, 2, 2], "SAME", { dataFormat: "NCHW" });
      return [maxPool(x, [1, 3, 2, 1], [1, 2, 2, 1], "SAME"), transpose(y, [0, 2, 3, 1])];
    });
    expect(turned).toEqual(straight);
  });
});

describe("gradients", () => {
  const image = [1, 5, 6, 2] as const;
  const windows: readonly [size: [number, number], stride: [number, number]][] = [
    [
      [2, 2],
      [2, 2],
    ],
    [
      [3, 2],
      [1, 2],
    ],
    [
      [1, 3],
      [2, 1],
    ],
    [
      [2, 1],
      [3, 2],
    ],
    [
      [5, 4],
      [1, 2],
    ],
  ];
  for (const [size, stride] of windows)
    for (const padding of ["SAME", "VALID"] as const)
      test(`windows of ${size} every ${stride}, ${padding}`, async () => {
        const at = [[1, ...size, 1], [1, ...stride, 1], padding] as const;
        await expectGradients(([x]) => maxPool(x, ...at), [someArray(image)]);
        await expectGradients(([x]) => avgPool(x, ...at), [someArray(image)]);
      });

  test("padding of one's own, and the gradient of the gradient", async () => {
    const padding = [
      [0, 0],
      [1, 0],
      [2, 1],
      [0, 0],
    ];
    await expectGradients(([x]) => maxPool(x, [1, 2, 3, 1], [1, 2, 2, 1], padding), [someArray(image)]);
    const most = (x: Tensor): Tensor => maxPool(x, [1, 2, 3, 1], [1, 2, 2, 1], "SAME");
    await expectGradients(([x, d]) => gradients(most(x), x, { gradYs: d })[0] as Tensor, [someArray(image), someArray([1, 3, 3, 2], 2)]);
    const average = (x: Tensor): Tensor => avgPool(x, [1, 2, 3, 1], [1, 2, 2, 1], "SAME");
    // The gradient of an average pool reads its input's shape alone: only the incoming gradient has one itself.
    const x = someArray(image);
    await expectGradients(
      ([d]) => {
        const input = constant(x);
        return gradients(average(input), input, { gradYs: d })[0] as Tensor;
      },
      [someArray([1, 3, 3, 2], 2)],
    );
  });

  test("one and three dimensions, dilated windows", async () => {
    await expectGradients(([x]) => maxPool1d(x, 2, 2, "SAME"), [someArray([2, 5, 2])]);
    await expectGradients(([x]) => avgPool1d(x, 3, 1, "VALID"), [someArray([2, 5, 2])]);
    await expectGradients(([x]) => avgPool3d(x, [1, 2, 2, 2, 1], [1, 2, 1, 2, 1], "SAME"), [someArray([1, 3, 3, 4, 1])]);
    await expectGradients(([x]) => pool(x, [2, 2], "MAX", "VALID", { dilationRate: [2, 1] }), [someArray([1, 5, 4, 1])]);
  });
});

test("three dimensions are as two, one of them alone", async () => {
  const [deep, flat] = await valuesOf(() => {
    const x = constant(someArray([2, 3, 4, 4, 2]), "float32");
    const y = reshape(x, [2, 3, 16, 2]);
    return [slopeOf(x, maxPool3d(x, [1, 2, 1, 1, 1], [1, 1, 1, 1, 1], "SAME")), slopeOf(y, maxPool(y, [1, 2, 1, 1], [1, 1, 1, 1], "SAME"))];
  });
  expect(deep).toEqual(flat);
});

test("a pool that tells positions stays with a NaN that comes first, and drops those behind", async () => {
  const [most, places] = await valuesOf(() => {
    const x = row([Number.NaN, 1, 1, Number.NaN, 2, Number.NaN]);
    const { output, argmax } = maxPoolWithArgmax(x, [1, 1, 3, 1], [1, 1, 2, 1], "SAME");
    return [reshape(output, [-1]), reshape(argmax, [-1])];
  });
  expect(most).toEqual([Number.NaN, 2, 2]);
  expect(places).toEqual([0n, 4n, 4n]);
});

test("in volumes all that is less than 10⁻⁵ from the largest has the gradient; infinities have none", async () => {
  const slopes = (values: readonly number[]): Promise<unknown> =>
    valueOf(() => {
      const x = constant(NDArray.from([...values], "float32", [1, 1, 1, values.length, 1]));
      return slopeOf(x, maxPool3d(x, [1, 1, 1, values.length, 1], [1, 1, 1, 1, 1], "VALID"));
    });
  expect(await slopes([1, 1 + 9e-6, 0.9999])).toEqual([1, 1, 0]);
  expect(await slopes([0, Number.POSITIVE_INFINITY])).toEqual([0, 0]);
});

test("windows larger than their input are refused when the graph is built", () => {
  inGraph(() => {
    const x = placeholder("float32", [1, 2, 2, 1]);
    expect(() => maxPool(x, [1, 3, 3, 1], [1, 1, 1, 1], "VALID")).toThrow("Negative dimension size caused by subtracting 3 from 2");
  });
});
