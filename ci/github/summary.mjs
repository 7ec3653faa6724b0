import { appendFileSync } from 'node:fs';

/** What the job's page shows of a build. */
export function writeSummary(build, { GITHUB_STEP_SUMMARY }) {
  if (GITHUB_STEP_SUMMARY) appendFileSync(GITHUB_STEP_SUMMARY, summaryOf(build));
}

function summaryOf({ code, id, metadata, remembered }) {
  const names = remembered?.names ?? [];
  const rows = [
    ['names', names.map(shortName).map(codeOf).join('<br>')],
    ['digest', codeOf(metadata['containerimage.digest'])],
    ['image id', codeOf(id)],
    ['cached', remembered && share(remembered)],
    ['time', remembered?.tookMs !== undefined && timeOf(remembered.tookMs)],
  ];
  const told = rows
    .filter(([, text]) => text)
    .map(([name, text]) => `<tr><th>${name}</th><td>${text}</td></tr>`);
  const title = code === 0 ? 'Image built' : 'The build failed';
  const error = remembered?.error?.message;
  return `### ${title}\n\n${error ? `<pre>${escaped(error)}</pre>\n\n` : ''}<table>\n${told.join('\n')}\n</table>\n\n`;
}

/** As people write it. */
function shortName(name) {
  return name.replace(/^docker\.io\/(?:library\/)?/, '');
}

function share({ cached, steps }) {
  const percent = steps === 0 ? 100 : Math.round((100 * cached) / steps);
  return `${cached} of ${steps} steps (${percent} %)`;
}

function timeOf(milliseconds) {
  const seconds = milliseconds / 1000;
  return seconds < 60
    ? `${seconds.toFixed(1)} s`
    : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

function codeOf(text) {
  return text ? `<code>${escaped(text)}</code>` : '';
}

/** Names and messages come from files that others wrote. */
function escaped(text) {
  return text.replace(/[&<>"'`*_[\]\n|\\@]/g, (letter) => `&#${letter.codePointAt(0)};`);
}
