import { expect, it } from 'vitest';
import { runOutside } from '../../../builder/sandbox/outside.ts';

async function* breaks(): AsyncGenerator<Buffer> {
  yield Buffer.from('some');
  throw new Error('the image cannot be read');
}

it('ends a program whose input breaks off', async () => {
  const { code } = await runOutside({ outside: undefined }, ['sleep', '60'], { stdin: breaks() });
  expect(code).toBe(128 + 15);
});
