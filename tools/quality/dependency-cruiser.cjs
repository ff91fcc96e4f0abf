/** The directions of docs/internals/pipeline/design.md: data flows one way, and nothing imports upward. */
module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'core-is-the-bottom',
      comment: 'src/core knows neither workers, streams, commands, nor their libraries',
      severity: 'error',
      from: { path: '^src/core' },
      to: {
        path: [
          '^src/(workers|streams|simulator|cli|bifrost|bus|attached-bus|main-device|index)',
          'node_modules/(rxjs|piscina|commander)',
        ],
      },
    },
    {
      name: 'workers-and-streams-are-side-by-side',
      severity: 'error',
      from: { path: '^src/(workers|streams)' },
      to: { path: ['^src/(cli|bifrost|bus|attached-bus|main-device|index)'] },
    },
    {
      name: 'the-simulator-stands-on-core',
      comment: 'a segment knows nothing of the MainDevice that is opened on it',
      severity: 'error',
      from: { path: '^src/simulator' },
      to: { path: ['^src/(workers|streams|cli|bifrost|bus|attached-bus|main-device|index)'] },
    },
    {
      name: 'workers-do-not-know-streams',
      severity: 'error',
      from: { path: '^src/workers' },
      to: { path: '^src/streams' },
    },
    {
      name: 'streams-do-not-know-workers',
      severity: 'error',
      from: { path: '^src/streams' },
      to: { path: '^src/workers' },
    },
    {
      name: 'nothing-imports-the-commands',
      severity: 'error',
      from: { pathNot: ['^src/cli', '^test/cli'] },
      to: { path: '^src/cli' },
    },
    {
      name: 'the-gateway-is-on-top',
      comment: 'src/bifrost is a use of the package: nothing else needs it',
      severity: 'error',
      from: { path: '^src', pathNot: '^src/bifrost' },
      to: { path: '^src/bifrost' },
    },
    {
      name: 'one-file-loads-the-addon',
      comment: 'types may come from elsewhere; the value only through src/core/native.ts',
      severity: 'error',
      from: { path: '^(src|bench|examples)', pathNot: '^src/core/native\\.ts$' },
      to: { path: '^native/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-tests-in-the-product',
      severity: 'error',
      from: { path: '^src' },
      to: { path: '^(test|bench|examples|scripts)' },
    },
    {
      name: 'no-development-packages-in-the-product',
      severity: 'error',
      from: { path: '^src' },
      to: { dependencyTypes: ['npm-dev'], pathNot: '@types' },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: 'specify',
    doNotFollow: { path: 'node_modules' },
  },
};
