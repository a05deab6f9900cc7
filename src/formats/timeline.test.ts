// Chrome traces against those of TensorFlow's own tool, of a run it recorded (test/interchange/generate/timeline.py).
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { messageFromBytes } from "./message-codec.ts";
import { Timeline } from "./timeline.ts";

interface Recorded {
  readonly metadata: string;
  readonly traces: readonly { readonly options: { show_dataflow?: boolean; show_memory?: boolean }; readonly text: string }[];
}

const recorded = JSON.parse(
  gunzipSync(readFileSync(new URL("../../test/interchange/data/timeline.json.gz", import.meta.url))).toString(),
) as Recorded;
const { stepStats } = messageFromBytes("RunMetadata", new Uint8Array(Buffer.from(recorded.metadata, "base64")));

test.each(recorded.traces)("a trace with $options is TensorFlow's", ({ options: { show_dataflow, show_memory }, text }) => {
  const given = {
    ...(show_dataflow !== undefined && { showDataflow: show_dataflow }),
    ...(show_memory !== undefined && { showMemory: show_memory }),
  };
  const trace = JSON.parse(new Timeline(stepStats).generateChromeTraceFormat(given));
  const expected = JSON.parse(text);
  expect(trace.traceEvents.length).toBeGreaterThan(10);
  expect(trace).toEqual(expected);
});

test("two lanes, arrows between them, none within one", () => {
  const node = (nodeName: string, label: string, start: bigint, length: bigint) => ({
    ...{ nodeName, timelineLabel: `${nodeName} = ${label}`, allStartMicros: start, allEndRelMicros: length },
    output: [{ slot: 0, tensorDescription: { allocationDescription: { requestedBytes: 8n, allocatorName: "cpu" } } }],
  });
  const nodeStats = [node("a", "Const()", 10n, 10n), node("b", "Const()", 15n, 20n), node("c", "Add(a, b)", 40n, 5n)];
  const stats = { devStats: [{ device: "CPU:0", nodeStats }] };
  const { traceEvents } = JSON.parse(new Timeline(stats as never).generateChromeTraceFormat()) as {
    traceEvents: Record<string, unknown>[];
  };
  const boxes = traceEvents.filter(({ ph }) => ph === "X").map(({ name, tid, ts, dur }) => [name, tid, ts, dur]);
  expect(boxes).toEqual([
    ["Const", 0, 10, 10],
    ["Const", 1, 15, 20],
    ["Add", 0, 40, 5],
  ]);
  expect(traceEvents.filter(({ cat }) => cat === "DataFlow").map(({ ph, name, ts }) => [ph, name, ts])).toEqual([
    ["s", "b", 35],
    ["t", "b", 40],
  ]);
  expect(() => new Timeline(undefined)).toThrow("Argument `step_stats` must be a StepStats message.");
});
