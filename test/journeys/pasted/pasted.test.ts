// Programs as people have them, pasted through `tensorloom/compat` line by line and run: every number they show is the one Python showed (recording.py).

import { readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import * as tf from "tensorloom/compat";
import { expect, it } from "vitest";
import type { Show } from "./inputs.ts";

interface Shown {
  readonly name: string;
  readonly length: number;
  readonly values: readonly (number | string)[];
  readonly sum: number;
}

const folder = new URL(".", import.meta.url);
const programs = readdirSync(folder)
  .filter(file => /^\d.*\.ts$/.test(file))
  .map(file => file.replace(".ts", ""));

const flat = (value: unknown): (number | string)[] =>
  typeof value === "string" ? [value] : typeof value !== "object" || value === null ? [Number(value)] : itemsOf(value).flatMap(flat);
const itemsOf = (value: object): unknown[] => [...(value instanceof tf.NDArray ? value.data : (value as Iterable<unknown>))];

it("every program is recorded", () => {
  expect(readdirSync(new URL("recorded", folder)).map(file => file.replace(".json.gz", ""))).toEqual(programs);
});

it.each(programs)("%s", async name => {
  const recorded = JSON.parse(gunzipSync(readFileSync(new URL(`recorded/${name}.json.gz`, folder))).toString()) as Shown[];
  const shown: Shown[] = [];
  const { main } = (await import(/* @vite-ignore */ new URL(`${name}.ts`, folder).href)) as { main: (show: Show) => Promise<void> };
  tf.reset_default_graph();
  await main((row, value) => {
    const items = flat(value);
    const sum = items.reduce<number>((total, item) => (typeof item === "number" ? total + item : total), 0);
    shown.push({ name: row, length: items.length, values: items.slice(0, 16), sum });
  });
  const close = (size: number) => (want: number | string) => (typeof want === "string" ? want : expect.closeTo(want, 4 - Math.log10(size)));
  expect(shown).toEqual(
    recorded.map(({ values, sum, ...row }) => {
      const size = Math.max(0.1, ...values.map(Math.abs as (x: number | string) => number).filter(Number.isFinite));
      return { ...row, values: values.map(close(size)), sum: close(Math.max(size, Math.abs(sum)))(sum) };
    }),
  );
});
