// Settings of TensorFlow's that say nothing to graphs and sessions, kept so that programs may set them and read them back.

import { KeyError, RuntimeError, ValueError } from "../base/errors.ts";
import { snakeOf } from "../base/names.ts";
import type { PhysicalDevice } from "./devices.ts";

interface Settings {
  jit: string;
  tensorFloat32: boolean;
  devicePolicy: DevicePolicy;
  isSynchronous: boolean;
  logsPlacement: boolean;
  filtersTracebacks: boolean;
}
const policies = ["explicit", "warn", "silent", "silent_for_int32"] as const;
type DevicePolicy = (typeof policies)[number];

const settings: Settings = {
  jit: "",
  tensorFloat32: true,
  devicePolicy: "silent",
  isSynchronous: true,
  logsPlacement: false,
  filtersTracebacks: true,
};

/** "autoclustering" or "", as it was set: graphs are compiled whole either way. TF: tf.config.optimizer.get_jit. */
export const getJit = (): string => settings.jit;
export const setJit = (enabled: boolean | string): void =>
  void (settings.jit = enabled === true || enabled === "autoclustering" ? "autoclustering" : "");

const rewriters: Record<string, boolean> = { disable_model_pruning: false, disable_meta_optimizer: false };
const rewriterNames =
  /^(?:layout_optimizer|constant_folding|shape_optimization|remapping|arithmetic_optimization|dependency_optimization|loop_optimization|function_optimization|debug_stripper|disable_model_pruning|scoped_allocator_optimization|pin_to_host_optimization|implementation_selector|auto_mixed_precision|disable_meta_optimizer|min_graph_nodes|auto_parallel)$/;

/** Which rewritings of TensorFlow's are on or off, as it was set: this compiler decides for itself. TF: tf.config.optimizer.get_experimental_options. */
export const getExperimentalOptions = (): Readonly<Record<string, boolean>> => ({ ...rewriters });
/** Names that TensorFlow has no rewriting for are passed over, as there. TF: tf.config.optimizer.set_experimental_options. */
export const setExperimentalOptions = (options: Readonly<Record<string, boolean>>): void => {
  for (const [name, value] of Object.entries(options)) {
    const theirs = snakeOf(name);
    if (rewriterNames.test(theirs)) rewriters[theirs] = value;
  }
};

/** Concerns another compiler. TF: tf.config.experimental.enable_mlir_bridge. */
export const enableMlirBridge = (): void => undefined;
export const disableMlirBridge = (): void => undefined;

/** Concerns tensor cores of graphics processors. TF: tf.config.experimental.tensor_float_32_execution_enabled. */
export const tensorFloat_32ExecutionEnabled = (): boolean => settings.tensorFloat32;
export const enableTensorFloat_32Execution = (enabled: boolean): void => void (settings.tensorFloat32 = enabled);

/** Concerns eager execution. TF: tf.config.experimental.get_device_policy. */
export const getDevicePolicy = (): DevicePolicy => settings.devicePolicy;
/** TF: tf.config.experimental.set_device_policy. @throws ValueError for what is no policy. */
export function setDevicePolicy(devicePolicy: DevicePolicy | null): void {
  const policy = devicePolicy ?? "silent";
  if (!policies.includes(policy))
    throw new ValueError(
      `Invalid argument \`device_policy\`: '${policy}'. Please refer to https://www.tensorflow.org/api_docs/python/tf/config/experimental/set_device_policy for valid \`device_policy\` arguments.`,
    );
  settings.devicePolicy = policy;
}

/** Concerns eager execution. TF: tf.config.experimental.get_synchronous_execution. */
export const getSynchronousExecution = (): boolean => settings.isSynchronous;
export const setSynchronousExecution = (enable: boolean): void => void (settings.isSynchronous = enable);

/** What a processor is like: nothing is told. TF: tf.config.experimental.get_device_details. */
export const getDeviceDetails = (_device: PhysicalDevice): Readonly<Record<string, unknown>> => ({});
const noStatistics = (device: string): ValueError => new ValueError(`Allocator stats not available for device '${device}'`);
/** For graphics processors. TF: tf.config.experimental.get_memory_growth. @throws KeyError */
export function getMemoryGrowth(device: PhysicalDevice): never {
  throw new KeyError(String(device));
}
/** For graphics processors. TF: tf.config.experimental.get_memory_info. @throws ValueError */
export function getMemoryInfo(device: string): never {
  throw noStatistics(device);
}
/** The same. TF: tf.config.experimental.get_memory_usage. @throws ValueError */
export function getMemoryUsage(device: string): never {
  throw noStatistics(device);
}
/** The same. TF: tf.config.experimental.reset_memory_stats. @throws ValueError */
export function resetMemoryStats(device: string): never {
  throw new ValueError(`Cannot reset memory stats for device '${device}'`);
}

interface LogicalDeviceOptions {
  readonly memoryLimit?: number | null;
  readonly experimentalPriority?: number | null;
  readonly experimentalDeviceOrdinal?: number | null;
}

/** A part of a device. TF: tf.config.LogicalDeviceConfiguration. */
export class LogicalDeviceConfiguration {
  readonly memoryLimit: number | null;
  readonly experimentalPriority: number | null;
  readonly experimentalDeviceOrdinal: number | null;
  constructor({ memoryLimit, experimentalPriority, experimentalDeviceOrdinal }: LogicalDeviceOptions = {}) {
    [this.memoryLimit, this.experimentalPriority] = [memoryLimit ?? null, experimentalPriority ?? null];
    this.experimentalDeviceOrdinal = experimentalDeviceOrdinal ?? null;
  }
}

/** How a device was divided: it is whole. TF: tf.config.get_logical_device_configuration. */
export const getLogicalDeviceConfiguration = (_device: PhysicalDevice): readonly LogicalDeviceConfiguration[] | null => null;
/** The processor is not divided. TF: tf.config.set_logical_device_configuration. @throws ValueError for a limit of memory, else RuntimeError. */
export function setLogicalDeviceConfiguration(_device: PhysicalDevice, logicalDevices: readonly LogicalDeviceConfiguration[]): never {
  if (logicalDevices.some(({ memoryLimit }) => memoryLimit !== null))
    throw new ValueError("Setting memory limit on CPU virtual devices is currently not supported");
  throw new RuntimeError("Virtual devices cannot be modified after being initialized");
}

/** Concerns eager execution; sessions log placements by their own config. TF: tf.debugging.get_log_device_placement. */
export const getLogDevicePlacement = (): boolean => settings.logsPlacement;
export const setLogDevicePlacement = (enabled: boolean): void => void (settings.logsPlacement = enabled);

/** Concerns Python's tracebacks. TF: tf.debugging.is_traceback_filtering_enabled. */
export const isTracebackFilteringEnabled = (): boolean => settings.filtersTracebacks;
export const enableTracebackFiltering = (): void => void (settings.filtersTracebacks = true);
export const disableTracebackFiltering = (): void => void (settings.filtersTracebacks = false);
