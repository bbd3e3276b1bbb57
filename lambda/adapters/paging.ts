export interface Page<T> {
  readonly items: readonly T[];
  readonly next?: string | undefined;
}

/** All pages of a call; a page can be empty before the last. */
export async function allPages<T>(call: (token: string | undefined) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  let token: string | undefined;
  do {
    const page = await call(token);
    items.push(...page.items);
    token = page.next === '' ? undefined : page.next;
  } while (token !== undefined);
  return items;
}
