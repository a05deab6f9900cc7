// Device strings: `/job:J/replica:R/task:T/device:CPU:0`, their legacy forms, and how nested scopes merge field by field.

import { ValueError } from "../base/errors.ts";
import type { Operation } from "./operation.ts";

export type DeviceFunction = (op: Operation) => string | null;

interface DeviceParts {
  job?: string;
  replica?: string;
  task?: string;
  type?: string;
  index?: string;
}

/** @throws ValueError with TensorFlow's text for unknown parts. */
export function parseDevice(text: string): DeviceParts {
  const spec: DeviceParts = {};
  for (const part of text.split("/")) {
    if (part === "") continue;
    const [key, ...rest] = part.split(":");
    if (key === "job" || key === "replica" || key === "task") spec[key] = rest[0];
    else if (key === "device") setType(spec, rest[0], rest[1], text);
    else if (/^(cpu|gpu|tpu)$/i.test(key)) setType(spec, key, rest[0], text);
    else throw new ValueError(`Unknown attribute '${key}' is encountered while parsing the device spec: '${text}'.`);
  }
  return spec;
}

function setType(spec: DeviceParts, type: string, index: string | undefined, text: string): void {
  if (spec.type !== undefined) throw new ValueError(`Multiple device types are not allowed while parsing the device spec: ${text}.`);
  spec.type = type.toUpperCase();
  if (index === undefined || index === "*") return;
  if (!/^\s*[+-]?\d+\s*$/.test(index)) throw new ValueError(`invalid literal for int() with base 10: '${index}'`);
  spec.index = String(Number(index));
}

function formatDevice({ job, replica, task, type, index }: DeviceParts): string {
  const parts = [
    job && `/job:${job}`,
    replica && `/replica:${replica}`,
    task && `/task:${task}`,
    type && `/device:${type}:${index ?? "*"}`,
  ];
  return parts.filter(Boolean).join("");
}

/** The device of an operation under a stack of scopes, outermost first. */
export function deviceFor(stack: readonly (DeviceFunction | string | null)[], op: Operation | null): string {
  let merged: DeviceParts = {};
  for (const entry of [...stack].reverse()) {
    if (entry === null) break;
    const text = typeof entry === "string" ? entry : op === null ? "" : entry(op);
    if (text) merged = { ...parseDevice(text), ...merged };
  }
  return formatDevice(merged);
}

interface DeviceSpecOptions {
  readonly job?: string | null;
  readonly replica?: number | null;
  readonly task?: number | null;
  readonly deviceType?: string | null;
  readonly deviceIndex?: number | null;
}

/** A device string in parts, null where it says nothing; `tf.device` takes it. TF: tf.DeviceSpec. */
export class DeviceSpec {
  job: string | null;
  replica: number | null;
  task: number | null;
  deviceType: string | null;
  deviceIndex: number | null;

  constructor({ job = null, replica = null, task = null, deviceType = null, deviceIndex = null }: DeviceSpecOptions = {}) {
    this.job = job === null ? null : String(job);
    this.replica = replica;
    this.task = task;
    this.deviceType = deviceType === null ? null : String(deviceType).toUpperCase();
    this.deviceIndex = deviceIndex;
  }

  /** @throws ValueError for parts that are none. */
  static fromString(spec: string): DeviceSpec {
    return new DeviceSpec().parseFromString(spec);
  }

  /** Becomes what the text says. */
  parseFromString(spec: string): this {
    const { job, replica, task, type, index } = parseDevice(spec);
    const number = (text: string | undefined): number | null => (text === undefined ? null : Number(text));
    const parts = { job: job ?? null, replica: number(replica), task: number(task), deviceType: type ?? null, deviceIndex: number(index) };
    return Object.assign(this, parts);
  }

  /** Takes over every part that the other has. */
  mergeFrom(dev: DeviceSpec): void {
    for (const [part, value] of Object.entries(dev)) if (value !== null) Reflect.set(this, part, value);
  }

  makeMergedSpec(dev: DeviceSpec): DeviceSpec {
    const merged = new DeviceSpec(this);
    merged.mergeFrom(dev);
    return merged;
  }

  replace(parts: DeviceSpecOptions): DeviceSpec {
    return new DeviceSpec({ ...this, ...parts });
  }

  /** The device string. */
  toString(): string {
    const textOf = (value: number | null): string | undefined => (value === null ? undefined : String(value));
    return formatDevice({
      ...(this.job === null ? {} : { job: this.job }),
      ...(this.replica === null ? {} : { replica: textOf(this.replica) }),
      ...(this.task === null ? {} : { task: textOf(this.task) }),
      ...(this.deviceType === null ? {} : { type: this.deviceType }),
      ...(this.deviceIndex === null ? {} : { index: textOf(this.deviceIndex) }),
    } as DeviceParts);
  }
}
