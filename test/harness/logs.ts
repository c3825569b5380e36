import { vi } from 'vitest';

const CONSOLE = ['debug', 'log', 'info', 'warn', 'error'] as const;

/** Takes everything that is written to stdout, stderr and the console from now on. */
export function captureOutput() {
  let text = '';
  const take = (...parts: unknown[]) => {
    text += `${parts.map(String).join(' ')}\n`;
    return true;
  };
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(take),
    vi.spyOn(process.stderr, 'write').mockImplementation(take),
    ...CONSOLE.map((method) => vi.spyOn(console, method).mockImplementation(take)),
  ];
  return {
    /** Ends it. Every line that was written. */
    stop(): string[] {
      for (const spy of spies) spy.mockRestore();
      return text.split('\n').filter((line) => line.trim() !== '');
    },
  };
}
