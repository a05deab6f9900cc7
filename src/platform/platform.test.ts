// Both sides of the platform offer the same: by name while running, by type while compiling.
import { expect, test } from "vitest";
import * as chosen from "#platform";
import * as browser from "./browser.ts";
import * as node from "./node.ts";

const asNode: typeof node = browser;
const asBrowser: typeof browser = node;

test("node.ts and browser.ts export the same names", () => {
  expect(Object.keys(asBrowser).sort()).toEqual(Object.keys(asNode).sort());
});

test("#platform is Node's side in Node", () => {
  expect(chosen.availableThreads).toBe(node.availableThreads);
  expect(chosen.availableThreads()).toBeGreaterThanOrEqual(1);
});
