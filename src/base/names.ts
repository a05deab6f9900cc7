// snake_case ↔ camelCase by one bijective rule: `_x` ↔ `X` for letters; an underscore before a digit stays (`beta_1`).

/** `max_pool` → `maxPool`; names that begin with a capital stay as they are. */
export const camelOf = (snake: string): string =>
  /^[A-Z]/.test(snake) ? snake : snake.replace(/(?<=[A-Za-z0-9])_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** `maxPool` → `max_pool`; names that begin with a capital stay as they are. */
export const snakeOf = (camel: string): string =>
  /^[A-Z]/.test(camel) ? camel : camel.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);

/** The same at the level of types. */
export type SnakeOf<S extends string> = S extends Capitalize<S> ? S : Lowered<S>;

type Lowered<S extends string> = S extends `${infer Head}${infer Tail}`
  ? Head extends Uppercase<Head>
    ? Head extends Lowercase<Head>
      ? `${Head}${Lowered<Tail>}`
      : `_${Lowercase<Head>}${Lowered<Tail>}`
    : `${Head}${Lowered<Tail>}`
  : S;
