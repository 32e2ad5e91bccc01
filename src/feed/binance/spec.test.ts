// Each rule of SPEC.md names a test that exists: the first of that number in that file.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const HERE = import.meta.dirname;
const OVER_SOCKETS = join(HERE, '../../../test/binance-feed');
const RULE = /^(\d+)\. ([\s\S]*?)(?=^\d+\. |^## |(?![\s\S]))/gm;

const rules = [...readFileSync(join(HERE, 'SPEC.md'), 'utf8').matchAll(RULE)];

function testFile(name: string): string {
  for (const folder of [HERE, OVER_SOCKETS]) {
    try {
      return readFileSync(join(folder, name), 'utf8');
    } catch {
      // It may be in the other folder.
    }
  }
  return '';
}

test('the rules of SPEC.md are numbered without a hole', () => {
  assert.deepEqual(
    rules.map(([, number]) => Number(number)),
    rules.map((_, index) => index + 1),
  );
  assert(rules.length >= 19);
});

for (const [, number, text = ''] of rules) {
  test(`rule ${number} of SPEC.md names a test that exists`, () => {
    const [, file = '', id = ''] = /`([\w-]+\.test\.ts): (R\d+)`/.exec(text) ?? [];
    assert.equal(id, `R${number}`, text);
    assert.match(testFile(file), new RegExp(`\\btest\\(\\s*['"\`]${id}: `), `${file} has ${id}`);
  });
}
