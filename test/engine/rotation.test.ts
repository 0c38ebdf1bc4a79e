import { describe, expect, it } from 'vitest';
import { bench, HOUR, type Bench } from '../support/bench.ts';
import type { ProviderName, Fault } from '../../src/testing.ts';

const MODELS = { openrouter: ['m/large:free', 'm/small:free'], google: ['gemini-3.8-flash','gemini-3.7-flash'], nim: ['m/large','m/small'], custom: ['large','small'] };
const faults: Fault[] = [
 {kind:'unauthorized', key: 'k1'}, {kind:'leaked', key: 'k1'}, {kind:'out-of-credits', account:'account-0'}, {kind:'moderated'}, {kind:'content-filter'}, {kind:'retired', model:'*large*'}, {kind:'retired', model:'*3.8*'},{kind:'unknown-model', model:'*large*'},
 {kind:'not-entitled', account:'account-0', as:'closed'},{kind:'not-entitled', account:'account-0', as:'limit-zero'},
 {kind:'congested', model:'*large*'},{kind:'congested', model:'*3.8*'},{kind:'forbidden'},{kind:'outage'},{kind:'outage', as:'text', status:503},{kind:'outage', as:'empty', status:504},{kind:'reset'},{kind:'server-error'},{kind:'server-error',status:503},
 {kind:'error-in-200'},{kind:'error-in-200', as:'choice'},{kind:'empty'},{kind:'empty',as:'choices'},{kind:'empty',as:'body'},{kind:'malformed'},{kind:'garbage'},{kind:'cut'},{kind:'hang'},
 ];
describe('matrix', () => {
  it('x', async () => {
    for (const name of ['openrouter','google','nim','custom'] as const) for (const fault of faults) {
      const other = name === 'custom' ? 'nim' : 'custom';
      const b = bench({ strategy: 'priority', [name]: { accounts: [['k1','k2'],['k3']], models: MODELS[name], faults: [fault] , priority: -1}, [other]: { accounts: [['B']], models: [MODELS[other][0]] } });
      const lines: string[] = [];
      for (let i=0;i<5;i++) { const n = b.requests(); let e=''; try { await b.run(b.llm.chat('Hello', )); } catch (x) { e = ' !'+(x as Error).name } lines.push(b.routes().slice(n).join(', ')+e); }
      const h = b.llm.health().filter(r => r.provider === name).map(r => `${r.ready?'':'x'}${r.disabled?'D':''}${r.breaker[0]} ${r.lastError?.kind ?? ''} ${r.reason??''}`);
      console.log(name, JSON.stringify(fault), '\n  ', lines.join(' | '), '\n  ', h.join(' ; '));
    }
    expect(1).toBe(1);
  });
});
