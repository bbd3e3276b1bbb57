const base = {
  testEnvironment: 'node',
  transform: { '^.+\\.ts$': '<rootDir>/test/support/esbuild-transform.cjs' },
  setupFiles: ['<rootDir>/test/support/setup.cjs'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/cdk.out/'],
  watchPathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.venv/'],
};

/** It deploys to the local cloud, like the end-to-end runs. */
const CAMPAIGN = 'test/faults/campaign.test.ts';

export default {
  // The local cloud's own processes need the second core while a test drives them.
  maxWorkers: 2,
  testTimeout: 30_000,
  projects: [
    { ...base, displayName: 'unit', testMatch: ['<rootDir>/test/{core,lambda,lib,package,local-cloud,demo,faults}/**/*.test.ts'], testPathIgnorePatterns: [CAMPAIGN] },
    { ...base, displayName: 'e2e', testMatch: ['<rootDir>/test/e2e/**/*.test.ts', `<rootDir>/${CAMPAIGN}`] },
  ],
};
