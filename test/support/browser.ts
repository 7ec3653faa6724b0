import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

/** Where Debian and others put Chromium. */
const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Headless Chromium of this machine. It runs pages of our own making, as root too, where its sandbox does not start. */
export async function openBrowser(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM ?? places.find((path) => existsSync(path));
  if (executablePath === undefined)
    throw new Error('there is no Chromium: `npm run test:report` installs it');
  return await chromium.launch({ executablePath, args: ['--no-sandbox'] });
}

/** A page that is looked at, and all that it should not do. */
export interface Look extends AsyncDisposable {
  readonly page: Page;
  /** What it said, where it failed, what it asked the network for. */
  readonly complaints: readonly string[];
}

export interface LookOptions {
  readonly width: number;
  readonly scheme: 'light' | 'dark';
}

/** Opens a file as a person does who clicks on it. */
export async function look(browser: Browser, file: string, { width, scheme }: LookOptions): Promise<Look> {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => complaints.push(`dialog: ${dialog.message()}`));
  page.on('request', (request) => {
    if (request.url() !== `file://${file}`) complaints.push(`request: ${request.url()}`);
  });
  await page.goto(`file://${file}`);
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
}
