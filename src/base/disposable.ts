// Scopes as disposables: `using scope = tf.nameScope("a")` or `tf.nameScope("a", scope => …)` over one function.

/** Symbol.dispose, also where the engine does not have it yet. */
export const disposeSymbol: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");

/** Runs `body` inside an entered scope, or returns the scope to be left by `using`. An async body is refused: the scope would close at its first await. */
export function scoped<S extends Disposable, R>(scope: S, body: ((scope: S) => R) | undefined): S | R {
  if (body === undefined) return scope;
  let result: R;
  try {
    result = body(scope);
    if (result instanceof Promise)
      throw new TypeError(
        "A scope was given an async function.\n\nThe scope would close at the first await. Build the graph in a plain function and await outside, or use `using`.",
      );
  } catch (error) {
    leaveQuietly(scope);
    throw error;
  }
  scope[Symbol.dispose]();
  return result;
}

/** What went wrong inside is told, not that a scope opened there was left open by it. */
function leaveQuietly(scope: Disposable): void {
  try {
    scope[Symbol.dispose]();
  } catch {}
}
