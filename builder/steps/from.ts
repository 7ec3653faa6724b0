import { envRecord, withDefaultPath } from '../../src/containerfile/predefined.ts';
import type { ImageConfig, Platform, Snapshot } from '../../src/core/types.ts';
import type { StageState } from '../state.ts';
import { settingsOf, withConfig, withSettings } from './config.ts';

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

/** Where a stage stands after FROM an image from outside. */
export function startingPoint(image: Snapshot, platform: Platform): StageState {
  const env = image.config.config?.Env ?? [];
  const complete = withDefaultPath(env);
  const { created, ...config } = image.config;
  const snapshot = withSettings(onPlatform({ ...image, config }, platform), { Env: complete });
  return {
    candidates: [{ snapshot, created: [] }],
    vars: new Map(Object.entries(envRecord(complete))),
    args: [],
    cmdSet: false,
    step: 1,
    machine: {
      os: config.os,
      architecture: config.architecture,
      ...(config.variant && { variant: config.variant }),
    },
    inherited: config.history?.length ?? 0,
    inheritedCreated: created,
  };
}

/** Where a stage stands after FROM another stage: its ARGs are known on, but where an ENV has their name, it counts. */
export function continued(parent: StageState): StageState {
  const env = Object.entries(envRecord(settingsOf(parent.candidates[0]!.snapshot).Env ?? []));
  return { ...parent, vars: new Map([...parent.vars, ...env]), cmdSet: false, step: 1 };
}

/** The platform asked for stands in the image, whatever its base said. */
function onPlatform(snapshot: Snapshot, { os, architecture, variant }: Platform): Snapshot {
  return withConfig(snapshot, { os, architecture, ...(variant !== undefined && { variant }) });
}
