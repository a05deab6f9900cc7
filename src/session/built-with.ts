// tf.test, as far as programs ask it what the machine has.

/** No: there is one device, this processor. TF: tf.test.is_gpu_available. */
export const isGpuAvailable = (_options: { readonly cudaOnly?: boolean; readonly minCudaComputeCapability?: unknown } = {}): boolean =>
  false;
/** The empty name of no device. TF: tf.test.gpu_device_name. */
export const gpuDeviceName = (): string => "";
/** TF: tf.test.is_built_with_cuda. */
export const isBuiltWithCuda = (): boolean => false;
/** TF: tf.test.is_built_with_gpu_support. */
export const isBuiltWithGpuSupport = (): boolean => false;
/** TF: tf.test.is_built_with_rocm. */
export const isBuiltWithRocm = (): boolean => false;
/** TF: tf.test.is_built_with_xla. */
export const isBuiltWithXla = (): boolean => false;
