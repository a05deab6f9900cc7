// TensorFlow's error classes and codes. Messages: TensorFlow's first line, a blank line, how to mend it, where the node was made.

export const errorCodes = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export const {
  OK,
  CANCELLED,
  UNKNOWN,
  INVALID_ARGUMENT,
  DEADLINE_EXCEEDED,
  NOT_FOUND,
  ALREADY_EXISTS,
  PERMISSION_DENIED,
  RESOURCE_EXHAUSTED,
  FAILED_PRECONDITION,
  ABORTED,
  OUT_OF_RANGE,
  UNIMPLEMENTED,
  INTERNAL,
  UNAVAILABLE,
  DATA_LOSS,
  UNAUTHENTICATED,
} = errorCodes;

/** A wrong value while building a graph; Python's ValueError. */
export class ValueError extends Error {
  override readonly name: string = "ValueError";
  /** How to mend it, in our words. */
  hint: string | undefined;
  constructor(message: string, hint?: string) {
    super(hint === undefined ? message : `${message}\n\n${hint}`);
    this.hint = hint;
  }
  /** TensorFlow's text, without the hint. */
  get reason(): string {
    return this.hint === undefined ? this.message : this.message.slice(0, -this.hint.length - 2);
  }
}
/** The same error with a text below TensorFlow's own: how to mend it, or where it happened. */
export function withHint<E extends Error>(error: E, hint: string): E {
  const before = error.message;
  const hasHint = error instanceof ValueError ? error.hint !== undefined : before.includes("\n\n");
  error.message = `${before}${hasHint ? "\n" : "\n\n"}${hint}`;
  if (error instanceof ValueError) error.hint = hasHint ? `${error.hint}\n${hint}` : hint;
  // Engines differ in whether a stack that nobody has read yet begins with the message of now or of then.
  if (error.stack !== undefined && !error.stack.includes(error.message)) error.stack = error.stack.replace(before, () => error.message);
  return error;
}
/** Python's KeyError: a name that is not there. */
export class KeyError extends Error {
  override readonly name: string = "KeyError";
}
/** Python's OSError: a file that is not there, where Python looks for it itself. */
export class OSError extends Error {
  override readonly name: string = "OSError";
}
/** Python's AttributeError: a name that a module does not have. */
export class AttributeError extends Error {
  override readonly name: string = "AttributeError";
}
/** Python's LookupError: an op without a registered gradient. */
export class LookupError extends Error {
  override readonly name: string = "LookupError";
}
/** Python's RuntimeError: a closed session, a finalized graph. */
export class RuntimeError extends Error {
  override readonly name: string = "RuntimeError";
}
/** Python's NotImplementedError: an op that TensorFlow makes no more, a gradient that it has left out. */
export class NotImplementedError extends Error {
  override readonly name: string = "NotImplementedError";
}
/** Python's AssertionError: scopes left out of order. */
export class AssertionError extends Error {
  override readonly name: string = "AssertionError";
}
/** A fault of tensorloom itself, with the printout of the stage that failed. */
export class InternalError extends Error {
  override readonly name: string = "InternalError";
  constructor(message: string, printout = "") {
    super(`${message}\n\nThis is a bug in tensorloom.${printout ? `\n\n${printout}` : ""}`);
  }
}

/** Where an error happened, as far as it is known: anything with a name, such as a graph operation. */
export interface ErrorNode {
  readonly name: string;
}

/** The base of all errors raised while running. `code` is the canonical number, `op` the operation where known. */
export class OpError extends Error {
  override readonly name: string = "OpError";
  readonly code: number = errorCodes.UNKNOWN;
  readonly op!: ErrorNode | null;
  constructor(message: string, op: ErrorNode | null = null) {
    super(message);
    // Not among what an engine prints below an error that nobody caught: that would be the whole graph.
    Object.defineProperty(this, "op", { value: op, enumerable: false });
  }
  /** `code`, by TensorFlow's name. */
  get errorCode(): number {
    return this.code;
  }

  /** What was given to it besides, as Python's errors keep it: nothing. */
  get args(): readonly unknown[] {
    return [];
  }

  /** The node that failed as a NodeDef message, or null. */
  get nodeDef(): unknown {
    return this.op !== null && "nodeDef" in this.op ? this.op.nodeDef : null;
  }

