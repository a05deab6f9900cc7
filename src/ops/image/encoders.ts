// Pictures to bytes: JPEG as TensorFlow writes them to the byte, PNG with the same pixels (its compression is zlib's, ours is not). The host does the
// work between segments. The way back is image/codecs.ts.

import { InternalError, InvalidArgumentError } from "../../base/errors.ts";
import { encodeText, NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import { jpegFromPixels, type JpegStyle } from "../../formats/jpeg-writing.ts";
import { pngFromPixels } from "../../formats/png.ts";
import * as attr from "../../graph/attributes.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Named } from "../../graph/op-definition.ts";
import { Tensor } from "../../graph/operation.ts";
import { collect } from "../arguments.ts";
import { convertImageDtype } from "./image.ts";
import { dimsText } from "./resize.ts";
import { DecodeJpeg } from "./codecs.ts";
import { inNameScope } from "../named.ts";

// ---- JPEG ----

function checkQuality(quality: number): void {
  if (quality < 0 || quality > 100) throw new InvalidArgumentError(`quality must be in [0,100], got ${quality}`);
}

/** @throws InvalidArgumentError for pictures that are none, and in TensorFlow's words for empty ones. */
function jpegOf(image: NDArray, format: "" | "grayscale" | "rgb", style: JpegStyle): NDArray {
  const { shape } = image;
  if (shape.length !== 3) throw new InvalidArgumentError(`image must be 3-dimensional${dimsText(shape)}`);
  const [height, width, channels] = shape;
  if (format === "" && channels !== 1 && channels !== 3)
    throw new InvalidArgumentError(`image must have 1 or 3 channels, got ${dimsText(shape)}`);
  if (format === "grayscale" && channels !== 1)
    throw new InvalidArgumentError(`format grayscale expects 1 channels, got ${dimsText(shape)}`);
  if (format === "rgb" && channels !== 3) throw new InvalidArgumentError(`format rgb expects 3 channels, got ${dimsText(shape)}`);
  if (height === 0 || width === 0 || height > 65500 || width > 65500)
    throw new InternalError("JPEG encoding failed\n\nThe picture is empty, or has a side of more than 65,500 pixels.");
  const data = image.data as Uint8Array;
  return NDArray.full("string", [], jpegFromPixels({ width, height, channels, data }, style));
}

const scalar = new TensorShape([]);

/** The bytes of a JPEG file. */
export const EncodeJpeg = defineOp("EncodeJpeg", {
  inputs: { image: "uint8" },
  outputs: { contents: "string" },
  attrs: {
    format: attr.oneOf(["", "grayscale", "rgb"], ""),
    quality: attr.int(95),
    progressive: attr.bool(false),
    optimizeSize: attr.bool(false),
    chromaDownsampling: attr.bool(true),
    densityUnit: attr.oneOf(["in", "cm"], "in"),
    xDensity: attr.int(300),
    yDensity: attr.int(300),
    xmpMetadata: attr.string(""),
  },
  gradient: "none",
  shape: ({ image }) => {
    image.withRank(3);
    return scalar;
  },
  host: ({ image, format, quality, xDensity, yDensity, ...style }) => {
    checkQuality(quality);
    return jpegOf(image, format, {
      quality,
      isProgressive: style.progressive,
      isCompact: style.optimizeSize,
      isSubsampled: style.chromaDownsampling,
      densityUnit: style.densityUnit === "in" ? 1 : 2,
      density: [xDensity, yDensity],
      xmp: encodeText(style.xmpMetadata),
    });
  },
});

/** The same with a quality that is only known while running. */
export const EncodeJpegVariableQuality = defineOp("EncodeJpegVariableQuality", {
  inputs: { images: "uint8", quality: "int32" },
  outputs: { contents: "string" },
  attrs: {},
  gradient: "none",
  shape: ({ images }) => {
    images.withRank(3);
    return scalar;
  },
  host: ({ images, quality }) => {
    if (images.rank !== 3) throw new InvalidArgumentError(`image must be 3-dimensional${dimsText(images.shape)}`);
    if (quality.rank !== 0) throw new InvalidArgumentError(`quality must be scalar: ${dimsText(quality.shape)}`);
    const value = Number(quality.get(0));
    checkQuality(value);
    return jpegOf(images, "", { quality: value });
  },
});

// ---- PNG ----

/** The bytes of PNG files of 8 or 16 bits a channel; the dimensions in front stay. */
export const EncodePng = defineOp("EncodePng", {
  inputs: { image: "T" },
  outputs: { contents: "string" },
  attrs: { compression: attr.int(-1), T: attr.type(["uint8", "uint16"], "uint8") },
  gradient: "none",
  shape: ({ image }) =>
    image.rank === null ? TensorShape.unknown() : new TensorShape(image.withRankAtLeast(3).dims?.slice(0, -3) ?? null),
  host: ({ image, compression }) => {
    const { shape } = image;
    if (compression < -1 || compression > 9) throw new InvalidArgumentError(`compression should be in [-1,9], got ${compression}`);
    if (shape.length < 3) throw new InvalidArgumentError(`images must be at least rank 3${dimsText(shape)}`);
    const [height, width, channels] = shape.slice(-3);
    if (channels < 1 || channels > 4) throw new InvalidArgumentError(`image must have 1, 2, 3, or 4 channels, got ${channels}`);
    const out = NDArray.zeros("string", shape.slice(0, -3));
    const size = height * width * channels;
    if (size === 0 && out.size > 0)
      throw new InternalError(
        `PNG encoding failed at the following flattened batch indices: ${Array.from({ length: out.size }, (_, i) => i).join(", ")}`,
      );
    for (let i = 0; i < out.size; i++) {
      const data = (image.data as Uint8Array | Uint16Array).slice(i * size, (i + 1) * size);
      out.set(i, pngFromPixels({ width, height, channels, data }));
    }
    return out;
  },
});

// ---- public functions ----

interface EncodeJpegOptions extends Named {
  readonly format?: "" | "grayscale" | "rgb";
  /** From 0 to 100. */
  readonly quality?: number;
  readonly progressive?: boolean;
  readonly optimizeSize?: boolean;
  readonly chromaDownsampling?: boolean;
  readonly densityUnit?: "in" | "cm";
  readonly xDensity?: number;
  readonly yDensity?: number;
  readonly xmpMetadata?: string;
}

const jpegNames = [
  "format",
  "quality",
  "progressive",
  "optimizeSize",
  "chromaDownsampling",
  "densityUnit",
  "xDensity",
  "yDensity",
  "xmpMetadata",
  "name",
];

/** The bytes of a JPEG file of a picture `[height, width, 1 or 3]`, the same that TensorFlow writes. TF: tf.image.encode_jpeg(image, format, quality,
 *  progressive, optimize_size, chroma_downsampling, density_unit, x_density, y_density, xmp_metadata, name). */
export const encodeJpeg = (image: TensorLike, ...rest: unknown[]): Tensor => {
  const { name, ...options } = collect<EncodeJpegOptions>(jpegNames, rest);
  return EncodeJpeg({ image, ...options }, { name });
};

interface QualityOptions extends Named {
  readonly dctMethod?: "" | "INTEGER_FAST" | "INTEGER_ACCURATE";
}

/** An image as it is after JPEG of a quality from 0 to 100. TF: tf.image.adjust_jpeg_quality(image, jpeg_quality, dct_method, name). */
export function adjustJpegQuality(image: TensorLike, jpegQuality: TensorLike, ...rest: unknown[]): Tensor {
  const { dctMethod, name } = collect<QualityOptions>(["dctMethod", "name"], rest);
  return inNameScope({ name }, "adjust_jpeg_quality", [image], () => {
    const given = convertToTensor(image, { name: "image" });
    const channels = given.shape.asList().at(-1) ?? 0;
    const images = convertImageDtype(given, "uint8", { saturate: true });
    const quality = convertToTensor(jpegQuality, { dtype: jpegQuality instanceof Tensor ? undefined : "int32" });
    const decoded = DecodeJpeg({ contents: EncodeJpegVariableQuality({ images, quality }), channels, dctMethod });
    return convertImageDtype(decoded, given.dtype, { saturate: true });
  });
}

/** The bytes of a PNG file of a picture `[height, width, channels]` of 8 or 16 bits. TF: tf.image.encode_png(image, compression, name). */
export const encodePng = (image: TensorLike, ...rest: unknown[]): Tensor => {
  const { name, compression } = collect<Named & { readonly compression?: number }>(["compression", "name"], rest);
  return EncodePng({ image, compression }, { name });
};
