// The scripts behind npm's commands: flags, exit status and Ctrl-C reach the program, and mistakes are told in words.
// What the commands run is tested where it lives.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "./sources.ts";

const folder = mkdtempSync(join(tmpdir(), "tensorloom-commands-"));
const program = join(folder, "program.ts");
const run = (...args: string[]) => spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });

beforeAll(() => {
  writeFileSync(
    program,
    `const [first, ...rest]: string[] = process.argv.slice(2);
     process.on("SIGINT", () => { console.log("stopped cleanly"); process.exit(0); });
     console.log(JSON.stringify({ first, rest, node: process.version, door: import.meta.resolve("tensorloom") }));
     if (first === "wait") setInterval(() => {}, 1000);
     else process.exitCode = Number(rest[0] ?? 0);`,
  );
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("scripts/run.mjs", () => {
  it("passes flags on, returns the exit status, and runs on a Node that reads TypeScript", () => {
    const { status, stdout } = run("scripts/run.mjs", program, "--epochs", "7");
    const { first, rest, node, door } = JSON.parse(stdout);
    expect([first, rest, status]).toEqual(["--epochs", ["7"], 7]);
    expect(Number(node.slice(1).split(".")[0])).toBeGreaterThanOrEqual(24);
    expect(door).toMatch(/src\/index\.ts$/);
  });

  it("lets the program end by itself on Ctrl-C", async () => {
    const child = spawn(process.execPath, ["scripts/run.mjs", program, "wait"], { cwd: root, detached: true });
    let output = "";
    const ended = new Promise(resolve => child.on("close", resolve));
    child.stdout.on("data", chunk => {
      output += chunk;
      // A terminal sends the signal to the whole group, which a detached child leads.
      if (output.includes("}") && child.pid !== undefined && !output.includes("stopped")) process.kill(-child.pid, "SIGINT");
    });
    expect(await ended).toBe(0);
    expect(output).toMatch(/stopped cleanly\n$/);
  });
});

describe("scripts/test.mjs", () => {
  it("names the steps when it is asked for one it does not have", () => {
    const { status, stderr } = run("scripts/test.mjs", "typos");
    expect(status).toBe(1);
    expect(stderr).toMatch(/^\nThere is no step "typos"; steps are types, lint, /);
  });
});
