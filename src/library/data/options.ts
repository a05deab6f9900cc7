// tf.data.Options and the groups of settings in it: what tells TensorFlow how to make a dataset's elements. They travel with the graph as the bytes of
// a message in an OptionsDataset node. Elements are the same here whatever is set.

import { AttributeError, ValueError } from "../../base/errors.ts";
import { snakeOf } from "../../base/names.ts";
import { messageFromBytes, messageToBytes } from "../../formats/message-codec.ts";
import type { Message, MessageInit, MessageName } from "../../formats/messages.ts";
import { pythonClass, pythonType } from "../../base/python-text.ts";

/** How parallelism is chosen while elements are made. TF: tf.data.experimental.AutotuneAlgorithm. */
export const AutotuneAlgorithm = { DEFAULT: 0, HILL_CLIMB: 1, GRADIENT_DESCENT: 2, MAX_PARALLELISM: 3, STAGE_BASED: 4 } as const;
/** How elements are divided between workers. TF: tf.data.experimental.AutoShardPolicy. */
export const AutoShardPolicy = { OFF: -1, AUTO: 0, FILE: 1, DATA: 2, HINT: 3 } as const;
/** What happens to state outside of a dataset that is saved. TF: tf.data.experimental.ExternalStatePolicy. */
export const ExternalStatePolicy = { WARN: 0, IGNORE: 1, FAIL: 2 } as const;
/** For both arguments of `shard` where AutoShardPolicy.HINT says who reads what. TF: tf.data.experimental.SHARD_HINT. */
export const SHARD_HINT = -1;

type Enumeration = Readonly<Record<string, number>>;
/** What a field may hold: Python's type, an enumeration and its name, or the class of a group. */
type Kind = "bool" | "int" | "str" | "list" | readonly [name: string, values: Enumeration] | (abstract new () => OptionGroup);
type Kinds = Readonly<Record<string, Kind>>;

function fits(kind: Kind, value: unknown): boolean {
  if (typeof kind === "function") return value instanceof kind;
  if (typeof kind !== "string") return Object.values(kind[1]).includes(value as number);
  // Python's bools are numbers.
  if (kind === "int") return Number.isInteger(value) || typeof value === "boolean";
  if (kind === "list") return Array.isArray(value);
  return typeof value === (kind === "bool" ? "boolean" : "string");
}

const kindText = (kind: Kind): string => {
  if (typeof kind === "string") return `<class '${kind}'>`;
  return typeof kind === "function" ? `<class 'tensorflow.python.data.ops.options.${kind.name}'>` : `<enum '${kind[0]}'>`;
};

const locked = new WeakSet<object>();

/** A group of settings, null where nothing is set. What is given to a field is checked.
 *  @throws AttributeError for a name that is none of the group's, TypeError for a value of another type, ValueError where the settings are those of a dataset. */
abstract class OptionGroup {
  constructor(kinds: Kinds) {
    const group: this = new Proxy(this, {
      defineProperty: (target, key, descriptor) => {
        const name = String(key);
        const kind = kinds[name];
        const type = target.constructor.name;
        if (kind === undefined) throw new AttributeError(`Cannot set the property ${snakeOf(name)} on ${type}.`);
        if (locked.has(group))
          throw new ValueError(
            "Mutating `tf.data.Options()` returned by `tf.data.Dataset.options()` has no effect. Use `tf.data.Dataset.with_options(options)` to set or update dataset options.",
          );
        const { value } = descriptor as { readonly value: unknown };
        if (value !== null && !fits(kind, value))
          throw new TypeError(`Property "${snakeOf(name)}" must be of type ${kindText(kind)}, got: ${value} (type: ${pythonClass(value)})`);
        return Reflect.defineProperty(target, key, descriptor);
      },
    });
    // biome-ignore lint/correctness/noConstructorReturn: assignments to fields have to be seen
    return group;
  }
}

