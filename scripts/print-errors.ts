// Prints docs/errors.md from the table of errors; `npm run generate` writes the file.

import { type ErrorCategory, type ErrorCode, errorCodes, errorTable } from '../src/core/errors/table.ts';

const categories: readonly [ErrorCategory, string][] = [
  ['network', 'Between the MainDevice and the SubDevices: cards, cables, power, lost frames.'],
  ['device', 'One SubDevice that refuses, does not answer, or has a wrong EEPROM.'],
  ['maindevice', 'The program: the MainDevice itself, its threads, and how it is called.'],
  ['configuration', 'What the configuration says, against itself or against the plant.'],
];

process.stdout.write(`<!-- Written by scripts/print-errors.ts from src/core/errors/table.ts. Do not edit. -->

# Errors

Everything that this package throws, rejects with or emits is an \`EtherCatError\`. Match on its \`code\`: codes are
stable, messages are not.

\`\`\`ts
try {
  await using bus = await MainDevice.open('plant.yaml');
} catch (error) {
  if (error instanceof EtherCatError && error.code === 'ECAT_ERR_LINK_PERMISSION') console.error(error.action);
  else throw error;
}
\`\`\`

| Field | What it says |
|---|---|
| \`code\` | the code, as below |
| \`category\` | which part to look at: \`network\`, \`device\`, \`maindevice\`, \`configuration\` |
| \`recoverable\` | whether the same call can succeed later with nothing changed in configuration or program |
| \`action\` | one sentence on what to do, as below |
| \`position\`, \`subDevice\` | the SubDevice: its position in the segment, from 0, and its name |
| \`requestedState\`, \`state\`, \`alStatusCode\` | AL states (1 INIT, 2 PRE-OP, 3 BOOT, 4 SAFE-OP, 8 OP) and AL status code of a refusal; the message says the code in words |
| \`register\` | address of the ESC register |
| \`tag\` | name of the tag |
| \`expected\`, \`found\` | identities of a SubDevice that is not the configured one |
| \`lane\` | name of the lane that writes outputs |
| \`location\` | \`file\`, \`line\` and \`column\` in the configuration or segment file; the message begins with it |
| \`errors\` | all failures, when one operation had several; the other fields are then those of the first |
| \`cause\` | the error behind this one |

Fields that do not apply are absent. \`toJSON()\` gives all but \`cause\` and the stack.
`);

for (const [category, description] of categories) {
  process.stdout.write(
    `\n## ${category}\n${description}\n\n| Code | What it means | Recoverable | What to do |\n|---|---|---|---|\n`,
  );
  for (const code of errorCodes.filter((one) => errorTable[one].category === category)) process.stdout.write(row(code));
}

function row(code: ErrorCode): string {
  const { meaning, recoverable, action } = errorTable[code];
  return `| \`${code}\` | ${meaning} | ${recoverable ? 'yes' : 'no'} | ${action} |\n`;
}
