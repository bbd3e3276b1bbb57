import { Presets, SingleBar } from 'cli-progress';

/** Shows the steps of a long job: a bar with the present detail on a terminal, a line a step elsewhere. */
export class Progress {
  private readonly bar: SingleBar | undefined;
  private readonly begun = Date.now();
  private done = 0;

  constructor(private readonly steps: number, private readonly out: NodeJS.WriteStream = process.stdout) {
    if (!out.isTTY) return;
    this.bar = new SingleBar(
      { format: ' {bar} {value}/{total}  {step}  {detail}', hideCursor: true, clearOnComplete: true, stream: out, linewrap: false },
      Presets.shades_grey,
    );
    this.bar.start(steps, 0, { step: '', detail: '' });
  }

  /** Runs one step and says how long it took; an error names the step. */
  async step<T>(name: string, work: (detail: (text: string) => void) => Promise<T>): Promise<T> {
    const begun = Date.now();
    this.bar?.update(this.done, { step: name, detail: '' });
    try {
      const result = await work((detail) => this.bar?.update(this.done, { step: name, detail }));
      this.done += 1;
      this.line(`✔ ${name} (${((Date.now() - begun) / 1000).toFixed(1)} s)`);
      return result;
    } catch (error) {
      this.line(`✖ ${name}`);
      throw error;
    }
  }

  end(): void {
    this.bar?.stop();
  }

  get seconds(): number {
    return (Date.now() - this.begun) / 1000;
  }

  private line(text: string): void {
    if (this.bar) {
      // The bar redraws itself below what is printed above it.
      this.bar.stop();
      this.out.write(`${text}\n`);
      if (this.done < this.steps) this.bar.start(this.steps, this.done, { step: '', detail: '' });
    } else {
      this.out.write(`${text}\n`);
    }
  }
}
