import { copyFileSync, cpSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReportData } from '../../src/report/html/report-data.ts';
import { busyboxBase } from '../support/base-images.ts';
import { type Look, type LookOptions, look, openBrowser } from '../support/browser.ts';
import { bigBuild, hostileReport, reportOf } from '../support/report-data.ts';
import { loadBases, newTsbuild, type Tsbuild } from '../support/tsbuild.ts';

const require = createRequire(import.meta.url);
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

let browser: Browser;
let tsbuild: AsyncDisposable & Tsbuild;
let pages: Readonly<Record<'done' | 'failed' | 'hostile' | 'big', string>>;

beforeAll(async () => {
  tsbuild = await newTsbuild('root');
  await loadBases(tsbuild, [await busyboxBase()]);
  // Bundled, with its style and its script.
  const { reportPage } = require('../../dist/report-page.js') as { reportPage: (data: ReportData) => string };
  const write = (name: string, data: ReportData): string => {
    const file = join(tsbuild.folder, `${name}.html`);
    writeFileSync(file, reportPage(data));
    return file;
  };
  pages = {
    done: join(tsbuild.folder, 'done.html'),
    failed: join(tsbuild.folder, 'failed.html'),
    hostile: write('hostile', hostileReport()),
    big: write('big', reportOf(bigBuild(100))),
  };
  const context = join(tsbuild.folder, 'shop');
  cpSync('testdata/report/shop', context, { recursive: true });
  // Not every system can have it in a checkout.
  writeFileSync(join(context, 'assets/<img src=x onerror=alert(1)>.svg'), 'x');
  await tsbuild.must(['build', '-t', 'shop', '--report', pages.done, context]);
  const failed = await tsbuild.run([
    'build',
    '-t',
    'shop',
    '--target',
    'broken',
    '--report',
    pages.failed,
    context,
  ]);
  expect(failed.code).toBe(1);
  browser = await openBrowser();
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await tsbuild?.[Symbol.asyncDispose]();
});

const wide = { light: { width: 1280, scheme: 'light' }, dark: { width: 1280, scheme: 'dark' } } as const;
const narrow = { light: { width: 400, scheme: 'light' }, dark: { width: 400, scheme: 'dark' } } as const;

/** Looks at a page; at the end it must have done nothing that it should not. */
async function withPage(
  file: string,
  options: LookOptions,
  work: (page: Page) => Promise<void>,
): Promise<void> {
  await using opened: Look = await look(browser, file, options);
  await work(opened.page);
  expect(opened.complaints).toEqual([]);
}

/** Rules of accessibility that the page breaks, each with the first place where it does. */
async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const { violations } = (await page.evaluate("axe.run(document, { resultTypes: ['violations'] })")) as {
    violations: { id: string; help: string; nodes: { html: string; failureSummary: string }[] }[];
  };
  return violations.map(
    ({ id, help, nodes }) =>
      `${id}: ${help}: ${nodes.length} x ${nodes[0]?.html} ${nodes[0]?.failureSummary}`,
  );
}

/** A step by what it does. */
function stepOf(page: Page, text: string): Locator {
  return page.locator('details.step', { has: page.locator('summary .what', { hasText: text }) });
}

async function openAll(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Open all' }).click();
}

/** How far the page is wider than its window, in pixels. */
function overflow(page: Page): Promise<unknown> {
  return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
}

describe('a page', () => {
  it.each([
    ...[wide.light, wide.dark, narrow.light, narrow.dark].map((size) => ({ name: 'done' as const, ...size })),
    ...[wide.light, narrow.dark].map((size) => ({ name: 'failed' as const, ...size })),
    ...[wide.dark, narrow.light].map((size) => ({ name: 'hostile' as const, ...size })),
  ])(
    '$name: at $width pixels, $scheme, nothing is too wide, and axe finds nothing',
    async ({ name, ...size }) => {
      await withPage(pages[name], size, async (page) => {
        expect(await overflow(page)).toBe(0);
        await openAll(page);
        expect(await overflow(page)).toBe(0);
        expect(await findings(page)).toEqual([]);
      });
    },
  );
});

describe('a build of a hundred steps', () => {
  it('is below a megabyte, and axe finds nothing', async () => {
    expect(statSync(pages.big).size).toBeLessThan(1_000_000);
    await withPage(pages.big, wide.light, async (page) => {
      expect(await overflow(page)).toBe(0);
      expect(await findings(page)).toEqual([]);
    });
  });
});

describe('what a build wrote', () => {
  it('is text, wherever it stands', async () => {
    await withPage(pages.hostile, wide.light, async (page) => {
      await openAll(page);
      expect(await page.locator('img').count()).toBe(0);
      expect(await page.locator('script').count()).toBe(1);
      expect(await page.locator('.log').first().textContent()).toContain(
        '</script><img src=x onerror="alert(1)">',
      );
    });
  });

  it('of a real build, too: file names, logs and the Containerfile', async () => {
    await withPage(pages.done, wide.light, async (page) => {
      await openAll(page);
      expect(await page.locator('img, b:text("not bold")').count()).toBe(0);
      const copied = stepOf(page, 'COPY assets assets');
      expect(await copied.locator('.tree').first().textContent()).toContain(
        '<img src=x onerror=alert(1)>.svg',
      );
      const compiled = stepOf(page, 'RUN i=0');
      expect(await compiled.locator('.log').textContent()).toContain(
        'compiling unit 400 of 400 </script><b>',
      );
    });
  });
});

