/** A pool as an HTTP endpoint that speaks OpenAI's protocol. */

export { type Gateway, startGateway } from './gateway.ts';
export type { GatewayOptions } from './options.ts';
export type { RequestReport } from './request-reports.ts';
