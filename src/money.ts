/** Sums of money in words. */

const AMOUNT = new Intl.NumberFormat('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 12 });

/** `0.00`, `0.00012`. */
export function amountText(amount: number): string {
  return AMOUNT.format(amount);
}

/** `0.00 over 1,234 calls`. */
export function billText({ amount, calls }: { readonly amount: number; readonly calls: number }): string {
  return `${amountText(amount)} over ${calls.toLocaleString('en-US')} ${calls === 1 ? 'call' : 'calls'}`;
}
