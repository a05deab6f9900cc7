// tf.config: the devices there are (one processor) and how many threads share a kernel where a session does not say.

import { ValueError } from "../base/errors.ts";

class ListedDevice {
  readonly name: string;
  readonly deviceType: string;
  constructor(name: string, deviceType: string) {
    this.name = name;
    this.deviceType = deviceType;
  }
  protected shownAs(className: string): string {
    return `${className}(name='${this.name}', device_type='${this.deviceType}')`;
  }
}

/** TF: tf.config.PhysicalDevice. */
export class PhysicalDevice extends ListedDevice {
  override toString(): string {
    return this.shownAs("PhysicalDevice");
  }
}

/** TF: tf.config.LogicalDevice. */
export class LogicalDevice extends ListedDevice {
  override toString(): string {
    return this.shownAs("LogicalDevice");
  }
}

const ofType = (deviceType: string | null | undefined): boolean => deviceType === null || deviceType === undefined || deviceType === "CPU";

/** The machine's devices of a type ("CPU", "GPU"), or all: one processor. TF: tf.config.list_physical_devices. */
export const listPhysicalDevices = (deviceType?: string | null): PhysicalDevice[] =>
  ofType(deviceType) ? [new PhysicalDevice("/physical_device:CPU:0", "CPU")] : [];
/** The devices that graphs are run on. TF: tf.config.list_logical_devices. */
export const listLogicalDevices = (deviceType?: string | null): LogicalDevice[] =>
  ofType(deviceType) ? [new LogicalDevice("/device:CPU:0", "CPU")] : [];
/** TF: tf.config.get_visible_devices. */
export const getVisibleDevices = (deviceType?: string | null): PhysicalDevice[] => listPhysicalDevices(deviceType);
/** Accepts what leaves the processor visible. TF: tf.config.set_visible_devices. @throws ValueError for a device that is not there. */
export function setVisibleDevices(devices: PhysicalDevice | readonly PhysicalDevice[], _deviceType?: string | null): void {
  for (const device of Array.isArray(devices) ? devices : [devices])
    if (device.deviceType !== "CPU") throw new ValueError(`Unrecognized device: ${String(device)}`);
}

/** For graphics processors, of which there are none to list. TF: tf.config.experimental.set_memory_growth. @throws ValueError for the processor. */
export function setMemoryGrowth(device: PhysicalDevice, _enable: boolean): void {
  throw new ValueError(
    device.deviceType === "CPU"
      ? "Cannot set memory growth on non-GPU and non-Pluggable devices"
      : `Unrecognized device: ${String(device)}`,
  );
}

let softPlacement = false;
/** TF: tf.config.get_soft_device_placement. */
export const getSoftDevicePlacement = (): boolean => softPlacement;
/** Accepted: everything runs where it can. TF: tf.config.set_soft_device_placement. */
export const setSoftDevicePlacement = (enabled: boolean): void => void (softPlacement = enabled);

const threads = { intra: 0, inter: 0 };
function checked(numThreads: number): number {
  if (!Number.isInteger(numThreads) || numThreads < 0) throw new ValueError(`The number of threads must be a whole number: ${numThreads}`);
  return numThreads;
}
/** Threads that share a kernel in sessions whose config does not say; 0: as many as there are cores. TF: tf.config.threading. */
export const getIntraOpParallelismThreads = (): number => threads.intra;
export const setIntraOpParallelismThreads = (numThreads: number): void => void (threads.intra = checked(numThreads));
/** Accepted: operations are not run beside each other here. */
export const getInterOpParallelismThreads = (): number => threads.inter;
export const setInterOpParallelismThreads = (numThreads: number): void => void (threads.inter = checked(numThreads));
