// Messages in files: bytes, or text where the name ends in .pbtxt or .txt. A file that does not say what it is, is asked.

import { files } from "#platform";
import { DataLossError, OpError, ResourceExhaustedError } from "../base/errors.ts";
import { type FileSystem, readFile } from "../base/files.ts";
import { encodeText } from "../base/ndarray.ts";
import { messageFromBytes, messageToBytes } from "../formats/message-codec.ts";
import type { Message, MessageInit, MessageName } from "../formats/messages.ts";
import { messageFromText, messageToText } from "../formats/text-format.ts";

const isTextName = (path: string): boolean => /\.(?:pbtxt|txt|textproto)$/.test(path);
/** Protobuf's own limit for one message. */
const mostBytes = 2 ** 31 - 1;

/** @throws NotFoundError; DataLossError naming the file, the place in it and what is wrong there. */
export async function readMessageFile<N extends MessageName>(name: N, path: string, from: FileSystem = files): Promise<Message<N>> {
  return messageOfFile(name, path, await readFile(from, path));
}

/** The message in a file's bytes. */
export function messageOfFile<N extends MessageName>(name: N, path: string, bytes: Uint8Array): Message<N> {
  if (isTextName(path)) return inFile(path, () => messageFromText(name, bytes));
  try {
    return messageFromBytes(name, bytes);
  } catch (error) {
    // Text under another name begins with a letter or a comment; bytes that begin so are no message of ours.
    if (/^[\s#A-Za-z_]/.test(String.fromCharCode(bytes[0] ?? 0))) {
      try {
        return messageFromText(name, bytes);
      } catch {
        return inFile(path, () => throwing(error));
      }
    }
    return inFile(path, () => throwing(error));
  }
}

const throwing = (error: unknown): never => {
  throw error;
};

function inFile<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof OpError) throw new DataLossError(`Cannot parse file ${path}: ${error.message}`);
    throw error;
  }
}

/** The bytes of a message's file. @throws ResourceExhaustedError beyond 2 GiB. */
export function fileOfMessage<N extends MessageName>(name: N, message: MessageInit<N>, asText: boolean): Uint8Array {
  const bytes = asText ? encodeText(messageToText(name, message)) : messageToBytes(name, message);
  if (bytes.length > mostBytes)
    throw new ResourceExhaustedError(`A ${name} of ${bytes.length} bytes is larger than the 2 GiB that a message may have.`);
  return bytes;
}

export async function writeMessageFile<N extends MessageName>(
  name: N,
  path: string,
  message: MessageInit<N>,
  { asText = isTextName(path), to = files }: { readonly asText?: boolean; readonly to?: FileSystem } = {},
): Promise<void> {
  await to.write(path, [fileOfMessage(name, message, asText)]);
}
