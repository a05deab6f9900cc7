// Settings as TensorFlow programs write them: `const config = new tf.ConfigProto()`, `config.gpuOptions.allowGrowth = true`. What means something to
// this machine is read by Session (SessionConfig); the rest is kept as it was given.

import { ValueError } from "../base/errors.ts";
import { camelOf } from "../base/names.ts";
import { pythonType } from "../base/python-text.ts";

/** Fields as given over fields with defaults. */
function filled<T extends object>(target: T, given: object): T {
  for (const [name, value] of Object.entries(given)) {
    if (!(name in target)) throw new ValueError(`Protocol message ${target.constructor.name} has no "${name}" field.`);
    if (value !== undefined && value !== null)
      (target as Record<string, unknown>)[name] = held((target as Record<string, unknown>)[name], name, value);
  }
  return target;
}

/** What a field with a default holds when it is given a value. @throws TypeError in protobuf's words for one of another kind. */
function held(initial: unknown, name: string, value: unknown): unknown {
  const type = pythonType(value);
  if (initial instanceof Settings) {
    const Class = initial.constructor as new (fields: object) => Settings;
    if (value instanceof Class) return value;
    if (type === "dict") return new Class(value as object);
    const config = "tensorflow.core.protobuf.config_pb2";
    throw new TypeError(
      `Parameter to initialize message field must be dict or instance of same class: expected <class '${config}.${Class.name}'> got <class '${value instanceof Settings ? `${config}.` : ""}${type}'>.`,
    );
  }
  if (Array.isArray(initial)) {
    if (!(Symbol.iterator in Object(value))) throw new TypeError("must assign iterable");
    return value;
  }
  if (typeof initial === "string" && type !== "str") throw new TypeError("bad argument type for built-in operation");
  if (name === "perProcessGpuMemoryFraction") {
    if (!/^(int|float|bool)$/.test(type)) throw new TypeError(`must be real number, not ${type}`);
  } else if ((typeof initial === "number" && !name.endsWith("Level")) || (typeof initial === "boolean" && name !== "deterministicOps")) {
    if (type !== "int" && type !== "bool") throw new TypeError(`'${type}' object cannot be interpreted as an integer`);
  }
  return value;
}

/** What all settings can do. TF: what every protocol message can. */
abstract class Settings {
  private get made(): Record<string, unknown> {
    return Reflect.construct(this.constructor, []) as Record<string, unknown>;
  }

  private known(field: string): string {
    const name = camelOf(field);
    if (!(name in this)) throw new ValueError(`Protocol message ${this.constructor.name} has no "${field}" field.`);
    return name;
  }

  /** Every field gets its default. */
  Clear(): void {
    Object.assign(this, this.made);
  }
  /** A field gets its default. @throws ValueError for a name that is no field. */
  ClearField(field: string): void {
    const name = this.known(field);
    Reflect.set(this, name, this.made[name]);
  }
  /** Becomes equal to other settings of the same kind. */
  CopyFrom(other: this): void {
    this.Clear();
    this.MergeFrom(other);
  }
  /** Takes over what the other sets. */
  MergeFrom(other: this): void {
    const defaults = this.made;
    for (const [name, value] of Object.entries(other)) {
      const own: unknown = Reflect.get(this, name);
      if (value instanceof Settings && own instanceof Settings) own.MergeFrom(value);
      else if (Array.isArray(value) && Array.isArray(own)) Reflect.set(this, name, [...own, ...value]);
      else if (value !== defaults[name]) Reflect.set(this, name, value);
    }
  }
  /** Does a field that holds settings hold other ones than the defaults? @throws ValueError for a name that is no field. */
  HasField(field: string): boolean {
    const name = this.known(field);
    return JSON.stringify(Reflect.get(this, name)) !== JSON.stringify(this.made[name]);
  }
  IsInitialized(): boolean {
    return true;
  }
}

/** TF: tf.GPUOptions. Accepted: there is no GPU of TensorFlow's here. */
export class GPUOptions extends Settings {
  perProcessGpuMemoryFraction = 0;
  allowGrowth = false;
  allocatorType = "";
  deferredDeletionBytes = 0;
  visibleDeviceList = "";
  pollingActiveDelayUsecs = 0;
  pollingInactiveDelayMsecs = 0;
  forceGpuCompatible = false;
  experimental: object = {};
  constructor(fields: Partial<GPUOptions> = {}) {
    super();
    filled(this, fields);
  }
}

/** TF: tf.OptimizerOptions. Accepted: this compiler decides for itself. */
export class OptimizerOptions extends Settings {
  static readonly L1 = 0;
  static readonly L0 = -1;
  static readonly DEFAULT = 0;
  static readonly OFF = -1;
  static readonly ON_1 = 1;
  static readonly ON_2 = 2;
  doCommonSubexpressionElimination = false;
  doConstantFolding = false;
  doFunctionInlining = false;
  maxFoldedConstantInBytes = 0;
  optLevel = 0;
  globalJitLevel = 0;
  cpuGlobalJit = false;
  constructor(fields: Partial<OptimizerOptions> = {}) {
    super();
    filled(this, fields);
  }
}

/** TF: tf.GraphOptions. */
export class GraphOptions extends Settings {
  enableRecvScheduling = false;
  optimizerOptions = new OptimizerOptions();
  buildCostModel = 0;
  buildCostModelAfter = 0;
  inferShapes = false;
  placePrunedGraph = false;
  enableBfloat16Sendrecv = false;
  timelineStep = 0;
  rewriteOptions: object = {};
  constructor(fields: Partial<GraphOptions> = {}) {
    super();
    filled(this, fields);
  }
}

/** Settings of a session. TF: tf.ConfigProto. @throws TypeError for a field that it has not. */
export class ConfigProto extends Settings {
  backend: "wasm" | "reference" | undefined = undefined;
  convolution: "auto" | "direct" | undefined = undefined;
  deterministicOps = false;
  deviceCount: Readonly<Record<string, number>> = {};
  intraOpParallelismThreads = 0;
  interOpParallelismThreads = 0;
  usePerSessionThreads = false;
  sessionInterOpThreadPool: readonly object[] = [];
  placementPeriod = 0;
  deviceFilters: string[] = [];
  gpuOptions = new GPUOptions();
  allowSoftPlacement = false;
  logDevicePlacement = false;
  graphOptions = new GraphOptions();
  operationTimeoutInMs = 0;
  rpcOptions: object = {};
  clusterDef: object = {};
  isolateSessionState = false;
  shareClusterDevicesInSession = false;
  experimental: object = {};
  constructor(fields: Partial<ConfigProto> = {}) {
    super();
    filled(this, fields);
  }
}
