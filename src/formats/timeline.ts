// Step stats as Chrome's trace events: what chrome://tracing and Perfetto show, a line of boxes for each lane of each device. The events are those
// of TensorFlow's own tool, so pages that read its files read these; only boxes that touch stay in one lane here.

import type { Message } from "./messages.ts";
import { messageToText } from "./text-format.ts";

type StepStats = Message<"StepStats">;
type Device = Message<"DeviceStepStats">;
type TraceEvent = Readonly<Record<string, unknown>>;

export interface ChromeTraceOptions {
  /** Arrows from what makes a tensor to what reads it, where they are in different lanes. */
  readonly showDataflow?: boolean;
  /** Tensors as objects with their sizes, and the bytes of each allocator over time. */
  readonly showMemory?: boolean;
  /** What a GPU would change: there are none here, so all three show the same. */
  readonly opTime?: "schedule" | "gpu" | "all";
}

/** A node of the stats where it is drawn; times in microseconds. */
interface Box {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly start: number;
  readonly end: number;
  readonly pid: number;
  readonly tid: number;
}

/** A tensor, from when it is made until it is read last. */
interface Made extends Box {
  readonly id: number;
  readonly tensorsPid: number;
  readonly allocator: string;
  readonly bytes: number;
  lastRead: number;
}

const allocatorsPid = 0;

/** The timeline of a traced run: `new timeline.Timeline(runMetadata.stepStats).generateChromeTraceFormat()` is the text of a file for
 *  chrome://tracing. TF: tensorflow.python.client.timeline.Timeline. */
export class Timeline {
  private readonly stepStats: StepStats;

  /** @throws TypeError if nothing was traced. */
  constructor(stepStats: StepStats | null | undefined) {
    if (typeof stepStats !== "object" || stepStats === null || !Array.isArray(stepStats.devStats))
      throw new TypeError(
        "Argument `step_stats` must be a StepStats message.\n\nIt is `runMetadata.stepStats` after a run with options: new tf.RunOptions({ traceLevel: tf.RunOptions.FULL_TRACE }).",
      );
    this.stepStats = stepStats;
  }

  /** Chrome's trace event format, as JSON. TF: generate_chrome_trace_format. */
  generateChromeTraceFormat({ showDataflow = true, showMemory = false }: ChromeTraceOptions = {}): string {
    const heads: TraceEvent[] = [processName(allocatorsPid, "Allocators")];
    const events: TraceEvent[] = [];
    const tensors = new Map<string, Made>();
    const boxes = this.stepStats.devStats.map((device, d) => {
      const pid = 2 * d + 1;
      heads.push(processName(pid, `${device.device} Compute`), processName(pid + 1, `${device.device} Tensors`));
      const drawn = boxesOf(device, pid);
      makeTensors(device, drawn, { tensors, events: showMemory ? events : undefined });
      return drawn;
    });
    let flows = 0;
    for (const box of boxes.flat()) {
      events.push(region(box));
      for (const input of box.inputs) {
        const made = tensors.get(input) ?? tensors.get(input.replace(/(?!^)\/_[^/]*$/, ""));
        if (made === undefined) continue;
        made.lastRead = Math.max(made.lastRead, box.end - 1);
        if (showDataflow && (made.pid !== box.pid || made.tid !== box.tid)) events.push(...arrow(made, box, flows++));
      }
    }
    if (showMemory) events.push(...memoryEvents([...tensors.values()]));
    return JSON.stringify({ traceEvents: [...heads, ...events] }, null, 4);
  }
}

const processName = (pid: number, name: string): TraceEvent => ({ name: "process_name", ph: "M", pid, args: { name } });

/** Boxes of one device in lanes: each in the first that is free. */
function boxesOf({ nodeStats }: Device, pid: number): Box[] {
  const lanes: number[] = [];
  return nodeStats.map(({ nodeName, timelineLabel, allStartMicros, allEndRelMicros }) => {
    const start = Number(allStartMicros);
    const end = start + Number(allEndRelMicros);
    const free = lanes.findIndex(until => start >= until);
    const tid = free >= 0 ? free : lanes.length;
    lanes[tid] = end;
    const [, op = "unknown", inputs = ""] = /^.* = (.*)\((.*)\)/.exec(timelineLabel) ?? [];
    return { name: nodeName, op, inputs: inputs === "" ? [] : inputs.split(", "), start, end, pid, tid };
  });
}

function makeTensors(
  { nodeStats }: Device,
  boxes: readonly Box[],
  { tensors, events }: { readonly tensors: Map<string, Made>; readonly events: TraceEvent[] | undefined },
): void {
  for (const [i, box] of boxes.entries())
    for (const [index, { tensorDescription }] of nodeStats[i].output.entries()) {
      const name = index === 0 ? box.name : `${box.name}:${index}`;
      const { requestedBytes = 0n, allocatorName = "" } = tensorDescription?.allocationDescription ?? {};
      const made = {
        ...box,
        ...{ name, id: tensors.size, tensorsPid: box.pid + 1, allocator: allocatorName, bytes: Number(requestedBytes), lastRead: box.end },
      };
      tensors.set(name, made);
      if (events === undefined) continue;
      const text = messageToText("TensorDescription", tensorDescription ?? {}).replaceAll('"', "");
      events.push(tensorEvent("N", made, made.start, {}), {
        ...tensorEvent("O", made, made.end - 1, {}),
        args: { snapshot: { tensor_description: text } },
      });
    }
}

const tensorEvent = (ph: "N" | "O" | "D", { name, tensorsPid, tid, id }: Made, ts: number, { lane = tid }): TraceEvent => ({
  ph,
  cat: "Tensor",
  name,
  pid: tensorsPid,
  tid: lane,
  ts,
  id,
});

const region = ({ name, op, inputs, start, end, pid, tid }: Box): TraceEvent => ({
  ...{ ph: "X", cat: "Op", name: op, pid, tid, ts: start, dur: end - start },
  args: { name, op, ...Object.fromEntries(inputs.map((input, i) => [`input${i}`, input])) },
});

const arrow = (made: Made, reader: Box, id: number): TraceEvent[] => [
  { ph: "s", cat: "DataFlow", name: made.name, pid: made.pid, tid: made.tid, ts: made.end, id },
  { ph: "t", cat: "DataFlow", name: made.name, pid: reader.pid, tid: reader.tid, ts: reader.start, id },
];

/** When tensors go, and what each allocator holds over time. */
function memoryEvents(tensors: readonly Made[]): TraceEvent[] {
  const changes = tensors.flatMap(({ allocator, start, lastRead, bytes }) => [
    { allocator, at: start, bytes },
    { allocator, at: lastRead, bytes: -bytes },
  ]);
  const counters = [...new Set(tensors.map(({ allocator }) => allocator))].flatMap(allocator => {
    let held = 0;
    return changes
      .filter(change => change.allocator === allocator)
      .sort((a, b) => a.at - b.at || a.bytes - b.bytes)
      .map(({ at, bytes }): TraceEvent => {
        held += bytes;
        return { ph: "C", cat: "Memory", name: allocator, pid: allocatorsPid, tid: 0, ts: at, args: { [allocator]: held } };
      });
  });
  return [...tensors.map(made => tensorEvent("D", made, made.lastRead, { lane: 0 })), ...counters];
}
