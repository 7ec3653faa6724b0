import type { StageShape } from '../../core/events.ts';

/** Where a stage is: column and row, from 0. */
export interface StagePlace {
  readonly stage: StageShape;
  readonly column: number;
  readonly row: number;
}

/** A line from a stage to one that reads it: the places that it leads through, in columns between them. */
export interface StageLine {
  readonly from: StagePlace;
  readonly to: StagePlace;
  readonly bends: readonly { readonly column: number; readonly row: number }[];
}

export interface StageLayout {
  readonly places: readonly StagePlace[];
  readonly lines: readonly StageLine[];
  readonly columns: number;
  readonly rows: number;
}

/** What takes a row of a column: a stage, or the lines of one that go by. */
interface Seat {
  readonly stage: StageShape;
  readonly column: number;
  readonly row: number;
}

/**
 * Lays stages out from left to right, each in a column right of all that it reads and near to the rows of these; lines that
 * go past a column have a row of their own in it, so that none runs behind a stage.
 */
export function layOut(stages: readonly StageShape[]): StageLayout {
  const columnOf = columnsOf(stages);
  const last = Math.max(0, ...columnOf.values());
  const seats: Seat[] = [];
  for (let column = 0; column <= last; column++)
    seats.push(...seatsOf(column, { stages, columnOf, before: seats }));
  const places = seats.filter(({ stage, column }) => columnOf.get(stage.id) === column);
  const lines = places.flatMap((to) => linesTo(to, { seats, places }));
  return { places, lines, columns: last + 1, rows: Math.max(0, ...seats.map(({ row }) => row)) + 1 };
}

interface Sitting {
  readonly stages: readonly StageShape[];
  readonly columnOf: ReadonlyMap<string, number>;
  readonly before: readonly Seat[];
}

function seatsOf(column: number, { stages, columnOf, before }: Sitting): Seat[] {
  const columnAt = ({ id }: StageShape): number => columnOf.get(id)!;
  const passing = stages.filter(
    (stage) =>
      columnAt(stage) < column &&
      stages.some((reader) => reader.needs.includes(stage.id) && columnAt(reader) > column),
  );
  const here = stages.filter((stage) => columnAt(stage) === column);
  const rowBefore = (id: string): number | undefined => before.findLast(({ stage }) => stage.id === id)?.row;
  const wished = [
    ...here.map((stage) => ({ stage, row: middle(stage.needs.flatMap((id) => rowBefore(id) ?? [])) })),
    ...passing.map((stage) => ({ stage, row: rowBefore(stage.id) ?? 0 })),
  ];
  wished.sort((a, b) => a.row - b.row);
  let free = 0;
  return wished.map(({ stage, row }) => {
    const own = Math.max(free, Math.floor(row));
    free = own + 1;
    return { stage, column, row: own };
  });
}

function middle(rows: readonly number[]): number {
  return rows.length === 0 ? 0 : rows.reduce((sum, row) => sum + row, 0) / rows.length;
}

/** Columns by the longest way from a stage that reads none. */
function columnsOf(stages: readonly StageShape[]): Map<string, number> {
  const columns = new Map<string, number>();
  const known = new Map(stages.map((stage) => [stage.id, stage]));
  const columnOf = (id: string, way: readonly string[]): number => {
    const needs = known.get(id)?.needs ?? [];
    const read = needs.filter((need) => known.has(need) && !way.includes(need));
    const column = columns.get(id) ?? Math.max(-1, ...read.map((need) => columnOf(need, [...way, id]))) + 1;
    columns.set(id, column);
    return column;
  };
  for (const { id } of stages) columnOf(id, []);
  return columns;
}

function linesTo(
  to: StagePlace,
  { seats, places }: { readonly seats: readonly Seat[]; readonly places: readonly StagePlace[] },
): StageLine[] {
  return places
    .filter((from) => to.stage.needs.includes(from.stage.id) && from.column < to.column)
    .map((from) => ({
      from,
      to,
      bends: seats.filter(
        ({ stage, column }) => stage.id === from.stage.id && column > from.column && column < to.column,
      ),
    }));
}
