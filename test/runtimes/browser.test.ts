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

/** What makes a page cross-origin isolated, so that its threads may share memory. */
const isolation = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };

/** Serves one folder on a free port of this machine only; `?isolated` asks for a page that is cross-origin isolated. */
function serve(folder: string): Promise<Server> {
  let headers = {};
  const server = createServer((request, response) => {
    if (request.url?.startsWith("/?")) headers = request.url === "/?isolated" ? isolation : {};
    asked.push(request.url ?? "");
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    const file = join(folder, path === "/" ? "index.html" : path);
    if (!file.startsWith(folder) || !existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-type": types[extname(file)] ?? "application/octet-stream", ...headers }).end(readFileSync(file));
  });
  return new Promise(resolve => server.listen(0, "127.0.0.1", () => resolve(server)));
}

const asked: string[] = [];
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

async function outcomeOf(query: string) {
  assert.ok(browser && server);
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on("pageerror", error => errors.push(String(error)));
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  await page.goto(`http://127.0.0.1:${address.port}/${query}`);
  await page.waitForFunction(() => window.outcome !== undefined, undefined, { timeout: 120_000 });
  const outcome = await page.evaluate(() => window.outcome);
  await page.close();
  assert.deepEqual(errors, []);
  assert.ok(outcome?.result, outcome?.error);
  return { ...outcome, result: outcome.result };
}

/** Twice the sum of 384 × 384 products over 512 ones. */
const product = 2 * 384 * 384 * 512;

test("a small net learns in a module worker while the page stays responsive", { skip: reason }, async () => {
  const outcome = await outcomeOf("?plain");
  const { first, last, accuracy } = outcome.result;
  assert.ok(first > 0.5 && first < 2, `an untrained net of two classes starts near ln 2; the loss is ${first}`);
  assert.ok(last < 0.05, `the loss ends near 0; it is ${last}`);
  assert.equal(accuracy, 1);
  // A blocked main thread would get one turn at most; a free one about one in 5 ms.
  assert.ok(outcome.turns > outcome.tookMs / 50, `${outcome.turns} turns in ${Math.round(outcome.tookMs)} ms`);
  // Without cross-origin isolation memory cannot be shared: one thread with the same code, and nothing of threads is even loaded.
  const { threads, sharedPhases, products } = outcome.result;
  assert.deepEqual({ threads, sharedPhases, products }, { threads: 1, sharedPhases: 0, products: Array(20).fill(product) });
  assert.deepEqual(
    asked.filter(path => path.includes("thread")),
    [],
  );
});

test("a page that is cross-origin isolated shares work between threads", { skip: reason }, async () => {
  const { threads, sharedPhases, products, accuracy } = (await outcomeOf("?isolated")).result;
  assert.equal(accuracy, 1);
  assert.equal(threads, 2);
  assert.ok(sharedPhases > 0);
  assert.deepEqual(products, Array(20).fill(product));
  assert.ok(
    asked.some(path => path.includes("thread-browser")),
    asked.join(),
  );
});

test("a page reads and writes checkpoints and records: its own files, Blobs, responses", { skip: reason }, async () => {
  assert.ok(browser && server);
  const page = await browser.newPage();
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const before = asked.length;
  await page.goto(`http://127.0.0.1:${address.port}/?files`);
  await page.waitForFunction(() => window.used !== undefined, undefined, { timeout: 60_000 });
  const used = await page.evaluate(() => window.used);
  await page.close();
  const weights = [
    [1.5, -2],
    [3, 0.25],
  ];
  // Codes: 15 data loss, 5 not found, 7 permission denied.
  assert.deepEqual(used, {
    stored: weights,
    files: 3,
    picked: [[3, 0.25]],
    cut: 15,
    missing: 5,
    above: 7,
    records: [1, 2, 3],
    fetched: weights,
    left: null,
  });
  // Nothing of graph or compiler came along.
  assert.deepEqual(
    asked.slice(before).filter(path => path.includes("worker")),
    [],
  );
});
