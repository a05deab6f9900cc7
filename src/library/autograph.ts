// tf.autograph: TensorFlow rewrites Python's branches and loops. JavaScript's stay as they are, so there is nothing to keep from being rewritten.

// any: inference of any function
type AnyFunction = (...args: any[]) => unknown;

/** The function itself, or what takes it. TF: tf.autograph.experimental.do_not_convert. */
const doNotConvert = <F extends AnyFunction>(func?: F | null): F | ((func: F) => F) => func ?? ((given: F): F => given);

export const experimental = { doNotConvert } as const;
