// Device strings: `/job:J/replica:R/task:T/device:CPU:0`, their legacy forms, and how nested scopes merge field by field.

import { ValueError } from "../base/errors.ts";
import type { Operation } from "./operation.ts";

export type DeviceFunction = (op: Operation) => string | null;

interface DeviceSpec {
  job?: string;
  replica?: string;
  task?: string;
  type?: string;
  index?: string;
}

/** @throws ValueError with TensorFlow's text for unknown parts. */
export function parseDevice(text: string): DeviceSpec {
  const spec: DeviceSpec = {};
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

function setType(spec: DeviceSpec, type: string, index: string | undefined, text: string): void {
  if (spec.type !== undefined) throw new ValueError(`Multiple device types are not allowed while parsing the device spec: ${text}.`);
  spec.type = type.toUpperCase();
  if (index === undefined || index === "*") return;
  if (!/^\s*[+-]?\d+\s*$/.test(index)) throw new ValueError(`invalid literal for int() with base 10: '${index}'`);
  spec.index = String(Number(index));
}

export function formatDevice({ job, replica, task, type, index }: DeviceSpec): string {
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
  let merged: DeviceSpec = {};
  for (const entry of [...stack].reverse()) {
    if (entry === null) break;
    const text = typeof entry === "string" ? entry : op === null ? "" : entry(op);
    if (text) merged = { ...parseDevice(text), ...merged };
  }
  return formatDevice(merged);
}
