// docs/support.md tells what there is, so it is made from what there is.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

it("docs/support.md is what the definitions say now", () => {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const check = (): string =>
    execFileSync(process.execPath, ["scripts/generate-support.ts", "--check"], { cwd: root, encoding: "utf8", stdio: "pipe" });
  expect(check, "run `node scripts/generate-support.ts`").not.toThrow();
});
