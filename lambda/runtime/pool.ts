/** Enough to hide latency, few enough to stay far below the request rates of EC2 and DynamoDB. */
export const WORKERS = 10;

/**
 * Runs `work` over `items` with a bounded number of workers. All started work ends before this returns; the first error
 * stops further items and is thrown then, so that nothing goes on behind the caller's back.
 */
export async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>, workers = WORKERS): Promise<void> {
  let next = 0;
  const errors: unknown[] = [];
  const worker = async (): Promise<void> => {
    while (next < items.length && errors.length === 0) {
      const item = items[next] as T;
      next += 1;
      try {
        await work(item);
      } catch (error) {
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(workers, items.length) }, worker));
  if (errors.length > 0) throw errors[0];
}

/** As `eachOf`, with the results in the order of the items. */
export async function mapOf<T, R>(items: readonly T[], work: (item: T) => Promise<R>, workers = WORKERS): Promise<R[]> {
  const results = new Array<R>(items.length);
  await eachOf(items.map((item, index) => ({ item, index })), async ({ item, index }) => {
    results[index] = await work(item);
  }, workers);
  return results;
}

export function chunks<T>(items: readonly T[], size: number): T[][] {
  const result: T[][] = [];
  for (let start = 0; start < items.length; start += size) result.push(items.slice(start, start + size));
  return result;
}
