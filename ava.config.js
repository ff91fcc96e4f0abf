export default {
  files: ['test/**/*.test.ts', 'examples/**/*.test.ts'],
  extensions: ['ts'],
  timeout: '60s',
};
