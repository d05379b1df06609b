// The words that two answers share (Myers 1986), bounded: what takes more changes is shown as one.
const MOST_CHANGES = 800;

const pieces = text => text.match(/\s+|[^\s]+/g) || [];

// Pieces of the second text as [text, whether the first lacks it]; and whether the middle was given up.
function wordDiff(first, second) {
  const a = pieces(first), b = pieces(second);
  let start = 0, end = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const middleA = a.slice(start, a.length - end), middleB = b.slice(start, b.length - end);
  const kept = common(middleA, middleB);
  const shown = b.map((piece, at) => {
    const inside = at >= start && at < b.length - end;
    return [piece, inside && !(kept && kept.has(at - start))];
  });
  return { shown, bounded: kept === null };
}

// Places in b of one longest common sequence; null where more than MOST_CHANGES words changed.
function common(a, b) {
  const most = Math.min(a.length + b.length, MOST_CHANGES), ends = new Int32Array(2 * most + 3), trace = [];
  for (let d = 0; d <= most; d++) {
    trace.push(ends.slice(most - d, most + d + 3));
    for (let k = -d; k <= d; k += 2) {
      const at = k + most + 1;
      let x = k === -d || (k !== d && ends[at - 1] < ends[at + 1]) ? ends[at + 1] : ends[at - 1] + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      ends[at] = x;
      if (x >= a.length && x - k >= b.length) return walk(trace, d, a.length, b.length);
    }
  }
  return null;
}

function walk(trace, d, x, y) {
  const kept = new Set();
  for (; d > 0; d--) {
    // The ends before step d, of diagonals from -d - 1 to d + 1.
    const before = trace[d], end = k => before[k + d + 1];
    const k = x - y, down = k === -d || (k !== d && end(k - 1) < end(k + 1));
    const from = down ? k + 1 : k - 1, fromX = end(from), fromY = fromX - from;
    while (x > fromX && y > fromY) { x--; y--; kept.add(y); }
    x = fromX;
    y = fromY;
  }
  while (x > 0 && y > 0) { x--; y--; kept.add(y); }
  return kept;
}
