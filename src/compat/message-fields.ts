// Messages as Python programs handle them: `summary.value.add({ tag, simple_value })`, `example.features.feature["x"].int64_list.value[0]`,
// `graph_def.node.extend(nodes)`. What a message holds gets the methods of its own class; a message that is read before anybody set it counts as
// absent until something is put into it.

import { camelOf, snakeOf } from "../base/names.ts";
import { askFields, classOf, messageKind } from "../formats/message-class.ts";
import { createMessage, exact, type Field, fieldsOf, isAbsent, isMessage, markTouched, markUntouched } from "../formats/message-codec.ts";
import type { MessageName } from "../formats/messages.ts";
import { refuseWrongField } from "./message-checks.ts";

type Touch = () => void;

/** The kind of a message, or undefined for anything else. */
export function kindOf(value: unknown): MessageName | undefined {
  return typeof value === "object" && value !== null ? (Reflect.get(value, messageKind) as MessageName | undefined) : undefined;
}

export class MessageFields {
  private readonly prototypes = new Map<MessageName, object>();
  private readonly adopted = new WeakSet<object>();
  /** Messages that were read though nobody had set them, by the message that would hold them. */
  private readonly offered = new WeakMap<object, Map<string, object>>();
  private readonly prototypeOf: (parent: object) => object;

  /** `prototypeOf` puts a second spelling above the prototype of a class. */
  constructor(prototypeOf: (parent: object) => object) {
    this.prototypeOf = prototypeOf;
    askFields(refuseWrongField);
  }

  /** Makes what a message holds answer as Python's does. */
  adopt(message: object, kind: MessageName, touch?: Touch): void {
    for (const field of fieldsOf(kind)) {
      const value: unknown = Reflect.get(message, field.name);
      if (field.label === "repeated") this.adoptList(value as unknown[], field.type, touch);
      else if (field.label === "map") this.adoptMap(value as Map<unknown, unknown>, field.type, touch);
      else if (isMessage(field.type) && !isAbsent(value)) this.adoptItem(value as object, field.type);
      else if (isMessage(field.type) && snakeOf(field.name) === field.name) this.offerByName(message, kind, field);
    }
  }

  /** A field of one spelling is its own name's: there the message that is offered has to stand itself. */
  private offerByName(message: object, kind: MessageName, field: Field): void {
    const { name, type, label } = field;
    const define = (value: unknown): void => {
      if (isAbsent(value)) return;
      if (label === "oneof") clearOthers(message, fieldsOf(kind), field);
      Object.defineProperty(message, name, { value, writable: true, enumerable: true, configurable: true });
    };
    Object.defineProperty(message, name, {
      configurable: true,
      enumerable: true,
      get: () => this.offer(message, name, type as MessageName, define),
      set: define,
    });
  }

  private adoptItem(message: object, kind: MessageName): void {
    if (this.adopted.has(message) || !Object.isExtensible(message)) return;
    this.adopted.add(message);
    if (kindOf(message) === undefined) Object.setPrototypeOf(message, this.prototype(kind));
    this.adopt(message, kind);
  }

  private prototype(kind: MessageName): object {
    let found = this.prototypes.get(kind);
    if (found === undefined) {
      found = this.prototypeOf(classOf(kind).prototype);
      this.prototypes.set(kind, found);
    }
    return found;
  }

  /** A message of this kind as the program wrote it: an object of fields, or a message. */
  private made(kind: MessageName, given: object): object {
    const message = kindOf(given) === undefined ? new (classOf(kind))(given) : given;
    if (!this.adopted.has(message)) {
      this.adopted.add(message);
      Object.setPrototypeOf(message, this.prototype(kind));
      this.adopt(message, kind);
    }
    return message;
  }

  private adoptList(list: unknown[], type: string, touch?: Touch): void {
    if (!Array.isArray(list) || this.adopted.has(list)) return;
    this.adopted.add(list);
    if (isMessage(type)) for (const item of list) this.adoptItem(item as object, type);
    const put = (items: Iterable<unknown>): void => {
      for (const item of items) list.push(isMessage(type) ? this.made(type, item as object) : exact(type, item));
      touch?.();
    };
    const methods = {
      append: (item: unknown) => put([item]),
      extend: (items: Iterable<unknown>) => put(items),
      MergeFrom: (items: Iterable<unknown>) => put(items),
      ...(isMessage(type) && {
        add: (fields: object = {}) => {
          put([fields]);
          return list.at(-1);
        },
      }),
    };
    for (const [name, value] of Object.entries(methods)) Object.defineProperty(list, name, { value, configurable: true });
  }

  /** A map answers by key, too: `feature["x"]`. What it has not is offered as in Python, unless JavaScript itself may have asked. */
  private adoptMap(map: Map<unknown, unknown>, type: string, touch?: Touch): void {
    if (!(map instanceof Map) || this.adopted.has(map)) return;
    this.adopted.add(map);
    if (isMessage(type)) for (const item of map.values()) this.adoptItem(item as object, type);
    const byKey = new Proxy(Object.create(Map.prototype) as object, {
      get: (target, key, receiver) => {
        if (typeof key !== "string" || key in target) return Reflect.get(target, key, receiver);
        if (map.has(key) || !isMessage(type)) return map.get(key);
        return this.offer(map, key, type, message => {
          map.set(key, message);
          touch?.();
        });
      },
      set: (_, key, value) => {
        map.set(key, exact(type, value));
        touch?.();
        return true;
      },
    });
    Object.setPrototypeOf(map, byKey);
  }

  /** What a field that is a message and not set is read as, or undefined for other fields. */
  unset(message: object, key: string): object | undefined {
    const kind = kindOf(message);
    const field = kind && fieldsOf(kind).find(({ name }) => name === camelOf(key));
    if (field === undefined || !isMessage(field.type) || field.label === "map" || field.label === "repeated") return undefined;
    const given: unknown = Reflect.get(message, field.name);
    if (!isAbsent(given)) return undefined;
    return this.offer(message, field.name, field.type, value => {
      if (field.label === "oneof") clearOthers(message, fieldsOf(kind as MessageName), field);
      Reflect.set(message, field.name, value);
    });
  }

  private offer(holder: object, name: string, kind: MessageName, put: (message: object) => void): object {
    let offers = this.offered.get(holder);
    if (offers === undefined) {
      offers = new Map();
      this.offered.set(holder, offers);
    }
    const known = offers.get(name);
    if (known !== undefined) return known;
    const message = createMessage(kind) as object;
    Object.setPrototypeOf(message, this.prototype(kind));
    this.adopted.add(message);
    let isTouched = false;
    const touch = (): void => {
      if (isTouched) return;
      isTouched = true;
      markTouched(shown);
      this.offered.get(holder)?.delete(name);
      put(message);
    };
    this.adopt(message, kind, touch);
    Object.defineProperty(message, "SetInParent", { value: touch, configurable: true });
    const shown: object = new Proxy(message, {
      set: (target, key, value, receiver): boolean => {
        touch();
        return Reflect.set(target, typeof key === "string" ? camelOf(key) : key, value, receiver === shown ? target : receiver);
      },
    });
    markUntouched(shown);
    offers.set(name, shown);
    return shown;
  }
}

/** Of several fields that exclude each other the one that is set last stays. */
function clearOthers(message: object, fields: readonly Field[], kept: Field): void {
  for (const field of fields) if (field.label === "oneof" && field !== kept) Reflect.set(message, field.name, undefined);
}
