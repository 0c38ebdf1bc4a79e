/** Imports the installed package as a user's ES module does. */
import assert from 'node:assert/strict';
import { FreeLLM } from 'freelm';
import * as testing from 'freelm/testing';

assert.equal(typeof FreeLLM, 'function');
assert.notEqual(Object.keys(testing).length, 0);
