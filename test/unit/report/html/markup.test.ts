import { describe, expect, it } from 'vitest';
import { escapeText, html } from '../../../../src/report/html/markup.ts';
import { hostile } from '../../../support/report-data.ts';

describe('markup', () => {
  it('takes what is filled in as text, in content and in attributes', () => {
    expect(html`<p title="${'"><b>'}">${'<b>&'}</p>`.markup).toBe(
      '<p title="&quot;&gt;&lt;b&gt;">&lt;b&gt;&amp;</p>',
    );
  });

  it('takes markup as it is, lists one after the other, and what is absent as nothing', () => {
    const items = ['a', 'b'].map((text) => html`<li>${text}</li>`);
    expect(html`<ul>${items}${undefined}${false}${0}</ul>`.markup).toBe('<ul><li>a</li><li>b</li>0</ul>');
  });

  it('takes nothing for markup that was read somewhere', () => {
    const read = JSON.parse('{"text":{"markup":"<b>"}}') as { readonly text: string };
    expect(html`${read.text}`.markup).not.toContain('<b>');
  });

  it('leaves no character that ends an element, turns text around or moves a cursor', () => {
    const text = escapeText(`${hostile}\ud800`);
    expect(text).not.toMatch(/[<>"'\u001b\u202e\ud800]/);
    expect(text).toContain('&lt;/script&gt;&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&#39;&quot;&amp;');
    expect(text.isWellFormed()).toBe(true);
  });
});
