// Event files: records of Event messages, the first of which tells the version. TensorBoard reads them.

import { messageToBytes } from "./message-codec.ts";
import type { MessageInit } from "./messages.ts";
import { recordToBytes } from "./records.ts";

/** An event as a record of its file. */
export const eventRecord = (event: MessageInit<"Event">): Uint8Array => recordToBytes(messageToBytes("Event", event));

/** Seconds since 1970. */
export const wallTime = (): number => Date.now() / 1000;

/** What an event file begins with; `writer` is for those who wonder who wrote it. */
export const firstEventRecord = (writer: string): Uint8Array =>
  eventRecord({ wallTime: wallTime(), fileVersion: "brain.Event:2", sourceMetadata: { writer } });

/** `events.out.tfevents.SECONDS.REST`, which TensorBoard looks for and sorts by. */
export const eventFileName = (rest: string): string => `events.out.tfevents.${String(Math.floor(wallTime())).padStart(10, "0")}.${rest}`;
