/**
 * A copy of a record that only its maker has seen, so its members may still be set. A record that every call changes is copied
 * member by member: V8 gives the copy of a copy by spread a hidden class of its own each time (Node 20), and all code that
 * reads such records becomes slow.
 */
export type Draft<T> = { -readonly [Name in keyof T]: T[Name] };
