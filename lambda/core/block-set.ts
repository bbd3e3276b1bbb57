/** Numbers of blocks, a bit each: the largest disk of EBS has 134 million blocks, which is 16 MiB here. */
export class BlockSet implements Iterable<number> {
  private words = new Uint32Array(64);
  private count = 0;

  static of(indexes: Iterable<number>): BlockSet {
    const set = new BlockSet();
    for (const index of indexes) set.add(index);
    return set;
  }

  get size(): number {
    return this.count;
  }

  has(index: number): boolean {
    return ((this.words[index >>> 5] ?? 0) & (1 << (index & 31))) !== 0;
  }

  add(index: number): void {
    const word = index >>> 5;
    if (word >= this.words.length) {
      const larger = new Uint32Array(Math.max(word + 1, this.words.length * 2));
      larger.set(this.words);
      this.words = larger;
    }
    if (this.has(index)) return;
    this.words[word] = (this.words[word] ?? 0) | (1 << (index & 31));
    this.count += 1;
  }

  union(other: BlockSet): BlockSet {
    const both = BlockSet.of(this);
    for (const index of other) both.add(index);
    return both;
  }

  /** Ascending. */
  *[Symbol.iterator](): Iterator<number> {
    for (let word = 0; word < this.words.length; word += 1) {
      const bits = this.words[word] ?? 0;
      if (bits === 0) continue;
      for (let bit = 0; bit < 32; bit += 1) if ((bits & (1 << bit)) !== 0) yield word * 32 + bit;
    }
  }
}

/** So many at a time, ascending, without the first ones. */
export function* inChunks(blocks: Iterable<number>, size: number, skip = 0): Iterable<number[]> {
  let chunk: number[] = [];
  let position = 0;
  for (const index of blocks) {
    position += 1;
    if (position <= skip) continue;
    chunk.push(index);
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}
