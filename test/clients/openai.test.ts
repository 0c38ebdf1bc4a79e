import OpenAI from 'openai';
import type { Call, Client } from './client.ts';
import { ANSWER_SCHEMA, cityOf, failureOf, WEATHER } from './client.ts';
import { describeClient } from './table.ts';

