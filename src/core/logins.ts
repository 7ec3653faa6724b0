/** User and password of an address over http; a password with a slash in it makes no address. */
const webLogin = /(https?:\/\/)[^\s/?#]*@/gi;
/** The password alone: over ssh the user is part of the address. */
const password = /(:\/\/[^\s/?#:@]*:)[^\s/?#]*@/g;

/** A text whose addresses show no login: stars stand for it. */
export function hideLogins(text: string): string {
  return text.includes('@') ? text.replace(webLogin, '$1****@').replace(password, '$1****@') : text;
}

/** An address over http without user and password; its query stays. */
export function withoutLogin(url: string): string {
  const plain = new URL(url);
  plain.username = '';
  plain.password = '';
  return plain.href;
}
