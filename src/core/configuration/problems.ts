/** Turns what the schemas say about a document into sentences for people, each with its place. */

import { readFileSync } from 'node:fs';
import { Ajv2020, type ErrorObject as SchemaError, type ValidateFunction } from 'ajv/dist/2020.js';
import { EtherCatError } from '../errors/ethercat-error.ts';
import { didYouMean } from '../nearest.ts';
import { type ParsedDocument, type Path, pathText } from './document.ts';

/** The schemas of this package, by the names of their files, and the part of one that has a use of its own. */
export type SchemaName = SchemaFile | 'segment.schema.json#/$defs/fault';

type SchemaFile = 'configuration.schema.json' | 'segment.schema.json';

/** The parts of a schema that explain it. */
interface ExplainedSchema {
  readonly 'x-expected'?: string;
  readonly 'x-one-of'?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, ExplainedSchema>>;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, ExplainedSchema>>;
}

/** Characters of a found value that a message shows. */
const SHOWN_VALUE_MAX = 40;

/** Compiled once, with the definitions of both schemas; their names do not clash. */
let compiled: { ajv: Ajv2020; definitions: Readonly<Record<string, ExplainedSchema>> } | undefined;

/** Everything about `document` that the schema `name` does not allow, in the order of the file. */
export function schemaProblems(name: SchemaName, document: ParsedDocument): EtherCatError[] {
  const validate = validator(name);
  if (validate(document.value)) return [];
  const byPath = new Map<string, EtherCatError>();
  for (const error of validate.errors ?? []) {
    // Why each alternative of a oneOf failed, and that an `if` chose a branch, says nothing to a person.
    if (/\/(?:oneOf|not)\//.test(error.schemaPath) || error.keyword === 'if') continue;
    const path = errorPath(error, document.value);
    const key = pathText(path);
    // What is not even of the right type passes or fails everything else by accident.
    if (!byPath.has(key) || error.keyword === 'type') byPath.set(key, schemaProblem(error, path, document));
  }
  return inOrder([...byPath.values()]);
}

/** Problems of one document, sorted by their place in it. */
export function inOrder(problems: readonly EtherCatError[]): EtherCatError[] {
  return problems.toSorted((a, b) => {
    if (a.location === undefined || b.location === undefined) return 0;
    return a.location.line - b.location.line || a.location.column - b.location.column;
  });
}

/** A problem with the part at `path`: `message` continues a sentence that begins with the part. */
export function problem(document: ParsedDocument, path: Path, message: string): EtherCatError {
  const location = document.locate(path);
  return new EtherCatError('ECAT_ERR_CONFIGURATION_INVALID', `${pathText(path)} ${message}`.trimStart(), { location });
}

/** A value as a message shows it. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'empty';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a mapping';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > SHOWN_VALUE_MAX ? `${text.slice(0, SHOWN_VALUE_MAX)}…` : text;
}

function schemas(): NonNullable<typeof compiled> {
  if (compiled === undefined) {
    const [segment, configuration] = [readSchema('segment.schema.json'), readSchema('configuration.schema.json')];
    const ajv = new Ajv2020({
      strict: true,
      // The branches of a oneOf require what the schema around them describes.
      strictRequired: false,
      allErrors: true,
      verbose: true,
      allowUnionTypes: true,
    });
    ajv.addVocabulary(['x-expected', 'x-one-of']);
    ajv.addSchema([segment, configuration]);
    compiled = { ajv, definitions: { ...segment.$defs, ...configuration.$defs } };
  }
  return compiled;
}

function validator(name: SchemaName): ValidateFunction {
  const validate = schemas().ajv.getSchema(name);
  if (validate === undefined) throw new EtherCatError('ECAT_ERR_INTERNAL', `there is no schema ${name}`);
  return validate as ValidateFunction;
}

function readSchema(name: SchemaFile): ExplainedSchema {
  return JSON.parse(readFileSync(new URL(`../../../schemas/${name}`, import.meta.url), 'utf8')) as ExplainedSchema;
}

function errorPath(error: SchemaError, root: unknown): Path {
  const path: (string | number)[] = [];
  let value = root;
  for (const raw of error.instancePath.split('/').slice(1)) {
    const part = raw.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(value) ? Number(part) : part);
    value = (value as Record<string, unknown> | undefined)?.[part];
  }
  const { unevaluatedProperty, missingProperty } = error.params as Record<string, string | undefined>;
  const property = unevaluatedProperty ?? missingProperty;
  return property === undefined ? path : [...path, property];
}

function schemaProblem(error: SchemaError, path: Path, document: ParsedDocument): EtherCatError {
  const schema = (error.parentSchema ?? {}) as ExplainedSchema;
  switch (error.keyword) {
    case 'unevaluatedProperties': {
      const location = document.locateKey(path);
      const message = `${pathText(path)} is not a known key${suggestion(String(path.at(-1)), schema)}`;
      return new EtherCatError('ECAT_ERR_CONFIGURATION_INVALID', message, { location });
    }
    case 'required':
    case 'dependentRequired': {
      const name = String(path.at(-1));
      const property = schema.properties?.[name];
      const expected = property === undefined ? '' : `: ${expectation(property)}`;
      const { property: other } = error.params as { property?: string };
      const beside = error.keyword === 'required' ? '' : ` beside ${other}`;
      return problem(document, path.slice(0, -1), `needs the key ${name}${beside}${expected}`);
    }
    case 'oneOf':
      return problem(
        document,
        path,
        `needs ${schema['x-one-of']}; it has ${error.params['passingSchemas'] === null ? 'none' : 'several'}`,
      );
    default:
      return problem(
        document,
        path,
        `must be ${expectation(schema)}, not ${shown(error.data)}${guess(error.data, schema)}`,
      );
  }
}

/** What the schema wants, as the object of "must be". */
function expectation(schema: ExplainedSchema): string {
  const { 'x-expected': expected, enum: choices, type, minimum, maximum } = dereferenced(schema);
  if (expected !== undefined) return expected;
  if (choices !== undefined) return choices.length === 2 ? choices.join(' or ') : `one of ${choices.join(', ')}`;
  const range = minimum === undefined ? '' : ` from ${minimum} to ${maximum ?? '…'}`;
  switch (type) {
    case 'integer':
      return `a whole number${range}`;
    case 'number':
      return `a number${range}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      return 'text';
    case 'array':
      return 'a list';
    default:
      return 'a mapping with keys';
  }
}

/** A guess, where a value is a slip of one of those that it has to be of. */
function guess(value: unknown, schema: ExplainedSchema): string {
  const choices = (dereferenced(schema).enum ?? []).filter((choice) => typeof choice === 'string');
  return typeof value === 'string' ? didYouMean(value, choices) : '';
}

/** A guess, or the keys that there are. */
function suggestion(key: string, schema: ExplainedSchema): string {
  const known = Object.keys({ ...dereferenced(schema).properties, ...schema.properties });
  return didYouMean(key, known) || (known.length === 0 ? '' : `; known here: ${known.join(', ')}`);
}

function dereferenced(schema: ExplainedSchema): ExplainedSchema {
  const name = /^#\/\$defs\/(\w+)$/.exec(schema.$ref ?? '')?.[1];
  return name === undefined ? schema : (schemas().definitions[name] ?? schema);
}
