// Short programs of the upper library against recordings of TensorFlow (generate/library_texts.py).

import { expect, test } from "vitest";
import { loadSpec } from "./golden.ts";
import { type TextCase, textDifferences } from "./library-texts.ts";

const cases = loadSpec("library-texts") as readonly TextCase[];

test.each(cases.map(golden => [golden.text, golden] as const))("%s", async (_, golden) => {
  expect(await textDifferences(golden)).toEqual([]);
});
