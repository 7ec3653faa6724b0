/** A manifest, or a part of one. */
export type Manifest = { readonly [key: string]: unknown };

/** What a container of a Job's pod is given, as far as tests read it. */
export interface Pod {
  readonly context: Manifest;
  readonly own: Manifest;
  readonly container: Manifest;
  readonly volumes: readonly Manifest[];
}

/** The pod of a Job and its one container; what the container says goes before what the pod says. */
export function podOf(job: Manifest): Pod {
  const spec = at(job, 'spec', 'template', 'spec');
  const [container] = spec.containers as readonly Manifest[];
  const context = (spec.securityContext ?? {}) as Manifest;
  const own = (container!.securityContext ?? {}) as Manifest;
  return {
    context: { ...context, ...own },
    own,
    container: container!,
    volumes: (spec.volumes ?? []) as Manifest[],
  };
}

/** What a merge patch (RFC 7386) makes of a manifest. */
export function patched(value: Manifest, patch: Manifest): Manifest {
  const isTable = (one: unknown): one is Manifest =>
    typeof one === 'object' && one !== null && !Array.isArray(one);
  const changed = Object.entries(patch).map(([key, change]) => {
    const before = value[key];
    return [key, isTable(change) ? patched(isTable(before) ? before : {}, change) : change] as const;
  });
  return Object.fromEntries([...Object.entries(value), ...changed].filter(([, one]) => one !== null));
}

const volumeKinds = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

/** Docker's, which containerd gives too; `baseline` lets no other be added. */
const usualCapabilities = [
  ...[
    'AUDIT_WRITE',
    'CHOWN',
    'DAC_OVERRIDE',
    'FOWNER',
    'FSETID',
    'KILL',
    'MKNOD',
    'NET_BIND_SERVICE',
    'SETFCAP',
  ],
  ...['SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT'],
];

/** What keeps a Job out of a namespace that enforces the Pod Security Standard `baseline`. */
export function againstBaseline(job: Manifest): string[] {
  const spec = at(job, 'spec', 'template', 'spec');
  const { context, own, volumes } = podOf(job);
  const added = (at(own, 'capabilities').add ?? []) as readonly string[];
  const kind = at(context, 'seccompProfile').type;
  return [
    ...['hostNetwork', 'hostPID', 'hostIPC'].filter((key) => spec[key] === true),
    ...['privileged', 'procMount', 'windowsOptions', 'seLinuxOptions'].filter(
      (key) => own[key] !== undefined,
    ),
    ...added.filter((name) => !usualCapabilities.includes(name)),
    ...volumes.filter((volume) => 'hostPath' in volume).map(() => 'hostPath'),
    ...(kind === 'Unconfined' ? ['seccompProfile'] : []),
    ...(at(context, 'appArmorProfile').type === 'Unconfined' ? ['appArmorProfile'] : []),
  ];
}

/** What keeps it out of one that enforces `restricted`. */
export function againstRestricted(job: Manifest): string[] {
  const { context, own, volumes } = podOf(job);
  const capabilities = at(own, 'capabilities');
  const added = (capabilities.add ?? []) as readonly string[];
  const dropped = (capabilities.drop ?? []) as readonly string[];
  return [
    ...againstBaseline(job),
    ...(own.allowPrivilegeEscalation === false ? [] : ['allowPrivilegeEscalation']),
    ...(context.runAsNonRoot === true && context.runAsUser !== 0 ? [] : ['runAsNonRoot']),
    ...(dropped.includes('ALL') && added.every((name) => name === 'NET_BIND_SERVICE')
      ? []
      : ['capabilities']),
    ...(['RuntimeDefault', 'Localhost'].includes(String(at(context, 'seccompProfile').type))
      ? []
      : ['seccompProfile']),
    ...volumes
      .flatMap((volume) => Object.keys(volume))
      .filter((key) => key !== 'name' && !volumeKinds.includes(key)),
  ];
}

function at(value: Manifest, ...keys: readonly string[]): Manifest {
  return keys.reduce((inner, key) => (inner[key] ?? {}) as Manifest, value);
}