describe('the page', () => {
  const size = wide.light;

  it('tells of the build, its stages, layers and warnings', async () => {
    await withPage(pages.done, size, async (page) => {
      expect(await page.locator('h1').textContent()).toBe('shop:latest succeeded');
      expect(await page.locator('#stages a').count()).toBe(6);
      expect(await page.locator('#timeline .lane > svg[aria-label]').count()).toBe(6);
      const image = (await page.locator('#image').textContent()) ?? '';
      expect(image).toMatch(/10 layers for linux\/amd64.*Later layers overwrite or delete 840kB/);
      expect(image).toMatch(/app\/modules\/left-over\s*deleted by RUN/);
      expect(image).toMatch(/app\/modules\/state\/index.js\s*overwritten by RUN/);
      expect(await page.locator('#warnings mark').allTextContents()).toContain('API_TOKEN');
    });
  });

  it('of a build that failed shows first why, and leads to the step, which is open', async () => {
    await withPage(pages.failed, size, async (page) => {
      expect(await page.locator('.failure').textContent()).toMatch(/RUN exited with 3|exit code 3|exit.* 3/);
      await page.getByRole('link', { name: 'The step that failed' }).click();
      const step = page.locator('details.step.failed');
      expect(await step.getAttribute('open')).not.toBeNull();
      expect(await step.locator('.log').textContent()).toContain(
        'no such module: </pre><img src=x onerror=alert(1)>',
      );
    });
  });

  it('finds steps by what they wrote, and by how they ended', async () => {
    await withPage(pages.done, size, async (page) => {
      const shown = (): Promise<number> => page.locator('details.step:visible').count();
      const all = await shown();
      await page.getByPlaceholder('Find in steps and logs').fill('unit 400 of');
      expect(await shown()).toBe(1);
      expect(await page.locator('#count').textContent()).toBe(`1 of ${all}`);
      await page.getByPlaceholder('Find in steps and logs').fill('');
      await page.getByRole('radio', { name: 'from the cache' }).check();
      expect(await shown()).toBe(1);
      await page.getByRole('radio', { name: 'all' }).check();
      expect(await shown()).toBe(all);
    });
  });

  it('is walked with the keys alone', async () => {
    await withPage(pages.done, size, async (page) => {
      const focused = (): Promise<unknown> => page.evaluate('document.activeElement.textContent');
      await page.keyboard.press('Tab');
      expect(await focused()).toBe('Summary');
      await page.getByRole('link', { name: 'show' }).focus();
      for (let i = 0; i < 40 && !String(await focused()).startsWith('base 1/2'); i++)
        await page.keyboard.press('Tab');
      expect(await focused()).toMatch(/^base 1\/2: from the cache/);
      await page.keyboard.press('ArrowRight');
      expect(await focused()).toMatch(/^base 2\/2: ran/);
      await page.keyboard.press('End');
      await page.keyboard.press('ArrowLeft');
      expect(await focused()).toMatch(/^stage-\d 4\/5: ran/);
      await page.keyboard.press('Enter');
      const step = stepOf(page, 'COPY --from=lint');
      await expect.poll(() => step.getAttribute('open')).not.toBeNull();
      await page.keyboard.press('Space');
      await expect.poll(() => step.getAttribute('open')).toBeNull();
      await page.keyboard.press('Tab');
      expect(await focused()).toContain('RUN rm /tmp/lint.ok');
    });
  });

  it('keeps the colours that were chosen', async () => {
    await withPage(pages.done, size, async (page) => {
      const background = (): Promise<unknown> =>
        page.evaluate('getComputedStyle(document.body).backgroundColor');
      const light = await background();
      await page.getByRole('button', { name: 'Dark' }).click();
      const dark = await background();
      expect(dark).not.toBe(light);
      await page.reload();
      expect(await background()).toBe(dark);
      await page.emulateMedia({ media: 'print' });
      expect(await background()).toBe('rgb(255, 255, 255)');
    });
  });

  it('is made again from what is remembered', async () => {
    const path = (await tsbuild.must(['report', 'shop-is-no-build'].slice(0, 1))).trim();
    expect(path).toMatch(/\/tsbuild-\d{8}-\d{9}-[0-9a-f]{6}\.html$/);
    const before = readFileSync(pages.failed, 'utf8');
    expect(readFileSync(path, 'utf8')).toBe(before);
    expect(await tsbuild.must(['report', '-o', '-'])).toBe(before);
  });

  if (process.env.TSBUILD_TEST_WRITE === '1')
    it('is pictured for docs', async () => {
      await withPage(pages.done, { width: 1080, scheme: 'light' }, async (page) => {
        // Where this machine keeps its files is nobody's business.
        await page.evaluate(
          "document.querySelectorAll('.from code').forEach((code, i) => (code.textContent = ['Containerfile', '/home/me/shop'][i]))",
        );
        const picture = join(tsbuild.folder, 'report.png');
        await page.screenshot({ path: picture, clip: { x: 0, y: 0, width: 1080, height: 790 } });
        copyFileSync(picture, 'docs/report.png');
      });
    });
});
