import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Forbids imports by group, with the reason the reader of a finding needs. */
const boundary = (patterns) => ({ 'no-restricted-imports': ['error', { patterns }] });

const CDK = { group: ['aws-cdk-lib', 'aws-cdk-lib/*', 'constructs'], message: 'What runs does not import what is declared (docs/architecture.md).' };
const SDK = { group: ['@aws-sdk/*', '@smithy/*'], message: 'The core is pure: AWS is reached through an adapter.' };
const CONSTRUCTS = { group: ['**/lib/*', '**/lib'], message: 'What runs does not import a construct.' };
const OUTSIDE_CORE = { group: ['../*', '!../core', '!../core/*'], message: 'The core imports only the core.' };

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'cdk.out/', 'coverage/', '.venv/', '**/*.cjs', '**/cdk.out/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
    },
  },
  { files: ['lambda/**/*.ts'], rules: boundary([CDK, CONSTRUCTS]) },
  { files: ['lambda/core/**/*.ts'], rules: boundary([CDK, SDK, CONSTRUCTS, OUTSIDE_CORE]) },
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    // Synthesized templates are JSON without types.
    files: ['test/lib/**/*.ts', 'test/package/**/*.ts'],
    rules: {
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  { files: ['**/*.mjs', '**/*.js'], languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly', Buffer: 'readonly' } } },
);
