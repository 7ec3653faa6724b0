/**
 * What the page does beyond what it is: it finds and filters steps, opens the one that a link leads to, walks the timeline
 * with arrow keys and changes its colours. Without it everything can still be read.
 */

const steps = [...document.querySelectorAll<HTMLDetailsElement>('details.step')];

chooseTheme();
filterSteps();
openWhereLinksLead();
walkWithArrows();

function byId<E extends HTMLElement>(id: string): E | null {
  return document.getElementById(id) as E | null;
}

/** The person's choice stays where the browser lets a page keep something; at first it is the system's. */
function chooseTheme(): void {
  const button = byId<HTMLButtonElement>('theme');
  if (button === null) return;
  const root = document.documentElement;
  const isDark = (): boolean =>
    (root.dataset.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) ===
    'dark';
  const name = (): void => {
    button.textContent = isDark() ? 'Light' : 'Dark';
  };
  const kept = remembered(() => localStorage.getItem('tsbuild-theme'));
  if (kept === 'dark' || kept === 'light') root.dataset.theme = kept;
  button.hidden = false;
  button.addEventListener('click', () => {
    const theme = isDark() ? 'light' : 'dark';
    root.dataset.theme = theme;
    remembered(() => localStorage.setItem('tsbuild-theme', theme));
    name();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', name);
  name();
}

/** A page of a file may have nowhere to keep anything. */
function remembered<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

function filterSteps(): void {
  const controls = byId<HTMLFormElement>('controls');
  const find = byId<HTMLInputElement>('find');
  const count = byId('count');
  if (controls === null || find === null || count === null) return;
  controls.hidden = false;
  const texts = new Map<HTMLDetailsElement, string>();
  const textOf = (step: HTMLDetailsElement): string => {
    const text = texts.get(step) ?? (step.textContent ?? '').toLowerCase();
    texts.set(step, text);
    return text;
  };
  const apply = (): void => {
    const word = find.value.trim().toLowerCase();
    const outcome = controls.querySelector<HTMLInputElement>('input[name=outcome]:checked')?.value ?? '';
    for (const step of steps)
      step.hidden = (outcome !== '' && step.dataset.outcome !== outcome) || !textOf(step).includes(word);
    for (const stage of document.querySelectorAll<HTMLElement>('.stage'))
      stage.hidden = stage.querySelector('details.step:not([hidden])') === null;
    const shown = steps.filter((step) => !step.hidden).length;
    count.textContent = shown === steps.length ? String(shown) : `${shown} of ${steps.length}`;
  };
  controls.addEventListener('input', apply);
  controls.addEventListener('submit', (event) => event.preventDefault());
  byId('open-all')?.addEventListener('click', () => setAll(true));
  byId('close-all')?.addEventListener('click', () => setAll(false));
}

function setAll(open: boolean): void {
  for (const step of steps) if (!step.hidden) step.open = open;
}

function openWhereLinksLead(): void {
  const open = (): void => {
    const step = byId<HTMLDetailsElement>(location.hash.slice(1));
    if (step === null || !steps.includes(step)) return;
    if (step.hidden) showAll();
    step.open = true;
    const summary = step.querySelector('summary');
    summary?.focus({ preventScroll: true });
    step.scrollIntoView({ block: 'start' });
  };
  // A link to where one already is changes nothing that the browser would tell of.
  document.addEventListener('click', (event) => {
    const link = (event.target as Element).closest('a[href^="#"]');
    if (link !== null && link.getAttribute('href') === location.hash) open();
  });
  addEventListener('hashchange', open);
  open();
}

function showAll(): void {
  const controls = byId<HTMLFormElement>('controls');
  controls?.reset();
  controls?.dispatchEvent(new Event('input'));
}

/** The bars of the timeline are one stop of the tab key; arrows go from bar to bar. */
function walkWithArrows(): void {
  const lanes = document.querySelector('[data-walk]');
  const bars = [...(lanes?.querySelectorAll<SVGAElement>('a') ?? [])];
  const stop = (at: SVGAElement | undefined): void => {
    for (const bar of bars) bar.setAttribute('tabindex', bar === at ? '0' : '-1');
  };
  stop(bars[0]);
  lanes?.addEventListener('keydown', (event) => {
    const { key } = event as KeyboardEvent;
    const at = bars.indexOf(document.activeElement as unknown as SVGAElement);
    const next = at < 0 ? undefined : bars[nextIndex(key, at, bars.length) ?? -1];
    if (next === undefined) return;
    event.preventDefault();
    stop(next);
    next.focus();
  });
}

function nextIndex(key: string, at: number, count: number): number | undefined {
  if (key === 'ArrowRight' || key === 'ArrowDown') return Math.min(count - 1, at + 1);
  if (key === 'ArrowLeft' || key === 'ArrowUp') return Math.max(0, at - 1);
  if (key === 'Home') return 0;
  return key === 'End' ? count - 1 : undefined;
}
