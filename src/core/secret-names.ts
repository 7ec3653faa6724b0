const SECRET = /(?:_|^)(?:apikey|auth|credential|credentials|key|password|pword|passwd|secret|token)(?:_|$)/i;
const HARMLESS = /(?:_|^)(?:public|file|version)(?:_|$)/i;

/** Whether the name of a variable says that its value should stay secret. */
export function seemsSecret(name: string): boolean {
  return SECRET.test(name) && !HARMLESS.test(name);
}
