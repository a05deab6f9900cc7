// tf.Module: a named object that finds the variables and modules among its properties.

import { ValueError } from "../base/errors.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import { flatten } from "../ops/flow/nested.ts";
import { Variable } from "./variables/variables.ts";
import { refuseOthers } from "../ops/arguments.ts";

/** `MyNet` → `my_net`. */
const snakeName = (name: string): string =>
  name
    .replace(/((?<=[a-z0-9])[A-Z]|(?!^)[A-Z](?=[a-z]))/g, "_$1")
    .toLowerCase()
    .replace(/_+/g, "_");

/** The base of classes of one's own that hold variables and other modules, as properties or in lists and plain objects of them. The name is the class's in
 *  small letters by default; nodes made in `nameScope` go under it. TF: tf.Module. @throws ValueError for a name that is no identifier. */
export class Module {
  readonly name: string;
  /** Under which names of nodes begin in `nameScope`, with a slash. */
  readonly scopeName: string;

  constructor({ name, ...others }: { readonly name?: string | null } = {}) {
    refuseOthers(others);
    if (name !== undefined && name !== null && !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      throw new ValueError(
        `'${name}' is not a valid module name. Module names must be valid Python identifiers (e.g. a valid class name).`,
      );
    this.name = name ?? snakeName(this.constructor.name);
    this.scopeName = getDefaultGraph().nameScope(this.name, String);
  }

  /** What `body` makes is named under the module's name. TF: Module.name_scope. */
  nameScope<R>(body: () => R): R {
    return getDefaultGraph().nameScope(this.scopeName, body);
  }

  /** A method of which all nodes are named under the module's name. TF: Module.with_name_scope. */
  static withNameScope<A extends readonly unknown[], R>(method: (this: Module, ...args: A) => R): (this: Module, ...args: A) => R {
    return function (this: Module, ...args: A): R {
      return this.nameScope(() => Reflect.apply(method, this, args) as R);
    };
  }

  /** Of this module and those in it, each once: properties in the order of their names, then the modules'. TF: Module.variables. */
  get variables(): Variable[] {
    return found(this).variables;
  }
  get trainableVariables(): Variable[] {
    return this.variables.filter(({ trainable }) => trainable);
  }
  get nonTrainableVariables(): Variable[] {
    return this.variables.filter(({ trainable }) => !trainable);
  }
  /** Modules in this one, and in those. */
  get submodules(): Module[] {
    return found(this).modules;
  }
}

interface Found {
  readonly variables: Variable[];
  readonly modules: Module[];
}

function found(module: Module, seen = new Set<unknown>([module])): Found {
  const variables: Variable[] = [];
  const own: Module[] = [];
  const keys = Object.keys(module).sort();
  for (const leaf of keys.flatMap(key => flatten(Reflect.get(module, key)))) {
    if (seen.has(leaf)) continue;
    if (leaf instanceof Variable) variables.push(leaf);
    else if (leaf instanceof Module) own.push(leaf);
    else continue;
    seen.add(leaf);
  }
  const inner = own.map(each => found(each, seen));
  return { variables: [...variables, ...inner.flatMap(each => each.variables)], modules: [...own, ...inner.flatMap(each => each.modules)] };
}
