// Where operations of a cluster lie: variables in turn on the parameter servers, all else on the worker. The cluster's description is plain data.
// TF: device_setter.py, server_lib.ClusterSpec.

import { ValueError } from "../../base/errors.ts";
import type { DeviceFunction } from "../../graph/device.ts";
import { parseDevice } from "../../graph/device.ts";
import type { Operation } from "../../graph/operation.ts";

type Addresses = readonly string[] | Readonly<Record<number, string>>;
/** Job names → addresses of tasks, by number or in order. */
export type ClusterLike = ClusterSpec | Readonly<Record<string, Addresses>>;

/** The jobs of a cluster and the addresses of their tasks. TF: tf.train.ClusterSpec.
 *  @throws TypeError for anything but an object of lists or of addresses by number. */
export class ClusterSpec {
  private readonly tasks: ReadonlyMap<string, ReadonlyMap<number, string>>;

  constructor(cluster: ClusterLike) {
    if (typeof cluster !== "object" || cluster === null || Array.isArray(cluster))
      throw new TypeError(
        "`cluster` must be a dictionary mapping one or more job names to lists of network addresses, or a `ClusterDef` protocol buffer",
      );
    const jobs = cluster instanceof ClusterSpec ? cluster.asDict() : (cluster as Readonly<Record<string, Addresses>>);
    this.tasks = new Map(
      Object.entries(jobs).map(([job, addresses]) => [
        job,
        new Map(Object.entries(addresses).map(([index, address]): [number, string] => [Number(index), address])),
      ]),
    );
  }

  /** Job names in order. */
  get jobs(): string[] {
    return [...this.tasks.keys()].sort();
  }

  /** Lists of addresses, or addresses by number where numbers are missing. TF: as_dict. */
  asDict(): Record<string, string[] | Record<number, string>> {
    return Object.fromEntries(
      this.jobs.map(job => {
        const numbers = this.taskIndices(job);
        const isDense = numbers.every((number, i) => number === i);
        return [job, isDense ? numbers.map(number => this.taskAddress(job, number)) : Object.fromEntries(this.job(job))];
      }),
    );
  }

  private job(name: string): ReadonlyMap<number, string> {
    const found = this.tasks.get(name);
    if (!found) throw new ValueError(`No such job in cluster: '${name}'`);
    return found;
  }

  numTasks(jobName: string): number {
    return this.job(jobName).size;
  }

  taskIndices(jobName: string): number[] {
    return [...this.job(jobName).keys()].sort((a, b) => a - b);
  }

  /** @throws ValueError for a job or task that the cluster lacks. */
  taskAddress(jobName: string, taskIndex: number): string {
    const address = this.job(jobName).get(taskIndex);
    if (address === undefined) throw new ValueError(`No task with index ${taskIndex} in job '${jobName}'`);
    return address;
  }

  /** Addresses by number, null where there is none. TF: job_tasks. */
  jobTasks(jobName: string): (string | null)[] {
    const tasks = this.job(jobName);
    return Array.from({ length: Math.max(-1, ...tasks.keys()) + 1 }, (_, i) => tasks.get(i) ?? null);
  }

  toString(): string {
    const quoted = (text: string): string => `'${text}'`;
    const jobs = Object.entries(this.asDict()).map(([job, tasks]) => {
      const listed = Array.isArray(tasks)
        ? `[${tasks.map(quoted).join(", ")}]`
        : `{${Object.entries(tasks)
            .map(([index, address]) => `${index}: ${quoted(address)}`)
            .join(", ")}}`;
      return `${quoted(job)}: ${listed}`;
    });
    return `ClusterSpec({${jobs.join(", ")}})`;
  }
}

/** Operations that keep state for all workers. */
const heldByServers: readonly string[] = [
  "Variable",
  "VariableV2",
  "AutoReloadVariable",
  "MutableHashTable",
  "MutableHashTableV2",
  "MutableHashTableOfTensors",
  "MutableHashTableOfTensorsV2",
  "MutableDenseHashTable",
  "MutableDenseHashTableV2",
  "VarHandleOp",
];

export interface ReplicaDeviceOptions {
  readonly psTasks?: number;
  readonly psDevice?: string;
  readonly workerDevice?: string;
  /** Whether devices of inner scopes are merged with these; else an operation that has one keeps it. */
  readonly mergeDevices?: boolean;
  readonly cluster?: ClusterLike | null;
  /** Types of operations that lie on parameter servers. */
  readonly psOps?: readonly string[] | null;
  /** The server's number for an operation; in turn by default. */
  readonly psStrategy?: ((op: Operation) => number) | null;
}

/** A function for `tf.device` that puts variables on parameter servers in turn and all else on the worker; null without servers.
 *  TF: tf.train.replica_device_setter. */
export function replicaDeviceSetter(options: ReplicaDeviceOptions = {}): DeviceFunction | null {
  const { psDevice = "/job:ps", workerDevice = "/job:worker", mergeDevices = true, cluster = null } = options;
  const spec = cluster === null ? null : new ClusterSpec(cluster);
  const job = parseDevice(psDevice).job;
  const psTasks = spec === null ? (options.psTasks ?? 0) : job !== undefined && spec.jobs.includes(job) ? spec.numTasks(job) : 0;
  if (psTasks === 0) return null;
  const psOps = options.psOps ?? heldByServers;
  let next = 0;
  const strategy = options.psStrategy ?? (() => next++ % psTasks);
  return op => {
    if (!mergeDevices && op.device !== "") return op.device;
    if (!psOps.includes(op.type)) return workerDevice;
    return job === undefined ? psDevice : `${psDevice}/task:${strategy(op)}`;
  };
}
