import { describe, expect, test } from "vitest";
import { minutes, type Output, Progress } from "./progress.ts";

/** Records what is written, beside a clock the test moves. */
function stage(terminal: { isTTY?: boolean; columns?: number }) {
  const written: string[] = [];
  const output: Output = { ...terminal, write: (text: string) => written.push(text) };
  const clock = { ms: 0 };
  const progress = new Progress(output, { epochs: 2, stepsPerEpoch: 600 }, () => clock.ms);
  const run = (steps: number, msPerStep: number, { loss = 0.5, accuracy = 0.9 } = {}) => {
    for (let k = 0; k < steps; k++) {
      clock.ms += msPerStep;
      progress.step({ examples: 100, loss, accuracy });
    }
  };
  return { written, progress, run, clock };
}

describe("on a terminal", () => {
  test("rewrites one line", () => {
    const { written, progress, run } = stage({ isTTY: true, columns: 120 });
    run(300, 100);
    expect(written.every(text => text.startsWith("\r") && text.endsWith("\x1b[K") && !text.includes("\n"))).toBe(true);
    expect(written.at(-1)).toBe(
      "\repoch 1/2 ███████████████░░░░░░░░░░░░░░░  300/600  loss 0.500  accuracy 90.0 %  1000 examples/s  1:30 left\x1b[K",
    );
    progress.finish();
    expect(written.at(-1)).toBe("\n");
  });

  test("draws at most ten times a second", () => {
    const { written, run } = stage({ isTTY: true });
    run(500, 2);
    expect(written).toHaveLength(10);
  });

  test.each([
    [{ columns: 80 }, "epoch 1/2 █▌░  300/600 "],
    [{ columns: 0 }, "epoch 1/2 █▌░  300/600 "],
    [{}, "epoch 1/2 █▌░  300/600 "],
    [{ columns: 78 }, "epoch 1/2  300/600 "],
  ])("the bar takes the room that is left: %o", (size, line) => {
    const { written, run } = stage({ isTTY: true, ...size });
    run(300, 100);
    expect(written.at(-1)).toContain(line);
    expect(written.at(-1)).toContain(" left\x1b[K");
  });

  test("never writes past the edge, where a terminal would break the line", () => {
    const { written, run } = stage({ isTTY: true, columns: 40 });
    run(20, 100);
    for (const text of written) expect(text.length - "\r\x1b[K".length).toBeLessThan(40);
  });
});

test("a note is shown on a terminal only", () => {
  const [terminal, file] = [stage({ isTTY: true, columns: 20 }), stage({})];
  for (const { progress } of [terminal, file]) progress.note("measuring on the test set");
  expect(terminal.written).toEqual(["\rmeasuring on the te\x1b[K"]);
  expect(file.written).toEqual([]);
});

describe("elsewhere", () => {
  test("writes a plain line every ten seconds and at the end", () => {
    const { written, progress, run } = stage({});
    run(450, 100);
    expect(written).toHaveLength(4);
    expect(written[0]).toBe("epoch 1/2  100/600  loss 0.500  accuracy 90.0 %  1000 examples/s  1:50 left\n");
    progress.finish();
    expect(written).toHaveLength(5);
    expect(written[4]).toMatch(/^epoch 1\/2 {2}450\/600 /);
    progress.finish();
    expect(written).toHaveLength(5);
  });
});

test("counts steps into the next epoch", () => {
  const { written, progress, run } = stage({});
  run(600, 10);
  progress.finish();
  expect(written.at(-1)).toContain("epoch 1/2  600/600 ");
  run(30, 10);
  progress.finish();
  expect(written.at(-1)).toContain("epoch 2/2   30/600 ");
  expect(progress.steps).toBe(630);
});

test("the slow first step, which compiles, does not count for the rate", () => {
  const { written, progress, run, clock } = stage({});
  clock.ms = 5000;
  run(11, 50);
  progress.finish();
  expect(written.at(-1)).toContain("2000 examples/s");
});

test("after the first step there is no rate yet", () => {
  const { written, progress, run } = stage({});
  run(1, 100);
  progress.finish();
  expect(written).toEqual(["epoch 1/2    1/600  loss 0.500  accuracy 90.0 %\n"]);
});

test("the rate follows a machine that slows down", () => {
  const { written, progress, run } = stage({});
  run(200, 50);
  run(150, 100);
  progress.finish();
  expect(written.at(-1)).toContain("1000 examples/s");
});

test("loss and accuracy lean towards the newest steps", () => {
  const { progress, run } = stage({});
  expect(progress.accuracy).toBeNaN();
  run(100, 100, { accuracy: 0.2 });
  expect(progress.accuracy).toBeCloseTo(0.2, 10);
  run(100, 100, { accuracy: 0.8 });
  expect(progress.accuracy).toBeGreaterThan(0.79);
  expect(progress.accuracy).toBeLessThan(0.8);
});

test.each([
  [0, "0:00"],
  [59.6, "1:00"],
  [75, "1:15"],
  [3600, "60:00"],
])("%d seconds are %s", (seconds, text) => {
  expect(minutes(seconds)).toBe(text);
});
