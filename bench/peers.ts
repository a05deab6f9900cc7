// Peers that run in a process of their own and answer by lines of JSON. TensorFlow is installed into .cache/tensorflow when first asked for
// (PyPI tensorflow-cpu 2.21.0), or found by TENSORLOOM_TF_PYTHON, the path of a Python that has it.

import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** A running peer: one workload at a time. */
export class Peer {
  readonly name: string;
  readonly version: string;
  private readonly process: ChildProcessWithoutNullStreams;
  private readonly lines: AsyncIterator<string>;

  private constructor(name: string, process: ChildProcessWithoutNullStreams, lines: AsyncIterator<string>, version: string) {
    this.name = name;
    this.process = process;
    this.lines = lines;
    this.version = version;
  }

  /** @throws Error if the peer cannot be had, saying why. */
  static async open(name: string, threads: number): Promise<Peer> {
    if (name !== "tf") throw new Error(`There is no peer "${name}" yet. Known: tf.`);
    const python = findPython();
    const child = spawn(python, [here("peers/tensorflow_peer.py"), String(threads)], {
      env: { ...process.env, OMP_NUM_THREADS: String(threads) },
    });
    let complaint = "";
    child.stderr.on("data", (data: Buffer) => {
      complaint += data.toString();
    });
    const reader: Interface = createInterface({ input: child.stdout });
    const lines = reader[Symbol.asyncIterator]();
    const hello = await lines.next();
    if (hello.done) throw new Error(`TensorFlow did not start: ${complaint.slice(-500)}`);
    return new Peer(name, child, lines, (JSON.parse(hello.value) as { version: string }).version);
  }

  private async ask(line: string): Promise<unknown> {
    this.process.stdin.write(`${line}\n`);
    const answer = await this.lines.next();
    if (answer.done) throw new Error(`The peer ended while answering "${line}".`);
    return JSON.parse(answer.value);
  }

  async start(workload: string): Promise<{ firstMs: number }> {
    const { first_ms: firstMs } = (await this.ask(`start ${workload}`)) as { first_ms: number };
    return { firstMs };
  }

  async time(seconds: number): Promise<readonly number[]> {
    return ((await this.ask(`time ${seconds}`)) as { times_ms: number[] }).times_ms;
  }

  close(): void {
    this.process.stdin.end("stop\n");
  }
}

function findPython(): string {
  const given = process.env.TENSORLOOM_TF_PYTHON;
  if (given !== undefined && given !== "") return given;
  const folder = here("../.cache/tensorflow");
  const python = `${folder}/bin/python`;
  if (!existsSync(`${folder}/installed`)) {
    console.log("installing tensorflow-cpu 2.21.0 into .cache/tensorflow (once, about 250 MB)");
    run("python3", ["-m", "venv", folder]);
    run(python, ["-m", "pip", "install", "--quiet", "tensorflow-cpu==2.21.0"]);
    run("touch", [`${folder}/installed`]);
  }
  return python;
}

function run(command: string, args: readonly string[]): void {
  const { status, error } = spawnSync(command, args, { stdio: "inherit" });
  if (status !== 0)
    throw new Error(
      `${command} ${args.join(" ")} failed (${error?.message ?? `status ${status}`}). TensorFlow needs Python 3.10 to 3.13 and PyPI.`,
    );
}
