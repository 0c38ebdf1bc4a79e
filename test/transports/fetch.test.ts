import { fetchTransport } from '../../src/transports/fetch.ts';
import { transportContract } from '../contracts/transport.ts';
import { describe } from 'vitest';

describe('a transport over the global fetch', () => {
  transportContract(() => fetchTransport(fetch));
});
