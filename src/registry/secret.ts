/** What a registry or its token server may be shown. Never printed. */
export type Secret =
  | { readonly type: 'password'; readonly username: string; readonly password: string }
  /** An identity (refresh) token, to be changed for an access token by POST. */
  | { readonly type: 'identity'; readonly username: string; readonly token: string }
  /** A ready access token. */
  | { readonly type: 'access'; readonly token: string };
