// The stack of default sessions, for `tensor.eval()` and `operation.run()`.

import { AssertionError } from "../base/errors.ts";
import type { Session } from "./session.ts";

const stack: Session[] = [];

/** The innermost default session, or null. TF: tf.get_default_session. */
export const getDefaultSession = (): Session | null => stack[stack.length - 1] ?? null;

export const pushDefaultSession = (session: Session): void => void stack.push(session);

/** @throws AssertionError if another session was made default since. */
export function popDefaultSession(session: Session): void {
  const at = stack.lastIndexOf(session);
  if (at < 0) return;
  if (at !== stack.length - 1)
    throw new AssertionError("Nesting violated for default stack of <class 'tensorflow.python.client.session.Session'> objects");
  stack.pop();
}
