import { describe, expect, it } from 'vitest';
import { layOut } from '../../../../src/report/html/stage-layout.ts';
import { stage } from '../../../support/report-data.ts';

describe('the layout of stages', () => {
  it('puts each right of all that it reads, and no two in one place', () => {
    const stages = [
      ...[stage('0'), stage('1', ['0']), stage('2', ['0']), stage('3', ['1', '2', '0'])],
      ...Array.from({ length: 30 }, (_, i) => stage(String(i + 4), i % 3 === 0 ? [] : [String(i + 3), '0'])),
    ];
    const { places, lines } = layOut(stages);
    expect(places).toHaveLength(stages.length);
    const column = new Map(places.map(({ stage, column }) => [stage.id, column]));
    for (const { id, needs } of stages)
      for (const need of needs) expect(column.get(need)!).toBeLessThan(column.get(id)!);
    expect(lines).toHaveLength(stages.flatMap(({ needs }) => needs).length);
    const taken = places.map(({ column, row }) => `${column} ${row}`);
    expect(new Set(taken).size).toBe(taken.length);
    const bends = lines.flatMap((line) => line.bends.map(({ column, row }) => `${column} ${row}`));
    expect(bends.length).toBeGreaterThan(0);
    expect(bends.filter((bend) => taken.includes(bend))).toEqual([]);
  });

  it('ends where stages need each other, or one that is not there', () => {
    const { places } = layOut([stage('0', ['1']), stage('1', ['0']), stage('2', ['gone'])]);
    expect(places).toHaveLength(3);
  });
});
