import { fileURLToPath } from 'node:url';
import test from 'ava';
import ts from 'typescript';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Everything that a file exports, and the public members of it that are declared in this package. */
function undocumented(file: string): string[] {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile) as { config: unknown };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const index = `${root}src/${file}`;
  const program = ts.createProgram([index], options);
  const checker = program.getTypeChecker();
  const isOurs = (symbol: ts.Symbol): boolean =>
    symbol.declarations?.some((declaration) => declaration.getSourceFile().fileName.startsWith(`${root}src/`)) ?? false;
  const isPublic = (symbol: ts.Symbol): boolean =>
    symbol.declarations?.every(
      (declaration) =>
        !(ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.Private) &&
        !(ts.isClassElement(declaration) && declaration.name !== undefined && ts.isPrivateIdentifier(declaration.name)),
    ) ?? true;
  const isDocumented = (symbol: ts.Symbol): boolean =>
    symbol.getDocumentationComment(checker).length > 0 || symbol.getJsDocTags().length > 0;
  const module = checker.getSymbolAtLocation(program.getSourceFile(index)!)!;
  return checker.getExportsOfModule(module).flatMap((exported) => {
    const symbol = (exported.flags & ts.SymbolFlags.Alias) === 0 ? exported : checker.getAliasedSymbol(exported);
    const members = [...(symbol.members?.values() ?? []), ...(symbol.exports?.values() ?? [])].filter(
      (member) =>
        isOurs(member) &&
        isPublic(member) &&
        (member.flags & (ts.SymbolFlags.TypeParameter | ts.SymbolFlags.Constructor | ts.SymbolFlags.Prototype)) === 0,
    );
    return [
      ...(isDocumented(symbol) ? [] : [symbol.name]),
      ...members.filter((member) => !isDocumented(member)).map((member) => `${symbol.name}.${member.name}`),
    ];
  });
}

for (const file of ['index.ts', 'bifrost/index.ts', 'simulator/index.ts']) {
  test(`every export of ${file} has a docstring, and so has every public member of it`, (t) => {
    t.deepEqual(undocumented(file), []);
  });
}
