import { describe, expect, it } from 'vitest';
import { reportPage } from '../../../../src/report/html/report-page.ts';
import { faultsOf } from '../../../support/markup-check.ts';
import { bigBuild, hostileReport, reportOf, step } from '../../../support/report-data.ts';

/** The page without what stands in it as it is: its own style and script. */
function bodyOf(page: string): string {
  return page.replace(/<style>[\s\S]*?<\/style>/, '').replace(/<script>[\s\S]*?<\/script>/, '');
}

describe('the page of a report', () => {
  it('is well formed, whatever a build wrote', () => {
    expect(faultsOf(reportPage(reportOf()))).toEqual([]);
    expect(faultsOf(reportPage(hostileReport()))).toEqual([]);
    expect(faultsOf('<p><b a="1" a="2">x</p>&lt')).toHaveLength(4);
  });

  it('holds no element and no attribute that a build wrote', () => {
    const body = bodyOf(reportPage(hostileReport()));
    expect(body).not.toMatch(/<img|onerror="|<\/script>|\u001b|\u202e/);
    expect(
      body.match(/&lt;\/script&gt;&lt;img src=x onerror=&quot;alert\(1\)&quot;&gt;/g)!.length,
    ).toBeGreaterThan(20);
    expect(body).not.toMatch(/ (?:on\w+|style)="/);
  });

  it('leads nowhere but into itself, and to the web where a rule is explained', () => {
    const url = 'https://docs.example.com/rule';
    const body = bodyOf(
      reportPage(
        reportOf({
          warnings: [
            { text: 'w', url },
            { text: 'x', url: 'javascript:alert(1)' },
          ],
        }),
      ),
    );
    const links = [...body.matchAll(/ href="([^"]*)"/g)]
      .map(([, to]) => to!)
      .filter((to) => !to.startsWith('#'));
    expect(links).toEqual([url]);
    for (const [, to] of body.matchAll(/ href="#([^"]*)"/g)) expect(body).toContain(` id="${to}"`);
  });

  it('lets nothing take effect but its own style and script', () => {
    const page = reportPage(reportOf());
    const [policy] = /Content-Security-Policy" content="([^"]*)"/.exec(page)!.slice(1);
    expect(policy).toMatch(
      /^default-src &#39;none&#39;; style-src &#39;sha256-[\w+/]{43}=&#39;; script-src &#39;sha256-/,
    );
    expect(policy).not.toContain('unsafe');
  });

  it('stays below a megabyte for 100 steps with long logs, big layers and many changes', () => {
    const page = reportPage(reportOf(bigBuild(100)));
    // Here the style is not put in; there it is some 12 kB.
    expect(Buffer.byteLength(page)).toBeLessThan(970_000);
    expect(faultsOf(page)).toEqual([]);
    // Every log is there with its end, and every layer with its biggest file.
    expect(page.match(/last line/g)).toHaveLength(100);
    expect(page.match(/file-000/g)!.length).toBeGreaterThanOrEqual(100);
  });

  it('says of a log that is cut how the whole is had', () => {
    const log = { head: 'first\n', tail: 'last\n', hidden: 5e6 };
    const page = reportPage(reportOf({ steps: [{ ...step('0/1', 0, 5), log }] }));
    expect(page).toContain('5.00MB are not shown: tsbuild logs 20261129-120000000-abcdef 0/1');
  });
});