  /** What else a server says of an error: nothing here. */
  get experimentalPayloads(): Readonly<Record<string, Uint8Array>> {
    return {};
  }

  /** The name of the node that failed, or null. */
  get node(): string | null {
    return this.op?.name ?? null;
  }
}

export class CancelledError extends OpError {
  override readonly name = "CancelledError";
  override readonly code = errorCodes.CANCELLED;
}
export class UnknownError extends OpError {
  override readonly name = "UnknownError";
  override readonly code = errorCodes.UNKNOWN;
}
export class InvalidArgumentError extends OpError {
  override readonly name = "InvalidArgumentError";
  override readonly code = errorCodes.INVALID_ARGUMENT;
}
export class DeadlineExceededError extends OpError {
  override readonly name = "DeadlineExceededError";
  override readonly code = errorCodes.DEADLINE_EXCEEDED;
}
export class NotFoundError extends OpError {
  override readonly name = "NotFoundError";
  override readonly code = errorCodes.NOT_FOUND;
}
export class AlreadyExistsError extends OpError {
  override readonly name = "AlreadyExistsError";
  override readonly code = errorCodes.ALREADY_EXISTS;
}
export class PermissionDeniedError extends OpError {
  override readonly name = "PermissionDeniedError";
  override readonly code = errorCodes.PERMISSION_DENIED;
}
export class ResourceExhaustedError extends OpError {
  override readonly name = "ResourceExhaustedError";
  override readonly code = errorCodes.RESOURCE_EXHAUSTED;
}
export class FailedPreconditionError extends OpError {
  override readonly name = "FailedPreconditionError";
  override readonly code = errorCodes.FAILED_PRECONDITION;
}
export class AbortedError extends OpError {
  override readonly name = "AbortedError";
  override readonly code = errorCodes.ABORTED;
}
export class OutOfRangeError extends OpError {
  override readonly name = "OutOfRangeError";
  override readonly code = errorCodes.OUT_OF_RANGE;
}
export class UnimplementedError extends OpError {
  override readonly name = "UnimplementedError";
  override readonly code = errorCodes.UNIMPLEMENTED;
}
export class UnavailableError extends OpError {
  override readonly name = "UnavailableError";
  override readonly code = errorCodes.UNAVAILABLE;
}
export class DataLossError extends OpError {
  override readonly name = "DataLossError";
  override readonly code = errorCodes.DATA_LOSS;
}
export class UnauthenticatedError extends OpError {
  override readonly name = "UnauthenticatedError";
  override readonly code = errorCodes.UNAUTHENTICATED;
}

type OpErrorClass = new (message: string, op?: ErrorNode | null) => OpError;

/** The class that stands for a code; INTERNAL is a plain OpError, since InternalError here tells of our own faults. */
const classOf = (): Readonly<Record<number, OpErrorClass>> => ({
  [CANCELLED]: CancelledError,
  [UNKNOWN]: UnknownError,
  [INVALID_ARGUMENT]: InvalidArgumentError,
  [DEADLINE_EXCEEDED]: DeadlineExceededError,
  [NOT_FOUND]: NotFoundError,
  [ALREADY_EXISTS]: AlreadyExistsError,
  [PERMISSION_DENIED]: PermissionDeniedError,
  [RESOURCE_EXHAUSTED]: ResourceExhaustedError,
  [FAILED_PRECONDITION]: FailedPreconditionError,
  [ABORTED]: AbortedError,
  [OUT_OF_RANGE]: OutOfRangeError,
  [UNIMPLEMENTED]: UnimplementedError,
  [UNAVAILABLE]: UnavailableError,
  [DATA_LOSS]: DataLossError,
  [UNAUTHENTICATED]: UnauthenticatedError,
});

/** The class of errors with a code. TF: tf.errors.exception_type_from_error_code. @throws KeyError for a code that no class has. */
export function exceptionTypeFromErrorCode(errorCode: number): OpErrorClass {
  const found = classOf()[errorCode];
  if (!found) throw new KeyError(String(errorCode));
  return found;
}

/** The code of a class of errors. TF: tf.errors.error_code_from_exception_type. @throws KeyError for a class that has none. */
export function errorCodeFromExceptionType(cls: unknown): number {
  const found = Object.entries(classOf()).find(([, type]) => type === cls);
  if (!found) throw new KeyError(String((cls as { name?: string } | null)?.name));
  return Number(found[0]);
}
