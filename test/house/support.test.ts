// docs/support.md tells what there is, so it is made from what there is.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

it("docs/support.md is what the definitions say now", () => {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const check = (): string =>
    execFileSync(process.execPath, ["scripts/generate-support.ts", "--check"], { cwd: root, encoding: "utf8", stdio: "pipe" });
  expect(check, "run `node scripts/generate-support.ts`").not.toThrow();
});

it("the README counts the names as docs/support.md does", () => {
  const text = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
  const [, own, all] = /^(\d+) of the (\d+) public names/m.exec(text("docs/support.md")) ?? [];
  const grouped = (count: string | undefined): string => Number(count).toLocaleString("en-US");
  expect(text("README.md")).toContain(`${grouped(own)} of its ${grouped(all)} public names`);
});
