import { envRecord, withDefaultPath } from '../../src/containerfile/predefined.ts';
import type { ImageConfig, Platform, Snapshot } from '../../src/core/types.ts';
import { ofThisImageAlone } from '../../src/oci/config.ts';
import type { StageState } from '../state.ts';
import { settingsOf, withSettings } from './config.ts';

/** `FROM scratch`: no layers, the platform's configuration. */
export function emptySnapshot(platform: Platform): Snapshot {
  const config: ImageConfig = {
    architecture: platform.architecture,
    os: platform.os,
    ...(platform.variant !== undefined && { variant: platform.variant }),
    config: { WorkingDir: '/' },
    rootfs: { type: 'layers', diff_ids: [] },
  };
  return { layers: [], config };
}

/** Where a stage stands after FROM an image from outside; the image's own platform stays, as long as it is built on. */
export function startingPoint(image: Snapshot): StageState {
  const env = image.config.config?.Env ?? [];
  const complete = withDefaultPath(env);
  const { created, ...rest } = image.config;
  const fields = Object.entries(rest).filter(([field]) => !ofThisImageAlone.includes(field));
  const config = Object.fromEntries(fields) as typeof rest;
  const snapshot = withSettings({ ...image, config }, { Env: complete });
  return {
    candidates: [{ snapshot, taken: [] }],
    vars: new Map(Object.entries(envRecord(complete))),
    args: [],
    cmdSet: false,
    step: 1,
    made: [],
    inherited: config.history?.length ?? 0,
    inheritedCreated: created,
  };
}

/** Where a stage stands after FROM another stage: its ARGs are known on, but where an ENV has their name, it counts. */
export function continued(parent: StageState): StageState {
  const env = Object.entries(envRecord(settingsOf(parent.candidates[0]!.snapshot).Env ?? []));
  return { ...parent, vars: new Map([...parent.vars, ...env]), cmdSet: false, step: 1 };
}
