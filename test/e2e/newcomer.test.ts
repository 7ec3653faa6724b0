import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HostPlace, hostPlaces, inHostPlace, placePrograms } from '../support/host-place.ts';
import { listingOf } from '../support/layers.ts';
import { readLayout } from '../support/oci-layout.ts';
import { environmentOf, ordinaryUser } from '../support/ordinary-user.ts';
import { packageBase } from '../support/package-base.ts';
import { must, run } from '../support/programs.ts';
import { sharedFolder, temporaryFolder } from '../support/shared.ts';
import { skip } from '../support/skips.ts';

/** An account as useradd makes it, but for the ranges of ids that some machines give to everybody. */
const person = { name: 'newcomer', uid: 61_234, gid: 61_234 };

/** A machine as it was installed, and the account. */
const machineFor = (home: string): HostPlace => ({
  ...hostPlaces.bare,
  prepare: `${hostPlaces.bare.prepare}
    chroot . useradd --uid ${person.uid} --user-group --home-dir ${home} ${person.name}
    sed -i /^${person.name}:/d etc/subuid etc/subgid`,
});

const containerfile = `FROM localhost/tsbuild-test/packages:1
ENV DEBIAN_FRONTEND=noninteractive
RUN rm -f /etc/apt/sources.list.d/* && echo 'deb [trusted=yes] file:/packages ./' >/etc/apt/sources.list
RUN --mount=type=bind,source=packages,target=/packages apt-get update && apt-get install -y openssh-server
`;

/** What that person types, with the packed package in place of its name. */
const session = `set -eu
package=$1 registry=$2 base=$3
for name in crun runc newuidmap newgidmap; do ! command -v "$name" || exit 90; done
! grep -q "^$USER:" /etc/subuid /etc/subgid
npm install --global --prefix "$HOME/.local" --registry "$registry" --ignore-scripts --no-audit --no-fund --silent "$package"
PATH=$HOME/.local/bin:$PATH
tsbuild doctor >../out/doctor.txt
tsbuild load -i "$base"
cd ../context
tsbuild -t x .
tsbuild save x -o ../out/x.tar`;

/** What `tsbuild doctor` says there, its lines joined. */
const pieces = [
  /^RUN works here, in a user namespace with one id \(`single`\); owners are recorded instead of set: /,
  / ✗ subuid a user namespace with a range of ids [^✓]+/,
  / ✓ single a user namespace with one id ← chosen /,
  / ✓ proc /,
  / ✓ store \S+, where layers are laid over each other /,
  / ✓ owners owners are recorded /,
  / ✓ engines built-in/,
  / What helps: subuid: Install newuidmap .* sudo apt-get install uidmap /,
];

const needs = { root: true, programs: ['mmdebstrap', 'useradd', 'npm', 'tar', ...placePrograms] };

describe.skipIf(skip('a person for whom nothing is prepared', needs))(
  'a new account on a machine without crun, runc and uidmap',
  () => {
    const folder = temporaryFolder('newcomer');
    afterAll(() => folder[Symbol.asyncDispose]());

    beforeAll(async () => {
      await using scratch = temporaryFolder('newcomer-place');
      await layOut(folder.path);
      const command = await commandLine(folder.path, scratch.path);
      const { code, stdout, stderr } = await run(command, { limitMs: 300_000 });
      expect(code, `${stdout}${stderr}`.slice(-4000)).toBe(0);
    }, 600_000);

    it('builds an image with openssh-server, whose ssh-agent is setgid and of the group _ssh', async () => {
      const layout = join(folder.path, 'layout');
      mkdirSync(layout);
      await must(['tar', '-xf', join(folder.path, 'out/x.tar'), '-C', layout]);
      const digest = readLayout(layout).manifest.layers.at(-1)!.digest;
      const blob = join(layout, 'blobs', digest.replace(':', '/'));
      const groups = await must(['tar', '-xOzf', blob, 'etc/group']);
      const gid = Number(/^_ssh:x:([1-9]\d*):/m.exec(groups)?.[1]);
      const agent = listingOf(layout, digest).find(({ path }) => path === 'usr/bin/ssh-agent');
      expect(agent).toMatchObject({ type: 'file', mode: 0o2755, uid: 0, gid });
    });

    it('is told the ladder by tsbuild doctor, with marks, reasons and remedies', () => {
      const doctor = readFileSync(join(folder.path, 'out/doctor.txt'), 'utf8');
      const told = doctor.replace(/\s+/g, ' ');
      for (const piece of pieces) expect(told).toMatch(piece);
    });
  },
);

async function layOut(folder: string): Promise<void> {
  for (const name of ['home', 'context', 'out']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'context/Containerfile'), containerfile);
  cpSync((await packageBase()).packages, join(folder, 'context/packages'), { recursive: true });
  await must(['chown', '-R', `${person.uid}:${person.gid}`, folder]);
}

async function commandLine(folder: string, scratch: string): Promise<string[]> {
  // The file that was packed for the other tests; this person installs it anew.
  const installed = dirname(dirname(dirname((await ordinaryUser()).tsbuild)));
  const packed = readdirSync(installed).find((name) => name.endsWith('.tgz'))!;
  const registry = (await must(['npm', 'config', 'get', 'registry'])).trim();
  const home = join(folder, 'home');
  const words = [join(installed, packed), registry, (await packageBase()).archive];
  return inHostPlace(machineFor(home), ['sh', '-c', session, 'sh', ...words], {
    scratch,
    user: person,
    keep: [folder, sharedFolder()],
    env: {
      ...environmentOf({ name: person.name, home }),
      // npm may need them to install the package.
      NODE_EXTRA_CA_CERTS: process.env.TSBUILD_TEST_CA_CERTS,
    },
    cwd: home,
  });
}
