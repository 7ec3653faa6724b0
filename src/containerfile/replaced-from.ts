import type { Containerfile, Stage } from './types.ts';

/** The file with another image in its first FROM, which keeps its name and its place. */
export function withFirstFrom(containerfile: Containerfile, image: string | undefined): Containerfile {
  const [first, ...others] = containerfile.stages;
  if (image === undefined || first === undefined) return containerfile;
  return { ...containerfile, stages: [replaced(first, image), ...others] };
}

function replaced(stage: Stage, image: string): Stage {
  const { from } = stage;
  const words = [from.keyword.text, ...(from.platform ? [`--platform=${from.platform.text}`] : []), image];
  const name = from.as && from.alias ? [from.as.text, from.alias.text] : [];
  const source = [...words, ...name].join(' ');
  return { ...stage, from: { ...from, source, image: { ...from.image, text: image } } };
}
