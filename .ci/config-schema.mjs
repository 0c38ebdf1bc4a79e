/** Writes config.schema.json, the JSON Schema of configuration files, from the schema that the code checks them with. */
import { writeFileSync } from 'node:fs';
import { configJsonSchema } from '../src/client/config/config-schema.ts';
import { at } from './support.mjs';

writeFileSync(at('config.schema.json'), `${JSON.stringify(configJsonSchema(), undefined, 2)}\n`);
