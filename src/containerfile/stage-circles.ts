/**
 * Tells which stages need each other in a circle, from what each needs: two stages with the same number do. Linear in
 * stages and references, and without recursion: a file may have very many stages.
 */
export function circlesOf(needs: readonly (readonly number[])[]): readonly number[] {
  const circle = new Array<number>(needs.length).fill(-1);
  const back = reversed(needs);
  for (const start of finishingOrder(needs).reverse()) {
    const reached = circle[start] === -1 ? [start] : [];
    for (let at = 0; at < reached.length; at++) {
      const stage = reached[at]!;
      if (circle[stage] !== -1) continue;
      circle[stage] = start;
      for (const other of back[stage]!) if (circle[other] === -1) reached.push(other);
    }
  }
  return circle;
}

/** Stages in the order in which a search in depth leaves them. */
function finishingOrder(needs: readonly (readonly number[])[]): number[] {
  const order: number[] = [];
  const seen = new Set<number>();
  for (let root = 0; root < needs.length; root++) {
    const path = seen.has(root) ? [] : [{ stage: root, next: 0 }];
    seen.add(root);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const other = needs[top.stage]![top.next++];
      if (other === undefined) order.push(path.pop()!.stage);
      else if (!seen.has(other)) {
        seen.add(other);
        path.push({ stage: other, next: 0 });
      }
    }
  }
  return order;
}

function reversed(needs: readonly (readonly number[])[]): number[][] {
  const back: number[][] = needs.map(() => []);
  needs.forEach((others, stage) => {
    for (const other of others) back[other]!.push(stage);
  });
  return back;
}
