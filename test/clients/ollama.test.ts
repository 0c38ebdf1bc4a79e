import { ollamaClient } from './ollama-client.ts';
import { describeClient } from './table.ts';

describeClient("Ollama's client", {
  make: ollamaClient,
  lacks: { retries: 'It makes none.', force: 'Its protocol has no choice of a tool.' },
});
