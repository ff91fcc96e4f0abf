export default {
  files: ['test/**/*.test.ts', 'examples/**/*.test.ts'],
  extensions: ['ts'],
  // Ends a run that hangs: nothing has been told for so long. No test is judged by it.
  timeout: '10m',
};
