// Scaffold: the operations and the saver that a training session needs, taken from the graph's collections or made. TF: tf.train.Scaffold.

import { RuntimeError } from "../base/errors.ts";
import * as logging from "../base/logging.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import { Saver } from "../io/saver.ts";
import { GraphKeys } from "../library/variables/graph-keys.ts";
import { tablesInitializer } from "../library/lookup.ts";
import { mergeAll } from "../library/summary.ts";
import {
  globalVariables,
  globalVariablesInitializer,
  localVariablesInitializer,
  reportUninitializedVariables,
} from "../library/variables/variable-lists.ts";
import { constant } from "../ops/array/array.ts";
import { concat } from "../ops/array/slicing.ts";
import { group, noOp } from "../ops/flow/control-flow.ts";
import type { Feeds } from "../session/feeds.ts";
import type { Session } from "../session/session.ts";

type InitFn = (scaffold: Scaffold, session: Session) => void | Promise<void>;

export interface ScaffoldOptions {
  readonly initOp?: Operation | null;
  readonly initFeedDict?: Feeds | null;
  /** Called after `initOp` where no checkpoint was restored. */
  readonly initFn?: InitFn | null;
  /** Gives the names of what is not initialized. */
  readonly readyOp?: Tensor | null;
  readonly readyForLocalInitOp?: Tensor | null;
  readonly localInitOp?: Operation | null;
  readonly summaryOp?: Tensor | null;
  readonly saver?: Saver | null;
  /** What is not given here is taken from this one. */
  readonly copyFromScaffold?: Scaffold | null;
  readonly localInitFeedDict?: Feeds | null;
}

/** Tables and queues here come into being with their session, so there is no resource to initialize or to report. */
const noResources = (): Operation => noOp({ name: "init" });
function noneUninitialized(): Tensor {
  const graph = getDefaultGraph();
  return graph.nameScope("report_uninitialized_resources", () => graph.device("/cpu:0", () => constant([], "string")));
}

/** The saver listed in the graph; one is made and listed if there is none. */
function savedBy(make: () => Saver): Saver {
  const graph = getDefaultGraph();
  const savers: Saver[] = graph.getCollection(GraphKeys.SAVERS);
  if (savers.length > 1)
    throw new RuntimeError(
      `More than one item in collection ${GraphKeys.SAVERS}. Please indicate which one to use by passing it to the constructor.`,
    );
  if (savers.length === 1) return savers[0];
  const saver = make();
  graph.addToCollection(GraphKeys.SAVERS, saver);
  return saver;
}

/** What a monitored session initializes, restores and saves with. TF: tf.train.Scaffold. @throws TypeError for a `copyFromScaffold` of another kind. */
export class Scaffold {
  private given: ScaffoldOptions;
  private readonly userInitFn: InitFn | null;

  constructor({ copyFromScaffold, ...options }: ScaffoldOptions = {}) {
    if (copyFromScaffold && !(copyFromScaffold instanceof Scaffold)) throw new TypeError("copy_from_scaffold is not a Scaffold instance.");
    const isGiven = ([, value]: readonly [string, unknown]): boolean => value !== null && value !== undefined;
    this.given = { ...copyFromScaffold?.given, ...Object.fromEntries(Object.entries(options).filter(isGiven)) };
    this.userInitFn = this.given.initFn ?? null;
  }

  /** Makes what is missing, in the default graph, and finalizes the graph. */
  finalize(): this {
    const { getOrDefault } = Scaffold;
    const initOp =
      this.given.initOp ??
      getOrDefault("init_op", GraphKeys.INIT_OP, () =>
        group(globalVariablesInitializer(), noResources(), ...getDefaultGraph().getCollection("saved_model_initializers")),
      );
    const readyOp =
      this.given.readyOp ??
      getOrDefault("ready_op", GraphKeys.READY_OP, () => concat([reportUninitializedVariables(), noneUninitialized()], 0));
    const readyForLocalInitOp =
      this.given.readyForLocalInitOp ??
      getOrDefault("ready_for_local_init_op", GraphKeys.READY_FOR_LOCAL_INIT_OP, () =>
        concat([reportUninitializedVariables(globalVariables()), noneUninitialized()], 0),
      );
    const localInitOp =
      this.given.localInitOp ?? getOrDefault("local_init_op", GraphKeys.LOCAL_INIT_OP, () => Scaffold.defaultLocalInitOp());
    const summaryOp = this.given.summaryOp ?? getOrDefault("summary_op", GraphKeys.SUMMARY_OP, () => mergeAll());
    const saver = this.given.saver ?? savedBy(() => new Saver(null, { sharded: true, allowEmpty: true }));
    saver.build();
    this.given = { ...this.given, initOp, readyOp, readyForLocalInitOp, localInitOp, summaryOp, saver };
    getDefaultGraph().finalize();
    logging.info("Graph was finalized.");
    return this;
  }

  get initFn(): ((session: Session) => void | Promise<void>) | null {
    const { userInitFn } = this;
    return userInitFn === null ? null : session => userInitFn(this, session);
  }
  get initOp(): Operation | null {
    return this.given.initOp ?? null;
  }
  get initFeedDict(): Feeds | null {
    return this.given.initFeedDict ?? null;
  }
  get readyOp(): Tensor | null {
    return this.given.readyOp ?? null;
  }
  get readyForLocalInitOp(): Tensor | null {
    return this.given.readyForLocalInitOp ?? null;
  }
  get localInitOp(): Operation | null {
    return this.given.localInitOp ?? null;
  }
  get localInitFeedDict(): Feeds | null {
    return this.given.localInitFeedDict ?? null;
  }
  get summaryOp(): Tensor | null {
    return this.given.summaryOp ?? null;
  }
  get saver(): Saver | null {
    return this.given.saver ?? null;
  }

  /** What a collection holds, or what a function makes, which is then listed there. @throws RuntimeError if it holds several. */
  static getOrDefault<T>(argName: string, collectionKey: string, defaultConstructor: () => T): T {
    const graph = getDefaultGraph();
    const elements: T[] = graph.getCollection(collectionKey);
    if (elements.length > 1)
      throw new RuntimeError(
        `More than one item in the collection "${collectionKey}". Please indicate which one to use by passing it to the tf.Scaffold constructor as:  tf.Scaffold(${argName}=item to use)`,
      );
    if (elements.length === 1) return elements[0];
    const made = defaultConstructor();
    if (made !== null && made !== undefined) graph.addToCollection(collectionKey, made);
    return made;
  }

  /** Initializes local variables and tables. */
  static defaultLocalInitOp(): Operation {
    return group(localVariablesInitializer(), tablesInitializer(), noResources());
  }
}
