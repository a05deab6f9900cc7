// How far convolutions and their gradients lie from double precision, by Winograd's filtering and by direct sums: the worst error of any
// element as a share of the largest, for values spread evenly over -1 to 1. `node bench/kernels/errors.ts`; takes ten minutes, for the reference is slow.

import { type Convolution, type Direction, directions, errorsOf } from "../../test/backends/convolutions.ts";

let seed = 7;
const random = (): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 31 - 1;
};

const square = (r: number, c: number, f: number, size: number, n: number): Convolution => ({
  n,
  h: size,
  w: size,
  c,
  f,
  r,
  pad: (r - 1) / 2,
});

const shapes = [
  square(3, 16, 16, 28, 2),
  square(3, 64, 64, 14, 2),
  square(3, 128, 128, 14, 1),
  square(3, 256, 256, 14, 1),
  square(5, 16, 16, 28, 2),
  square(5, 32, 64, 14, 4),
  square(5, 128, 128, 14, 1),
];

console.log("| images | window | channels | direction | Winograd | direct |\n|---|---|---|---|---|---|");
for (const shape of shapes)
  for (const direction of Object.keys(directions) as Direction[]) {
    const [fast, direct] = await errorsOf(shape, direction, ["always", "never"], random);
    const { n, h, r, c, f } = shape;
    console.log(`| ${n}×${h}×${h} | ${r}×${r} | ${c} → ${f} | ${direction} | ${fast.toExponential(1)} | ${direct.toExponential(1)} |`);
  }
