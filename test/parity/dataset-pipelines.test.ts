// Random pipelines of tf.data against TensorFlow (generate/dataset_pipelines.py): sources, functions, batches, orders and errors, elements bit for bit where
// they are random, shapes, what is refused and what follows.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Case, type Outcome, run, setFolder, type Told } from "./dataset-pipelines.ts";
import { loadSpec } from "./golden.ts";

const { files, cases } = loadSpec("dataset-pipelines") as {
  readonly files: Readonly<Record<string, string>>;
  readonly cases: readonly (Case & { readonly want: Outcome })[];
};

/** The same but for digits that rounding decides. */
function isSame(found: Told, want: Told): boolean {
  if (Array.isArray(want)) return Array.isArray(found) && found.length === want.length && want.every((part, i) => isSame(found[i], part));
  if (want !== null && typeof want === "object")
    return found !== null && typeof found === "object" && Object.keys(want).every(key => isSame(found[key], want[key]));
  if (found === want || typeof want !== "string" || typeof found !== "string") return found === want;
  if (!/^-?(\d.*|inf|nan)$/.test(want)) return false;
  const [x, y] = [found, want].map(text => Number(text.replace("inf", "Infinity").replace("nan", "NaN")));
  return Object.is(x, y) || Math.abs(x - y) <= (/^-?\d+$/.test(want) ? 0 : 2e-6 * Math.max(1, Math.abs(y)));
}

describe("random pipelines", () => {
  const folder = join(mkdtempSync(join(tmpdir(), "pipelines-")), "/");
  beforeAll(() => {
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), Buffer.from(bytes, "base64"));
    setFolder(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(cases.map(each => [each.id, each.ds[0], each] as const))("is TensorFlow's: %s %s", async (_id, _op, each) => {
    const { want } = each;
    const found = await run(each);
    const { results, ...rest } = found;
    const { results: wanted = [], ...others } = want;
    expect(rest).toEqual(others);
    wanted.forEach((step, k) => {
      if (!isSame(results?.[k], step)) expect({ k, step: results?.[k], ds: each.ds }).toEqual({ k, step, ds: each.ds });
    });
  });
});
