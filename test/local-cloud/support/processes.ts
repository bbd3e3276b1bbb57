export const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, milliseconds); });

/** Whether a process runs; one that has ended and was not waited for does not. */
export function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Waits until it is so; fails after some seconds. */
export async function until(condition: () => boolean | Promise<boolean>, seconds = 10): Promise<void> {
  for (const end = Date.now() + seconds * 1000; !(await condition());) {
    if (Date.now() > end) throw new Error(`Not so after ${seconds} s.`);
    await sleep(25);
  }
}
