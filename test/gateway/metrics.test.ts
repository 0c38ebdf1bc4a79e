/** GET /metrics, read by a parser of Prometheus' text form. */

import parse, { type ParsedFamily } from 'parse-prometheus-text-format';
import { describe, expect, it } from 'vitest';
import { Counter, gauge, Histogram } from '../../src/gateway/prometheus.ts';
import fc from '../support/fast-check.ts';
import { MODEL } from '../support/simulated-pool.ts';
import { serve, hangs, says, until } from '../support/server.ts';
import { endpoint, open, providersOf, world } from '../client/support.ts';
import { ask, chat, CHAT, gatewayOver, send } from './support.ts';

type Labels = Readonly<Record<string, string>>;

function labelText(labels: Labels = {}): string {
  return Object.entries(labels)
    .map(([label, value]) => `${label}=${value}`)
    .join(',');
}

/** The samples of a metric as `label=value,… number`. */
function samplesOf(families: readonly ParsedFamily[], name: string): readonly string[] {
  const { metrics = [] } = families.find((family) => family.name === name) ?? {};
  return metrics.map(({ labels, value }) => `${labelText(labels)} ${value ?? ''}`.trim());
}

describe('GET /metrics', () => {
  it('counts requests, calls, attempts and tokens, and shows the keys', async () => {
    const simulated = await world({ openrouter: { keys: 1 }, google: { keys: 1 }, nim: { keys: 1 } });
    simulated.openrouter.script({ kind: 'outage', times: 1 });
    simulated.nim.script({ kind: 'unauthorized' });
    const providers = providersOf(simulated, { discover: false });
    const gateway = await gatewayOver(open({ providers, maxAttempts: 3 }));
    await ask(gateway, { path: CHAT, body: chat({ model: MODEL.openrouter }) });
    await ask(gateway, { path: CHAT, body: chat({ model: MODEL.nim }) });
    await ask(gateway, { path: CHAT, body: '{}' });
    await ask(gateway, { path: '/no/such/path' });
    const { status, headers, text } = await ask(gateway, { path: '/metrics' });
    expect([status, headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    const families = parse(text);
    expect(samplesOf(families, 'freelm_http_requests_total')).toEqual([
      'method=POST,route=/v1/chat/completions,status=200 1',
      'method=POST,route=/v1/chat/completions,status=503 1',
      'method=POST,route=/v1/chat/completions,status=400 1',
      'method=GET,route=other,status=404 1',
    ]);
    expect(samplesOf(families, 'freelm_calls_total')).toEqual([
      `provider=openrouter,model=${MODEL.openrouter},outcome=success 1`,
      'provider=,model=,outcome=no_providers_available 1',
    ]);
    expect(samplesOf(families, 'freelm_attempts_total')).toEqual([
      'provider=openrouter,outcome=server_error 1',
      'provider=openrouter,outcome=success 1',
      'provider=nim,outcome=unauthorized 1',
    ]);
    const tokens = samplesOf(families, 'freelm_tokens_total');
    expect(tokens).toHaveLength(2);
    expect(tokens[0]).toMatch(/^provider=openrouter,model=\S+,kind=prompt [1-9]\d*$/);
    const keys = samplesOf(families, 'freelm_keys').filter((line) => line.endsWith(' 1'));
    expect(keys).toEqual([
      'provider=openrouter,state=ready 1',
      'provider=google,state=ready 1',
      'provider=nim,state=disabled 1',
    ]);
    expect(samplesOf(families, 'freelm_routes_ready')).toEqual([expect.stringMatching(/^[1-9]\d*$/)]);
    expect(samplesOf(families, 'freelm_calls_waiting')).toEqual(['0']);
    // The parser keeps no labels of a histogram.
    expect(text).toContain(`freelm_http_request_duration_seconds_bucket{route="${CHAT}",le="+Inf"} 3\n`);
    expect(text).toContain(`freelm_http_request_duration_seconds_count{route="${CHAT}"} 3\n`);
  });

  it('shows what is under way', async () => {
    const upstream = await serve(hangs);
    const gateway = await gatewayOver(open({ providers: [endpoint(upstream)] }));
    const body = chat({ user: 'x'.repeat(5000) });
    const controller = new AbortController();
    const running = send(gateway, { path: CHAT, body, signal: controller.signal });
    running.catch(() => undefined);
    await until(() => upstream.requests.length === 1);
    const families = parse((await ask(gateway, { path: '/metrics' })).text);
    expect(samplesOf(families, 'freelm_http_requests_in_flight')).toEqual([
      expect.stringMatching(/^[1-9]\d*$/),
    ]);
    expect(samplesOf(families, 'freelm_http_body_bytes')).toEqual([String(body.length)]);
    controller.abort();
    await until(() => upstream.open === 0);
    const after = parse((await ask(gateway, { path: '/metrics' })).text);
    expect(samplesOf(after, 'freelm_http_requests_total')).toContain(
      'method=POST,route=/v1/chat/completions,status=aborted 1',
    );
    expect(samplesOf(after, 'freelm_http_body_bytes')).toEqual(['0']);
  });

  it('needs the token, as the status does', async () => {
    const llm = open({ providers: [endpoint(await serve(says('Hi')))] });
    const gateway = await gatewayOver(llm, { token: 'open-sesame' });
    expect((await ask(gateway, { path: '/metrics' })).status).toBe(401);
    const headers = { authorization: 'Bearer open-sesame' };
    const { status, text } = await ask(gateway, { path: '/metrics', headers });
    expect(status).toBe(200);
    expect(text).not.toContain('sesame');
    expect(
      (await ask(gateway, { path: '/metrics', headers: { origin: 'https://evil.example' } })).status,
    ).toBe(403);
  });
});

describe('the text form', () => {
  it('keeps any label, and is read as it was written', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 20 }), { maxLength: 20 }), (values) => {
        const counter = new Counter('a_total', 'Help.', ['one']);
        for (const value of values) counter.add([value]);
        const families = parse(`${counter.lines().join('\n')}\n`);
        const read = families[0]?.metrics.map(({ labels }) => labels?.['one'] ?? '') ?? [];
        expect(read).toEqual([...new Set(values)]);
      }),
    );
  });

  it('bounds the combinations of labels: the rest counts as one', () => {
    const counter = new Counter('a_total', 'Help.', ['one', 'two']);
    for (let index = 0; index < 10_000; index += 1) counter.add([`${index}`, 'x']);
    const [family] = parse(`${counter.lines().join('\n')}\n`);
    expect(family?.metrics).toHaveLength(501);
    expect(family?.metrics.at(-1)).toMatchObject({ labels: { one: 'other', two: 'other' }, value: '9500' });
  });

  it('writes buckets that add up', () => {
    const histogram = new Histogram('a_seconds', 'Help.', [], [1, 2]);
    for (const value of [0.5, 1, 1.5, 5]) histogram.observe([], value);
    const [family] = parse(`${histogram.lines().join('\n')}\n`);
    expect(family?.metrics).toEqual([{ buckets: { '1': '2', '2': '3', '+Inf': '4' }, count: '4', sum: '8' }]);
    expect(parse(`${gauge('g', 'Help.', [[{}, 7]]).join('\n')}\n`)).toEqual([
      { name: 'g', help: 'Help.', type: 'GAUGE', metrics: [{ value: '7' }] },
    ]);
  });
});
