// Settings as TensorFlow programs write them: `const config = new tf.ConfigProto()`, `config.gpuOptions.allowGrowth = true`. What means something to
// this machine is read by Session (SessionConfig); the rest is kept as it was given.

/** Fields as given over fields with defaults. */
function filled<T extends object>(target: T, given: object): T {
  for (const [name, value] of Object.entries(given)) {
    if (!(name in target)) throw new TypeError(`Protocol message ${target.constructor.name} has no "${name}" field.`);
    if (value !== undefined && value !== null) (target as Record<string, unknown>)[name] = value;
  }
  return target;
}

/** TF: tf.GPUOptions. Accepted: there is no GPU of TensorFlow's here. */
export class GPUOptions {
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
    filled(this, fields);
  }
}

/** TF: tf.OptimizerOptions. Accepted: this compiler decides for itself. */
export class OptimizerOptions {
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
    filled(this, fields);
  }
}

/** TF: tf.GraphOptions. */
export class GraphOptions {
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
    filled(this, fields);
  }
}

/** Settings of a session. TF: tf.ConfigProto. @throws TypeError for a field that it has not. */
export class ConfigProto {
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
    filled(this, fields);
  }
}
