// Switches between TensorFlow's behaviours, as programs set them at their beginning. Here is one behaviour, TensorFlow 1's: what asks for it does
// nothing, what asks for another is refused, and what asks says what is.

import { RuntimeError } from "../base/errors.ts";
import * as logging from "../base/logging.ts";

const refused = (what: string): never => {
  throw new RuntimeError(`${what} is not part of tensorloom.\n\nGraphs are built first and run in a Session, as in TensorFlow 1.`);
};

/** Does nothing: it is so already. TF: tf.disable_v2_behavior. */
export const disableV2Behavior = (): void => {};
/** @throws RuntimeError: TensorFlow 2's behaviour is not here. */
export const enableV2Behavior = (): void => refused("TensorFlow 2's behavior");
/** Does nothing: it is so already. TF: tf.disable_eager_execution. */
export const disableEagerExecution = (): void => {};
/** @throws RuntimeError: there is no eager execution. */
export const enableEagerExecution = (): void => refused("eager execution");
/** TF: tf.executing_eagerly. */
export const executingEagerly = (): boolean => false;
/** TF: tf.executing_eagerly_outside_functions. */
export const executingEagerlyOutsideFunctions = (): boolean => false;
/** Does nothing: `cond` and `whileLoop` make Switch and Merge. TF: tf.disable_control_flow_v2. */
export const disableControlFlowV2 = (): void => {};
/** @throws RuntimeError: `cond` and `whileLoop` make TensorFlow 1's nodes. */
export const enableControlFlowV2 = (): void => refused("building If and While nodes");
/** TF: tf.control_flow_v2_enabled. */
export const controlFlowV2Enabled = (): boolean => false;
/** Does nothing: tensors are equal if they are the same. TF: tf.disable_tensor_equality. */
export const disableTensorEquality = (): void => {};
/** @throws RuntimeError: JavaScript's === compares identity. */
export const enableTensorEquality = (): void => refused("comparing tensors by ===");
/** Does nothing. TF: tf.disable_v2_tensorshape. */
export const disableV2Tensorshape = (): void => {};
/** Does nothing: dimensions are numbers or null here, as they are there. TF: tf.enable_v2_tensorshape. */
export const enableV2Tensorshape = (): void => {};

/** Python's logger of the name "tensorflow": the functions of `tf.logging` by its names. TF: tf.get_logger. */
export const getLogger = () => ({
  name: "tensorflow",
  setLevel: logging.setVerbosity,
  log: logging.log,
  debug: logging.debug,
  info: logging.info,
  warning: logging.warning,
  error: logging.error,
  critical: logging.fatal,
});
