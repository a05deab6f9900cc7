// The built package in a browser: Vite, with no configuration of its own, bundles a page whose module worker trains a net, and headless
// Chromium runs it. The package is laid out as an install would: only what package.json's `files` names. Runs by node:test.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { build } from "vite";

const root = fileURLToPath(new URL("../..", import.meta.url));
const program = "/usr/bin/chromium";
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"].concat(
  ["--disable-background-networking", "--disable-component-update", "--disable-sync"], // nothing here may wait for a network
);

/** Debian's Chromium, installed where we may; otherwise the reason why there is none. */
function missingChromium(): string | undefined {
  if (existsSync(program)) return undefined;
  const mayInstall = process.platform === "linux" && process.getuid?.() === 0 && spawnSync("apt-get", ["--version"]).status === 0;
  if (!mayInstall) return `${program} is missing, and only root on a system with apt-get can install it here`;
  console.log("installing chromium with apt-get (about 300 MB) …");
  const run = (...args: string[]) =>
    spawnSync("apt-get", args, { stdio: ["ignore", "ignore", "inherit"], timeout: 8 * 60_000 }).status === 0;
  const done = run("update") && run("install", "-y", "--no-install-recommends", "chromium");
  return done && existsSync(program) ? undefined : "apt-get could not install chromium";
}

/** A page's project with the package in its node_modules, bundled; returns the folder to serve. */
async function bundle(folder: string): Promise<string> {
  const manifest: { name: string; files: string[] } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const target = join(folder, "node_modules", manifest.name);
  for (const name of ["package.json", ...manifest.files]) cpSync(join(root, name), join(target, name), { recursive: true });
  cpSync(join(root, "test/runtimes/browser"), folder, { recursive: true });
  await build({ root: folder, configFile: false, logLevel: "warn" });
  return join(folder, "dist");
}

const types: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };

/** Serves one folder on a free port of this machine only. */
function serve(folder: string): Promise<Server> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    const file = join(folder, path === "/" ? "index.html" : path);
    if (!file.startsWith(folder) || !existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-type": types[extname(file)] ?? "application/octet-stream" }).end(readFileSync(file));
  });
  return new Promise(resolve => server.listen(0, "127.0.0.1", () => resolve(server)));
}

const reason = missingChromium();
const folder = mkdtempSync(join(tmpdir(), "tensorloom-browser-"));
let server: Server | undefined;
let browser: Browser | undefined;

before(async () => {
  if (reason !== undefined) return;
  server = await serve(await bundle(folder));
  browser = await chromium.launch({ executablePath: program, headless: true, args: flags, timeout: 60_000 });
});

after(async () => {
  await browser?.close();
  server?.close();
  rmSync(folder, { recursive: true, force: true });
});

test("the bundle needs no file but its own modules", { skip: reason }, () => {
  const outputs = readdirSync(join(folder, "dist"), { recursive: true }).map(String);
  assert.ok(
    outputs.some(name => /worker-.*\.js$/.test(name)),
    outputs.join(),
  );
  assert.deepEqual(
    outputs.filter(name => /\.wasm$/.test(name)),
    [],
  );
});

test("a small net learns in a module worker while the page stays responsive", { skip: reason }, async () => {
  assert.ok(browser && server);
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on("pageerror", error => errors.push(String(error)));
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  await page.goto(`http://127.0.0.1:${address.port}/`);
  await page.waitForFunction(() => window.outcome !== undefined, undefined, { timeout: 120_000 });
  const outcome = await page.evaluate(() => window.outcome);
  assert.deepEqual(errors, []);
  assert.ok(outcome?.result, outcome?.error);
  const { first, last, accuracy } = outcome.result;
  assert.ok(first > 0.5 && first < 2, `an untrained net of two classes starts near ln 2; the loss is ${first}`);
  assert.ok(last < 0.05, `the loss ends near 0; it is ${last}`);
  assert.equal(accuracy, 1);
  // A blocked main thread would get one turn at most; a free one about one in 5 ms.
  assert.ok(outcome.turns > outcome.tookMs / 50, `${outcome.turns} turns in ${Math.round(outcome.tookMs)} ms`);
});
