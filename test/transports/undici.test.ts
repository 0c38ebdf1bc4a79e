import { undiciTransport } from '../../src/transports/undici.ts';
import { transportContract } from '../contracts/transport.ts';
import { describe } from 'vitest';

describe('a transport over the undici', () => {
  transportContract(() => undiciTransport({env:{}}));
});
