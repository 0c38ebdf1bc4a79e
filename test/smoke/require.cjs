/** Requires the installed package as a user's CommonJS module does. */
const assert = require('node:assert/strict');
const { FreeLLM } = require('freelm');
const testing = require('freelm/testing');

assert.equal(typeof FreeLLM, 'function');
assert.notEqual(Object.keys(testing).length, 0);
