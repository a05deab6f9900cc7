// Brings node_modules in line with package.json, only when something is missing or has changed.
// Runs on the machine's own Node before anything is installed: plain JavaScript, no dependency.
// Knows nothing of tests or examples; `run.mjs` and `test.mjs` call it first.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
const stampFile = join(root, "node_modules", ".tensorloom-setup");
const windows = process.platform === "win32";

/** A failure the reader can mend: shown as text, without a stack. */
export class SetupError extends Error {}

/** The path of a file inside node_modules, for tools that are started by path. */
export const installed = (...path) => join(root, "node_modules", ...path);

const versionOf = text => text.replace(/^v/, "").split(".").map(Number);

/** The `node` dev dependency, or this very Node where that one is missing but this one is new enough to run TypeScript. */
export function developmentNode() {
  const own = installed("node", "bin", windows ? "node.exe" : "node");
  if (existsSync(own) && spawnSync(own, ["--version"]).status === 0) return own;
  if (versionOf(process.version)[0] >= 24) return process.execPath;
  return undefined;
}

/** The Node of the machine: the one npm runs with, or else the first on PATH that is not ours. */
export function machineNode() {
  const ofNpm = process.env.npm_node_execpath;
  if (ofNpm && existsSync(ofNpm) && !ofNpm.startsWith(installed())) return ofNpm;
  const folders = (process.env.PATH ?? "").split(windows ? ";" : ":").filter(folder => !folder.includes("node_modules"));
  return folders.map(folder => join(folder, windows ? "node.exe" : "node")).find(existsSync) ?? process.execPath;
}

/** How to start npm: the very one that started us where there is one, so that no shell is needed on any system. */
function npmCommand() {
  const script = process.env.npm_execpath;
  if (script?.endsWith(".js") && existsSync(script)) return { command: machineNode(), first: [script], shell: false };
  return { command: "npm", first: [], shell: windows };
}

/** What the installed packages depend on; scripts and descriptions may change without a new install. */
function wanted() {
  const { dependencies, devDependencies, allowScripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return createHash("sha256").update(JSON.stringify({ dependencies, devDependencies, allowScripts })).digest("hex");
}

const isCurrent = stamp => existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp && developmentNode() !== undefined;

const advice = [
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|network/i,
    "npm could not reach its registry. Check the network connection or proxy, then run the same command again.",
  ],
  [/EACCES|EPERM/, "npm may not write into this folder. Check who owns it and node_modules; do not run npm as another user than before."],
  [/ENOSPC/, "The disk is full: the development packages need about 600 MB."],
  [/ETARGET|E404/, "The registry that npm uses does not have one of the exact versions in package.json."],
];

const explain = output => advice.find(([pattern]) => pattern.test(output))?.[1] ?? "The end of npm's own output stands above.";

/** One npm command with a line that shows it lives; its output is kept back unless it fails. */
export function npm(args, label) {
  const { command, first, shell } = npmCommand();
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  const live = process.stdout.isTTY;
  const show = () => (live ? process.stdout.write(`\r${label} … ${seconds()} s `) : console.log(`${label} … ${seconds()} s`));
  return new Promise((resolve, reject) => {
    show();
    const timer = setInterval(show, live ? 1000 : 15_000);
    const child = spawn(command, [...first, ...args], { cwd: root, shell, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", chunk => (output += chunk));
    child.on("error", error => {
      clearInterval(timer);
      reject(
        new SetupError(`npm could not be started: ${error.message}\n\nInstall npm (it comes with Node) and run the same command again.`),
      );
    });
    child.on("close", status => {
      clearInterval(timer);
      if (status === 0) return resolve(console.log(`${live ? "\r" : ""}${label}: done in ${seconds()} s`));
      console.error(`\n${output.trim().split("\n").slice(-25).join("\n")}`);
      reject(new SetupError(`npm ${args[0]} failed (exit status ${status}).\n\n${explain(output)}`));
    });
  });
}

/** Installs what is missing and returns the Node that runs TypeScript sources.
 *  @throws SetupError with what to do about it. */
export async function setup() {
  const [major, minor] = versionOf(process.version);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new SetupError(
      `This is Node ${process.version}; tensorloom needs Node 20.19 or newer.\n\nInstall a current Node and run the same command again.`,
    );
  }
  const stamp = wanted();
  if (!isCurrent(stamp)) {
    await npm(["install", "--no-audit", "--no-fund"], "installing the development packages");
    // A user's own npm settings may hold install scripts back; the `node` package needs its script to fetch the program itself.
    if (developmentNode() === undefined) await npm(["rebuild", "node", "--foreground-scripts"], "fetching Node 24");
    if (developmentNode() === undefined) {
      throw new SetupError(
        "The dev dependency `node` did not bring its program: its install script was not allowed to run.\n\n" +
          "Run `npm rebuild node --ignore-scripts=false`, or start this command with Node 24 or newer.",
      );
    }
    writeFileSync(stampFile, stamp);
  }
  return developmentNode();
}

/** Runs `main`, shows a SetupError as text, and ends with its exit status. */
export async function finish(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`\n${error.message}`);
    process.exitCode = 1;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await finish(async () => {
    console.log(`ready: sources run on ${await setup()}`);
  });
}