/** TF: tf.data.ThreadingOptions. */
export class ThreadingOptions extends OptionGroup {
  /** At most so many threads within one op. */
  maxIntraOpParallelism: number | null = null;
  /** So many threads of the dataset's own; 0 is as many as there are processors. */
  privateThreadpoolSize: number | null = null;
  constructor() {
    super({ maxIntraOpParallelism: "int", privateThreadpoolSize: "int" });
  }
}

/** TF: tf.data.experimental.AutotuneOptions. */
export class AutotuneOptions extends OptionGroup {
  enabled: boolean | null = null;
  cpuBudget: number | null = null;
  ramBudget: number | null = null;
  /** One of AutotuneAlgorithm. */
  autotuneAlgorithm: number | null = null;
  initialParallelism: number | null = null;
  minParallelism: number | null = null;
  constructor() {
    super({
      enabled: "bool",
      cpuBudget: "int",
      ramBudget: "int",
      autotuneAlgorithm: ["AutotuneAlgorithm", AutotuneAlgorithm],
      initialParallelism: "int",
      minParallelism: "int",
    });
  }
}

/** TF: tf.data.experimental.DistributeOptions. */
export class DistributeOptions extends OptionGroup {
  /** One of AutoShardPolicy. */
  autoShardPolicy: number = AutoShardPolicy.AUTO;
  numDevices: number | null = null;
  constructor() {
    super({ autoShardPolicy: ["AutoShardPolicy", AutoShardPolicy], numDevices: "int" });
  }
}

/** Which rewritings of a chain of datasets TensorFlow makes. TF: tf.data.experimental.OptimizationOptions. */
export class OptimizationOptions extends OptionGroup {
  applyDefaultOptimizations: boolean | null = null;
  filterFusion: boolean | null = null;
  filterParallelization: boolean | null = null;
  injectPrefetch: boolean | null = null;
  seqInterleavePrefetch: boolean | null = null;
  mapAndBatchFusion: boolean | null = null;
  mapAndFilterFusion: boolean | null = null;
  mapFusion: boolean | null = null;
  mapParallelization: boolean | null = null;
  noopElimination: boolean | null = null;
  parallelBatch: boolean | null = null;
  shuffleAndRepeatFusion: boolean | null = null;
  constructor() {
    super({
      applyDefaultOptimizations: "bool",
      filterFusion: "bool",
      filterParallelization: "bool",
      injectPrefetch: "bool",
      seqInterleavePrefetch: "bool",
      mapAndBatchFusion: "bool",
      mapAndFilterFusion: "bool",
      mapFusion: "bool",
      mapParallelization: "bool",
      noopElimination: "bool",
      parallelBatch: "bool",
      shuffleAndRepeatFusion: "bool",
    });
  }
}

/** TF: tf.data.experimental.ServiceOptions. */
export class ServiceOptions extends OptionGroup {
  pinned: boolean | null = null;
  constructor() {
    super({ pinned: "bool" });
  }
}

/** Settings for `Dataset.withOptions`. TF: tf.data.Options. */
export class Options extends OptionGroup {
  /** New settings: those of `options` where it says something, else these. TF: Options.merge. @throws TypeError for anything else. */
  merge(options: Options): Options {
    if (!(options instanceof Options))
      throw new TypeError(
        `Could not merge incompatible options of type ${pythonClass(options)} and <class 'tensorflow.python.data.ops.options.Options'>.`,
      );
    return mergedOptions([this, options].map(optionsToBytes));
  }

  autotune: AutotuneOptions = new AutotuneOptions();
  /** Whether elements come in a fixed order; they always do here. */
  deterministic: boolean | null = null;
  experimentalDistribute: DistributeOptions = new DistributeOptions();
  /** One of ExternalStatePolicy. */
  experimentalExternalStatePolicy: number | null = null;
  experimentalOptimization: OptimizationOptions = new OptimizationOptions();
  experimentalService: ServiceOptions = new ServiceOptions();
  experimentalSlack: boolean | null = null;
  experimentalSymbolicCheckpoint: boolean | null = null;
  experimentalWarmStart: boolean | null = null;
  datasetName: string | null = null;
  frameworkType: readonly string[] | null = null;
  threading: ThreadingOptions = new ThreadingOptions();

