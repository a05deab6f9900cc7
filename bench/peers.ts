// Peers that run in a process of their own and answer by lines of JSON (peers/protocol.py). They are installed under .cache/peers by
// `npm run bench -- install NAME`, never into the project; a Python that has its library already is named by TENSORLOOM_NAME_PYTHON.

import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

interface Kind {
  readonly title: string;
  readonly language: "python" | "node";
  readonly script: string;
  readonly packages: readonly string[];
  readonly arguments?: readonly string[];
}

const kinds: Readonly<Record<string, Kind>> = {
  tf: { title: "TensorFlow with oneDNN", language: "python", script: "tensorflow_peer.py", packages: ["tensorflow-cpu==2.21.0"] },
  torch: { title: "PyTorch", language: "python", script: "torch_peer.py", packages: ["torch", "numpy"] },
  jax: { title: "JAX", language: "python", script: "jax_peer.py", packages: ["jax==0.10.2", "numpy"] },
  tfjs: {
    title: "TensorFlow.js, wasm",
    language: "node",
    script: "tfjs-peer.mjs",
    packages: ["@tensorflow/tfjs@4.22.0", "@tensorflow/tfjs-backend-wasm@4.22.0"],
  },
  jaxjs: { title: "jax-js, wasm", language: "node", script: "jaxjs-peer.mjs", packages: ["@jax-js/jax@0.1.25"] },
  "ort-web": {
    title: "ONNX Runtime Web, wasm",
    language: "node",
    script: "ort-peer.mjs",
    packages: ["onnxruntime-web@1.30.0"],
    arguments: ["web"],
  },
  "ort-node": {
    title: "ONNX Runtime, native",
    language: "node",
    script: "ort-peer.mjs",
    packages: ["onnxruntime-node@1.30.0"],
    arguments: ["node"],
  },
};

export const peerNames = Object.keys(kinds);
export const titleOf = (name: string): string => kinds[name]?.title ?? name;

const folderOf = (name: string): string => here(`../.cache/peers/${name}`);
const stampOf = (name: string): string => `${folderOf(name)}/installed`;
const givenPython = (name: string): string | undefined => process.env[`TENSORLOOM_${name.toUpperCase()}_PYTHON`] || undefined;

function kindOf(name: string): Kind {
  const kind = kinds[name];
  if (kind === undefined) throw new Error(`There is no peer "${name}". Known: ${peerNames.join(", ")}.`);
  return kind;
}

/** How long a peer may take to build a workload and do its first step. */
const patienceMs = 15_000;

interface Running {
  readonly process: ChildProcessWithoutNullStreams;
  readonly lines: AsyncIterator<string>;
  readonly version: string;
}

/** A running peer: one workload at a time. */
export class Peer {
  readonly name: string;
  readonly version: string;
  private readonly threads: number;
  private running: Running;

  private constructor(name: string, threads: number, running: Running) {
    this.name = name;
    this.threads = threads;
    this.running = running;
    this.version = running.version;
  }

  /** @throws Error if the peer is unknown, not installed or does not start, saying what to do. */
  static async open(name: string, threads: number): Promise<Peer> {
    return new Peer(name, threads, await startPeer(name, threads));
  }

  /** @throws Error with the peer's own words if it cannot. */
  private async ask(line: string): Promise<Record<string, unknown>> {
    this.running.process.stdin.write(`${line}\n`);
    const answer = await this.running.lines.next();
    if (answer.done) {
      this.running = await startPeer(this.name, this.threads);
      throw new Error(`it ended while answering "${line}"`);
    }
    const result = JSON.parse(answer.value) as Record<string, unknown>;
    if (typeof result.error === "string") throw new Error(result.error);
    return result;
  }

  /** Builds a workload and warms it. A peer that takes too long is ended and started anew. @throws Error if it cannot, or not in time. */
  async start(workload: string): Promise<{ firstMs: number }> {
    const { process } = this.running;
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      process.kill("SIGKILL");
    }, patienceMs);
    try {
      return { firstMs: Number((await this.ask(`start ${workload}`)).first_ms) };
    } catch (error) {
      throw isLate ? new Error(`its first step takes more than ${patienceMs / 1000} s`) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  async time(seconds: number): Promise<readonly number[]> {
    return (await this.ask(`time ${seconds}`)).times_ms as number[];
  }

  close(): void {
    this.running.process.stdin.end("stop\n");
  }
}

async function startPeer(name: string, threads: number): Promise<Running> {
  const kind = kindOf(name);
  const python = givenPython(name);
  if (python === undefined && !existsSync(stampOf(name)))
    throw new Error(`skipped: not installed, install with \`npm run bench -- install ${name}\``);
  const script = here(`peers/${kind.script}`);
  const [command, args] =
    kind.language === "python"
      ? [python ?? `${folderOf(name)}/bin/python`, [script, String(threads)]]
      : [process.execPath, [script, folderOf(name), String(threads), ...(kind.arguments ?? [])]];
  const child = spawn(command, args, { env: { ...process.env, OMP_NUM_THREADS: String(threads) } });
  let complaint = "";
  child.stderr.on("data", (data: Buffer) => {
    complaint = (complaint + data.toString()).slice(-500);
  });
  child.on("error", error => {
    complaint = error.message;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const hello = await lines.next();
  if (hello.done) throw new Error(`skipped: it did not start: ${complaint}`);
  return { process: child, lines, version: (JSON.parse(hello.value) as { version: string }).version };
}

/** Installs a peer into its folder under .cache/peers. */
export function installPeer(name: string): void {
  const { language, packages } = kindOf(name);
  const folder = folderOf(name);
  mkdirSync(folder, { recursive: true });
  console.log(`installing ${packages.join(" ")} into .cache/peers/${name}`);
  if (language === "python") {
    run("python3", ["-m", "venv", folder]);
    run(`${folder}/bin/python`, ["-m", "pip", "install", "--quiet", ...packages]);
  } else {
    writeFileSync(`${folder}/package.json`, `${JSON.stringify({ name: `bench-${name}`, private: true })}\n`);
    run("npm", ["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder, ...packages], {
      ONNXRUNTIME_NODE_INSTALL_CUDA: "skip",
    });
  }
  writeFileSync(stampOf(name), `${packages.join("\n")}\n`);
}

function run(command: string, args: readonly string[], env: Record<string, string> = {}): void {
  const { status, error } = spawnSync(command, args, { stdio: "inherit", env: { ...process.env, ...env } });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed (${error?.message ?? `status ${status}`}).`);
}
