declare module 'ext2fs' {
  interface Stat {
    isDirectory(): boolean;
    size: number;
  }

  /** The part of node's `fs.promises` that is used here. */
  interface Ext2Promises {
    readdir(path: string): Promise<string[]>;
    stat(path: string): Promise<Stat>;
    mkdir(path: string): Promise<void>;
    readFile(path: string): Promise<Buffer>;
    writeFile(path: string, content: Buffer): Promise<void>;
  }

  /** Runs `work` on the file system that starts at `offset` of `disk`. */
  export function withMountedDisk<T>(disk: object, offset: number, work: (fs: { promises: Ext2Promises }) => Promise<T>): Promise<T>;
}
