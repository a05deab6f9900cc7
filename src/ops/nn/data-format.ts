// Formats of images (NHWC, NCHW …) as permutations of dimensions and sizes: what layout optimizers put into graphs.

import { InvalidArgumentError } from "../../base/errors.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp } from "../../graph/op-definition.ts";
import * as ir from "../../ir/build.ts";
import { constantIndex } from "../../ir/index-map.ts";
import { loadScalar, s } from "../../ir/scalar.ts";

// ---- formats of images ----

function checkFormats(source: string, target: string): void {
  const refuse = (reason: string): never => {
    throw new InvalidArgumentError(reason);
  };
  if (source.length !== 4 && source.length !== 5) refuse(`Source format must be of length 4 or 5, received src_format = ${source}`);
  if (target.length !== 4 && target.length !== 5) refuse(`Destination format must be of length 4 or 5, received dst_format = ${target}`);
  if ([...source].sort().join() !== [...target].sort().join())
    refuse(`Destination and source format must determine a permutation, got ${source} and ${target}`);
}

const formats = { srcFormat: attr.string("NHWC"), dstFormat: attr.string("NCHW") };

/** Dimensions of one format as those of another. */
export const DataFormatDimMap = defineOp("DataFormatDimMap", {
  inputs: { x: "T" },
  outputs: { y: "T" },
  attrs: { T: attr.type(attr.indexTypes, "int32"), ...formats },
  shape: ({ x }) => x,
  lower: ({ x, T, srcFormat, dstFormat }) => {
    checkFormats(srcFormat, dstFormat);
    const rank = srcFormat.length;
    // What a remainder makes of numbers far below zero is none of the axes: TensorFlow takes the last.
    const places = [...srcFormat].map(letter => s.constant(T, dstFormat.indexOf(letter)));
    return ir.map(axis => {
      const place = s.rem(s.add(axis, rank), rank);
      return places.slice(0, -1).reduceRight((otherwise, to, k) => s.select(s.eq(place, k), to, otherwise), places[rank - 1]);
    }, x);
  },
});

/** Sizes (`[4]` or `[4, 2]`, or those of the two spatial dimensions) of one format in the order of another. */
export const DataFormatVecPermute = defineOp("DataFormatVecPermute", {
  inputs: { x: "T" },
  outputs: { y: "T" },
  attrs: { T: attr.type(attr.indexTypes, "int32"), ...formats },
  shape: ({ x }) => x,
  lower: ({ x, srcFormat, dstFormat }) => {
    const { shape } = x;
    if (shape.length !== 1 && shape.length !== 2)
      throw new InvalidArgumentError(`input must be a vector or 2D tensor, but got shape [${shape}]`);
    checkFormats(srcFormat, dstFormat);
    const isSpatial = shape[0] === srcFormat.length - 2;
    if (!isSpatial && shape[0] !== srcFormat.length)
      throw new InvalidArgumentError(
        `${shape.length === 1 ? "1D" : "First dimension of 2D"} input must be of size ${srcFormat.length - 2} or ${srcFormat.length}, but got shape [${shape}]`,
      );
    if (shape.length === 2 && shape[1] !== 2)
      throw new InvalidArgumentError(`Second dimension of 2D input must be of size 2, but got shape [${shape}]`);
    const kept = (format: string): string[] => [...format].filter(letter => !isSpatial || /[DHW]/.test(letter));
    const [from, to] = [kept(srcFormat), kept(dstFormat)];
    const rows = to.map(letter => from.indexOf(letter));
    return ir.generate(
      shape,
      i =>
        rows.reduceRight(
          (otherwise, row, k) => {
            const element = loadScalar(x, [constantIndex(row), ...i.slice(1)]);
            return otherwise === null ? element : s.select(s.eq(s.index(i[0]), k), element, otherwise);
          },
          null as ReturnType<typeof loadScalar> | null,
        ) as ReturnType<typeof loadScalar>,
    );
  },
});
