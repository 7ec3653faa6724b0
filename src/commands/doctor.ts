import { fileURLToPath } from 'node:url';
import { ladder, machineOf, type Rung, rungsFor } from '../../builder/sandbox/ladder.ts';
import type { Isolation } from '../core/place.ts';
import { type Attempt, attempt } from './doctor-attempt.ts';
import { checksFor } from './doctor-checks.ts';
import { type Examined, pageOf, type RungState } from './doctor-page.ts';
import type { Surroundings } from './surroundings.ts';

/** The script by which the launcher finds rungs: beside the bundle's folder. */
const script = fileURLToPath(new URL('../bin/ladder.sh', import.meta.url));

/** Tells which isolation RUN gets here, why no better one, and how to mend the rest. True where RUN works. */
export async function doctor(options: { readonly json: boolean }, here: Surroundings): Promise<boolean> {
  const examined = await examine(here);
  const works =
    examined.rungs.some(({ chosen }) => chosen) && !examined.checks.some(({ fatal }) => fatal === true);
  here.print(options.json ? `${JSON.stringify({ works, ...examined }, null, 2)}\n` : pageOf(examined));
  return works;
}

async function examine(here: Surroundings): Promise<Examined> {
  const { uid } = here.place;
  const tried = await Promise.all(triedFor(uid).map(async (rung) => [rung, await on(rung.name)] as const));
  const best = tried.find(([rung, { works }]) => works && rung.optIn !== true)?.[0];
  const rungs = ladder.map((rung) => {
    const found = tried.find(([one]) => one === rung)?.[1];
    return stateOf(rung, found ?? notTried(rung, uid), { chosen: rung === best, uid });
  });
  const inBest = best && ((command: readonly string[], cwd?: string) => on(best.name, command, cwd));
  return { rungs, checks: await checksFor(best?.name, { root: here.root, uid, inBest }) };
}

/** What the launcher tries, and what it could be told to take. */
function triedFor(uid: number): readonly Rung[] {
  return [...rungsFor(uid), ...ladder.filter(({ optIn }) => optIn === true && uid === 0)];
}

/** Does a command on a rung, in a child. */
function on(rung: Isolation, command: readonly string[] = ['true'], cwd?: string): Promise<Attempt> {
  return attempt(['sh', script, 'in', rung, ...command], cwd);
}

function notTried({ name }: Rung, uid: number): Attempt {
  const said = uid === 0 || name === 'subuid' ? 'for ordinary users' : `uid ${uid} is not root`;
  return { works: false, said, told: '' };
}

function stateOf(
  rung: Rung,
  { works, said }: Attempt,
  { chosen, uid }: { readonly chosen: boolean; readonly uid: number },
): RungState {
  const { name, what, price } = rung;
  const optIn = rung.optIn === true && { optIn: true as const };
  if (works) return { name, what, works, chosen, price, ...optIn };
  if (!triedFor(uid).includes(rung))
    return { name, what, works, chosen, price, why: said, forOthers: true, ...optIn };
  const remedy = rung.remedy(said, machineOf(uid));
  return { name, what, works, chosen, price, why: said, ...optIn, ...(remedy !== undefined && { remedy }) };
}
