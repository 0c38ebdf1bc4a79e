import { ollamaClient } from './ollama-client.ts';
import { describeClient } from './table.ts';

describeClient("Ollama's client", { make: ollamaClient, has: ['models'] });
