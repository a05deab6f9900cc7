// Transforms of lines against their definition, for lengths of every kind.

import { describe, expect, test } from "vitest";
import { inverseOf, type Parts, partsOf, realTransformOf, transformOf } from "./fourier.ts";

const numbers = (count: number, by: number): Float64Array =>
  Float64Array.from({ length: count }, (_, k) => Math.sin(by * (k + 1) * (k + 1)));

/** Σ x_j·e^(sign·2πijk/n). */
function definition({ re, im }: Parts, sign: 1 | -1): Parts {
  const n = re.length;
  const result = partsOf(n);
  for (let k = 0; k < n; k++) {
    for (let j = 0; j < n; j++) {
      const angle = (sign * 2 * Math.PI * ((j * k) % n)) / n;
      result.re[k] += re[j] * Math.cos(angle) - im[j] * Math.sin(angle);
      result.im[k] += re[j] * Math.sin(angle) + im[j] * Math.cos(angle);
    }
  }
  return result;
}

const distance = (a: Float64Array, b: Float64Array): number => a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i])), 0);
const lineOf = ({ re, im }: Parts, n: number, first: number, stride: number): Parts => {
  const pick = (part: Float64Array): Float64Array => Float64Array.from({ length: n }, (_, k) => part[first + k * stride]);
  return { re: pick(re), im: pick(im) };
};

describe.each([...Array.from({ length: 34 }, (_, k) => k + 1), 48, 60, 97, 128, 143, 210, 211, 256, 360, 400])("lines of %i numbers", n => {
  test("complex ones, alone and side by side", () => {
    for (const stride of [1, 3]) {
      for (const sign of [-1, 1] as const) {
        const parts = { re: numbers(n * stride + 2, 0.7), im: numbers(n * stride + 2, 1.3) };
        const expected = Array.from({ length: stride }, (_, first) => definition(lineOf(parts, n, 1 + first, stride), sign));
        const [edges, transform] = [[parts.re[0], parts.im[n * stride + 1]], transformOf(n)];
        (sign === 1 ? inverseOf(transform) : transform).run(parts, 1, stride);
        expected.forEach(({ re, im }, first) => {
          const got = lineOf(parts, n, 1 + first, stride);
          expect(distance(got.re, re)).toBeLessThan(1e-11);
          expect(distance(got.im, im)).toBeLessThan(1e-11);
        });
        expect([parts.re[0], parts.im[n * stride + 1]]).toEqual(edges);
      }
    }
  });

  test("real ones, there and back", () => {
    const half = Math.floor(n / 2) + 1;
    const given = numbers(n, 0.7);
    const expected = definition({ re: given, im: new Float64Array(n) }, -1);
    const line = partsOf(n + 1);
    line.re.set(given, 1);
    const { forward, backward } = realTransformOf(n);
    const wide = partsOf(n + 2);
    wide.re.set(given, 1);
    forward(wide, 1);
    expect(distance(wide.re.slice(1, 1 + half), expected.re.slice(0, half))).toBeLessThan(1e-11);
    expect(distance(wide.im.slice(1, 1 + half), expected.im.slice(0, half))).toBeLessThan(1e-11);
    wide.im[1] = 7;
    backward(wide, 1);
    expect(
      distance(
        wide.re.slice(1, 1 + n),
        given.map(x => x * n),
      ),
    ).toBeLessThan(1e-10);
  });
});
