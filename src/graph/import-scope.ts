// Names when a part of a graph is written without its name scope, or read into one.

/** What a name becomes. */
export type Renaming = (name: string) => string;

const withoutSlash = (scope: string): string => scope.replace(/\/$/, "");

/** Puts names under a scope: `w:0` → `scope/w:0`, `^w` → `^scope/w`, `loc:@w` → `loc:@scope/w`. TF: ops.prepend_name_scope. */
export function prependScope(scope: string | null | undefined): Renaming {
  if (!scope) return name => name;
  const prefix = withoutSlash(scope);
  return name => name.replace(/^(\^|loc:@)?/, `$1${prefix}/`);
}

/** Takes names out of a scope, where they are in it. TF: ops.strip_name_scope. */
export function stripScope(scope: string | null | undefined): Renaming {
  if (!scope) return name => name;
  const prefix = `${withoutSlash(scope)}/`;
  return name => {
    const [, mark = "", plain] = /^(\^|loc:@)?(.*)$/s.exec(name) as RegExpExecArray;
    return plain.startsWith(prefix) ? mark + plain.slice(prefix.length) : name;
  };
}

/** Is a name inside the scope? */
export const isInScope = (name: string, scope: string | null | undefined): boolean =>
  !scope || name.replace(/^(\^|loc:@)/, "").startsWith(`${withoutSlash(scope)}/`);
