import { describe, expect, test } from "vitest";
import { DataFileError, type IdxArray } from "./idx.ts";
import { type Digits, digitsFrom, firstDigits, loadDigits, pixels } from "./digits.ts";
import { type Batch, batchesInOrder, batchesPerEpoch, type RandomBelow, seededRandom, shuffled, shuffledBatches } from "./pipeline.ts";

/** Digit k has label k mod 10 and every pixel k. */
const numbered = (count: number): Digits => ({
  count,
  images: Uint8Array.from({ length: count * pixels }, (_, k) => Math.floor(k / pixels)),
  labels: Uint8Array.from({ length: count }, (_, k) => k % 10),
});
const array = (dims: number[], fillWith = 0): IdxArray => ({ dims, data: new Uint8Array(dims.reduce((a, b) => a * b)).fill(fillWith) });

describe("seededRandom", () => {
  test("repeats itself for a seed and differs between seeds", () => {
    const draw = (seed: number) =>
      Array.from(
        { length: 8 },
        (
          random => () =>
            random(1000)
        )(seededRandom(seed)),
      );
    expect(draw(1)).toEqual(draw(1));
    expect(new Set([0, 1, 2, 3].map(seed => draw(seed).join())).size).toBe(4);
  });

  test("is even: each of ten values within 3 % of its share of 100,000 draws", () => {
    const random = seededRandom(7);
    const counts = new Array(10).fill(0);
    for (let k = 0; k < 100_000; k++) counts[random(10)]++;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(300);
  });
});

describe("shuffled", () => {
  test("is a permutation, and not the identity", () => {
    const order = shuffled(1000, seededRandom(3));
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, k) => k));
    expect([...order].filter((at, k) => at === k).length).toBeLessThan(10);
  });

  test("moves an element everywhere equally often", () => {
    const random = seededRandom(5);
    const places = new Array(5).fill(0);
    for (let k = 0; k < 20_000; k++) places[shuffled(5, random).indexOf(0)]++;
    for (const count of places) expect(Math.abs(count - 4000)).toBeLessThan(250);
  });
});

/** Which digits each batch of an epoch shows: in `numbered` digits an image tells its own index. */
const shownOf = (digits: Digits, batchSize: number, random: RandomBelow): number[] =>
  [
    ...mapBatches(shuffledBatches(digits, batchSize, random), batch =>
      Array.from({ length: batch.count }, (_, slot) => indexShown(batch, slot)),
    ),
  ].flat();
const indexShown = (batch: Batch, slot: number) => Math.round(Number(batch.images.data[slot * pixels]) * 255);

/** Looks at each batch while it is current: the next one overwrites it. */
function* mapBatches<T>(batches: Iterable<Batch>, look: (batch: Batch) => T): Generator<T> {
  for (const batch of batches) yield look(batch);
}

describe("shuffledBatches", () => {
  test("gives float32 images and int32 labels in the shapes a net takes", () => {
    for (const { images, labels } of shuffledBatches(numbered(40), 20, seededRandom(1))) {
      expect([images.dtype, images.shape, labels.dtype, labels.shape]).toEqual(["float32", [20, 28, 28, 1], "int32", [20]]);
    }
  });

  test("keeps image and label together and scales to [0, 1]", () => {
    for (const batch of shuffledBatches(numbered(200), 20, seededRandom(1))) {
      for (let slot = 0; slot < batch.count; slot++) {
        const example = indexShown(batch, slot);
        expect(batch.labels.data[slot]).toBe(example % 10);
        expect(batch.images.data[slot * pixels + pixels - 1]).toBe(Math.fround(example / 255));
      }
    }
  });

  test("shows every digit once an epoch, in another order each epoch", () => {
    const random = seededRandom(1);
    const [first, second] = [shownOf(numbered(200), 50, random), shownOf(numbered(200), 50, random)];
    expect([...first].sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, k) => k));
    expect([...second].sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, k) => k));
    expect(second).not.toEqual(first);
  });

  test("repeats itself for a seed", () => {
    expect(shownOf(numbered(100), 10, seededRandom(4))).toEqual(shownOf(numbered(100), 10, seededRandom(4)));
  });

  test("leaves out what does not fill a batch", () => {
    expect(batchesPerEpoch(numbered(25), 10)).toBe(2);
    expect(shownOf(numbered(25), 10, seededRandom(1))).toHaveLength(20);
  });
});

test("batchesInOrder gives all digits, the last batch smaller", () => {
  const batches = [...batchesInOrder(numbered(25), 10)];
  expect(batches.map(({ start, count }) => [start, count])).toEqual([
    [0, 10],
    [10, 10],
    [20, 5],
  ]);
  expect(batches[2].labels.toArray()).toEqual([0, 1, 2, 3, 4]);
  expect(batches[2].images.shape).toEqual([5, 28, 28, 1]);
});

describe("digitsFrom", () => {
  test("joins images and labels", () => {
    expect(digitsFrom(array([2, 28, 28], 9), array([2], 3), "i", "l")).toMatchObject({ count: 2, labels: Uint8Array.of(3, 3) });
  });

  test.each([
    [
      "other images",
      array([2, 28, 27]),
      array([2]),
      "i should hold images of shape [count, 28, 28], its header at byte 4 says [2, 28, 27]",
    ],
    ["labels as images", array([784]), array([1]), "i should hold images of shape [count, 28, 28], its header at byte 4 says [784]"],
    ["images as labels", array([2, 28, 28]), array([2, 1]), "l should hold labels of shape [count], its header at byte 4 says [2, 1]"],
    ["counts", array([2, 28, 28]), array([3]), "i holds 2 images, but l holds 3 labels"],
    ["nothing", array([0, 28, 28]), array([0]), "i holds no images"],
    [
      "a label of 10",
      array([2, 28, 28]),
      { dims: [2], data: Uint8Array.of(9, 10) },
      "l is damaged at byte 9: a label is a digit from 0 to 9, found 10",
    ],
  ])("refuses %s", (_, images, labels, message) => {
    expect(() => digitsFrom(images, labels, "i", "l")).toThrow(DataFileError);
    expect(() => digitsFrom(images, labels, "i", "l")).toThrow(message);
  });
});

test("firstDigits never gives more than there are", () => {
  expect(firstDigits(numbered(5), 2)).toMatchObject({ count: 2, labels: Uint8Array.of(0, 1) });
  expect(firstDigits(numbered(5), 20).images).toHaveLength(5 * pixels);
});

describe("loadDigits", () => {
  test("reads the 10,000 test digits of the npm package", async () => {
    const digits = await loadDigits("test");
    expect(digits.count).toBe(10_000);
    expect([...digits.labels.subarray(0, 10)]).toEqual([7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
  });

  test("says how to mend a missing file", async () => {
    await expect(loadDigits("train", "nowhere")).rejects.toThrow(
      /cannot read nowhere.train-images-idx3-ubyte: there is no such file\n\nThe four files .*npm install/s,
    );
  });
});
