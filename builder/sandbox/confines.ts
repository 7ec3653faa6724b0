import type { Network, ProcessOptions } from '../../src/core/options.ts';
import type { HeldLimits } from './held-limits.ts';
import type { SandboxPlan } from './plan.ts';
import type { PrivateNetwork } from './private-network.ts';

/** What of a plan says where its process ends: what it reaches, and how much it may use. */
export type Bounds = Pick<
  SandboxPlan,
  | 'network'
  | 'networkNamespace'
  | 'dns'
  | 'dnsSearch'
  | 'dnsOptions'
  | 'hosts'
  | 'ulimits'
  | 'shmSizeBytes'
  | 'cgroups'
  | 'rights'
>;

/** The bounds of one process, that hold until it has ended. */
export interface Confined extends AsyncDisposable {
  readonly bounds: Bounds;
  /** Whether the kernel has ended a part of it for want of memory. */
  ranOutOfMemory(): boolean;
}

/**
 * The bounds of all processes of one command. The private network is made when the first of them wants it, and shared
 * by all; control groups are made for each.
 */
export class Confines implements AsyncDisposable {
  readonly #options: ProcessOptions;
  readonly #warn: (text: string) => void;
  #network: Promise<PrivateNetwork> | undefined;
  #held: Promise<HeldLimits> | undefined;

  /** `warn` is told once what cannot be held here. */
  constructor(options: ProcessOptions, warn: (text: string) => void) {
    this.#options = options;
    this.#warn = warn;
  }

  /** Bounds for one process. `scratch` is its private folder. Throws `sandbox` where there can be no such network. */
  async confine(network: Network, scratch: string): Promise<Confined> {
    const { dns, addHosts, ulimits, shmSize, rights } = this.#options;
    const shared = network === 'private' ? await this.#privateNetwork(scratch) : undefined;
    const held = await this.#heldLimits();
    const groups = held.open();
    const servers = dns.servers ?? shared?.nameServers;
    return {
      bounds: {
        network,
        ...(shared && { networkNamespace: shared.namespace }),
        ...(servers && { dns: servers }),
        ...(dns.search && { dnsSearch: dns.search }),
        ...(dns.options && { dnsOptions: dns.options }),
        hosts: addHosts.map((line) => hostLine(line, shared)),
        ulimits: [...held.ulimits, ...ulimits],
        ...(shmSize !== undefined && { shmSizeBytes: shmSize }),
        ...(groups.folders.length > 0 && { cgroups: groups.folders }),
        ...(rights && { rights }),
      },
      ranOutOfMemory: () => groups.memoryKills() > 0,
      [Symbol.asyncDispose]: () => groups[Symbol.asyncDispose](),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // One that could not be made has been told to the step that wanted it.
    const network = await this.#network?.catch(() => undefined);
    await network?.[Symbol.asyncDispose]();
  }

  #privateNetwork(scratch: string): Promise<PrivateNetwork> {
    this.#network ??= import('./private-network.ts').then((module) => module.openPrivateNetwork(scratch));
    return this.#network;
  }

  #heldLimits(): Promise<HeldLimits> {
    this.#held ??= import('./held-limits.ts').then((module) =>
      module.holdLimits(this.#options.limits, this.#warn),
    );
    return this.#held;
  }
}

/** `host-gateway` is this machine: as such where its network is shared, by its own address from a private one. */
function hostLine(line: string, shared: PrivateNetwork | undefined): string {
  const address = shared === undefined ? '127.0.0.1' : (shared.hostAddress ?? '127.0.0.1');
  return line.replace(/^host-gateway /, `${address} `);
}
