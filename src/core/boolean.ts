/**
 * A boolean in the spellings that Go reads, in any case (`1`, `t`, `true`, `0`, `f`, `false`); undefined for anything
 * else.
 */
export function booleanOf(text: string): boolean | undefined {
  if (/^(?:1|t|true)$/i.test(text)) return true;
  return /^(?:0|f|false)$/i.test(text) ? false : undefined;
}
