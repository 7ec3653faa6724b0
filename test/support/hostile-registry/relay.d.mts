export interface Relay {
  readonly host: string;
  /** Connections that were reset so far. */
  readonly resets: number;
  stop(): Promise<void>;
}

export function startRelay(
  to: string,
  options: { readonly everyBytes: number; readonly together?: boolean },
): Promise<Relay>;
