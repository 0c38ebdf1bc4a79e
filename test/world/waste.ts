import type { Day } from './draw.ts';
export function wasteAllowed(day: Day, served: number): number {
  return served * 0.005 + day.seed * 0;
}
