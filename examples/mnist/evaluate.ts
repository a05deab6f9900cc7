// Measures a net on digits it has not seen: the share it reads right, which digits it takes for which, and a picture of its mistakes.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type * as tf from "tensorloom";
import { digitSheet } from "../shared/digit-sheet.ts";
import { type Digits, imageOf } from "../shared/digits.ts";
import { batchesInOrder } from "../shared/pipeline.ts";
import { encodePng } from "../shared/png.ts";
import type { Net } from "./model.ts";
import { confusionTable } from "./table.ts";

export type Mistake = { readonly index: number; readonly truth: number; readonly predicted: number };

/** `confusion[truth][predicted]` counts digits; `mistakes` are in the order of the test set. */
export type Evaluation = {
  readonly accuracy: number;
  readonly confusion: readonly (readonly number[])[];
  readonly mistakes: readonly Mistake[];
};

const batchSize = 500;
const picturedMistakes = 160;
const columns = 16;

/** Lets the net read every digit; `show` hears now and then how many it has read. */
export async function evaluate(
  session: Pick<tf.Session, "run">,
  net: Pick<Net, "images" | "predicted">,
  digits: Digits,
  show: (count: number) => void = () => {},
): Promise<Evaluation> {
  const confusion = Array.from({ length: 10 }, () => new Array<number>(10).fill(0));
  const mistakes: Mistake[] = [];
  for (const { images, count, start } of batchesInOrder(digits, batchSize)) {
    const predictions = await session.run(net.predicted, [[net.images, images]]);
    for (let k = 0; k < count; k++) {
      const truth = digits.labels[start + k];
      const predicted = Number(predictions.data[k]);
      confusion[truth][predicted]++;
      if (predicted !== truth) mistakes.push({ index: start + k, truth, predicted });
    }
    show(start + count);
  }
  return { accuracy: 1 - mistakes.length / digits.count, confusion, mistakes };
}

/** Prints the confusion table and the mistakes, and draws the mistakes into wrong.png in `folder`, which exists, in the same rows. */
export async function reportMistakes({ confusion, mistakes }: Evaluation, digits: Digits, folder: string): Promise<void> {
  console.log(`\nwhat the net took each digit for:\n\n${confusionTable(confusion)}\n`);
  if (mistakes.length === 0) return console.log("no digit was taken for another one: no picture");
  const shown = mistakes.slice(0, picturedMistakes);
  const path = join(folder, "wrong.png");
  await writeFile(
    path,
    encodePng(
      digitSheet(
        shown.map(mistake => ({ image: imageOf(digits, mistake.index), ...mistake })),
        { columns },
      ),
    ),
  );
  const which =
    shown.length < mistakes.length ? `the first ${shown.length} of ${mistakes.length} wrong digits` : `the ${shown.length} wrong digits`;
  console.log(`${which}, each as true>predicted, in the rows of ${path}:\n${mistakeRows(shown).join("\n")}\n`);
}

/** Lines such as `row  1: 4>9 7>2`, a row of the picture each. */
export function mistakeRows(mistakes: readonly Mistake[]): string[] {
  return Array.from({ length: Math.ceil(mistakes.length / columns) }, (_, row) => {
    const cells = mistakes.slice(row * columns, (row + 1) * columns).map(({ truth, predicted }) => `${truth}>${predicted}`);
    return `  row ${String(row + 1).padStart(2)}: ${cells.join(" ")}`;
  });
}