  constructor() {
    super({
      autotune: AutotuneOptions,
      deterministic: "bool",
      experimentalDistribute: DistributeOptions,
      experimentalExternalStatePolicy: ["ExternalStatePolicy", ExternalStatePolicy],
      experimentalOptimization: OptimizationOptions,
      experimentalService: ServiceOptions,
      experimentalSlack: "bool",
      experimentalSymbolicCheckpoint: "bool",
      experimentalWarmStart: "bool",
      datasetName: "str",
      frameworkType: "list",
      threading: ThreadingOptions,
    });
  }

  /** The older name of `deterministic`. */
  get experimentalDeterministic(): boolean | null {
    return this.deterministic;
  }
  set experimentalDeterministic(value: boolean | null) {
    this.deterministic = value;
  }
  /** The older name of `threading`. */
  get experimentalThreading(): ThreadingOptions {
    return this.threading;
  }
  set experimentalThreading(value: ThreadingOptions) {
    this.threading = value;
  }
}

/** The name in the message of a field of Options: without "experimental", groups by their whole name. */
function messageName(name: string, value: unknown): string {
  const plain = name.replace(/^experimental(.)/, (_, letter: string) => letter.toLowerCase());
  return value instanceof OptionGroup ? `${plain}Options` : plain;
}

const isSet = ([, value]: readonly [string, unknown]): boolean => value !== null;

/** The settings as TensorFlow's nodes carry them. @throws AttributeError for what are no options. */
export function optionsToBytes(options: Options): Uint8Array {
  if (!(options instanceof Options)) throw new AttributeError(`'${pythonType(options)}' object has no attribute '_to_proto'`);
  const fields = Object.entries(options).map(([name, value]): readonly [string, unknown] => [
    messageName(name, value),
    value instanceof OptionGroup ? Object.fromEntries(Object.entries(value).filter(isSet)) : value,
  ]);
  return messageToBytes("DatasetOptions", Object.fromEntries(fields.filter(isSet)) as MessageInit<"DatasetOptions">);
}

const enumerators: Readonly<Record<string, Enumeration>> = {
  autotuneAlgorithm: AutotuneAlgorithm,
  autoShardPolicy: AutoShardPolicy,
  experimentalExternalStatePolicy: ExternalStatePolicy,
};

/** Writes what a message sets over what a group holds. */
function merge(group: OptionGroup, message: Message<MessageName>): void {
  for (const name of Object.keys(group)) {
    const known: unknown = Reflect.get(group, name);
    const value: unknown = Reflect.get(message, messageName(name, known));
    if (known instanceof OptionGroup) {
      if (value !== undefined) merge(known, value as Message<MessageName>);
    } else if (name === "frameworkType") {
      const all = [...((known ?? []) as readonly string[]), ...(value as readonly string[])];
      if (all.length > 0) Reflect.set(group, name, all);
    } else if (typeof value === "string" && name in enumerators) {
      const number = enumerators[name][value.replace(/^POLICY_/, "")];
      // The one field without a presence of its own: what it holds by default is not set.
      if (name !== "autoShardPolicy" || number !== AutoShardPolicy.AUTO) Reflect.set(group, name, number);
    } else if (value !== undefined) Reflect.set(group, name, typeof value === "bigint" ? Number(value) : value);
  }
}

/** The settings that a chain of nodes carries, the last one's first: they cannot be changed. */
export function mergedOptions(all: readonly Uint8Array[]): Options {
  const options = new Options();
  for (const bytes of all) merge(options, messageFromBytes("DatasetOptions", bytes));
  return options;
}

/** Settings that are a dataset's own. */
export function lockOptions(options: Options): Options {
  for (const group of [options, ...Object.values(options).filter(value => value instanceof OptionGroup)]) locked.add(group);
  return options;
}
