// Starts an example as a process of its own, the way `npm run example` does after its set-up. For tests only.

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export type Finished = { readonly status: number | null; readonly stdout: string; readonly stderr: string; readonly lastLine: string };

/** A running example: what it has printed so far, and its end. */
export class ExampleProcess {
  readonly finished: Promise<Finished>;
  readonly #child;
  #stdout = "";
  #stderr = "";

  /** @param file relative to examples/, for instance "mnist/main.ts" */
  constructor(file: string, ...flags: string[]) {
    const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
    const sources = new URL("../../scripts/source.mjs", import.meta.url).href;
    this.#child = spawn(process.execPath, ["--import", sources, path(`../${file}`), ...flags], { cwd: path("../..") });
    this.#child.stdout.setEncoding("utf8").on("data", text => {
      this.#stdout += text;
    });
    this.#child.stderr.setEncoding("utf8").on("data", text => {
      this.#stderr += text;
    });
    this.finished = new Promise((resolve, reject) => {
      this.#child.on("error", reject);
      this.#child.on("close", status => {
        const lastLine = this.#stdout.trimEnd().split("\n").at(-1) ?? "";
        resolve({ status, stdout: this.#stdout, stderr: this.#stderr, lastLine });
      });
    });
  }

  /** Resolves as soon as it has printed `text`. @throws Error if it ends without. */
  async printed(text: string): Promise<void> {
    let isFinished = false;
    void this.finished.then(() => {
      isFinished = true;
    });
    while (!this.#stdout.includes(text)) {
      if (isFinished) throw new Error(`the example ended without printing "${text}":\n${this.#stdout}${this.#stderr}`);
      await new Promise(resolve => setTimeout(resolve, 20));
    }
  }

  /** What Ctrl-C does. */
  interrupt(): void {
    this.#child.kill("SIGINT");
  }
}
