/** Faults that a test or a soak run asks for, and what they do to a call. */
import { z } from 'zod';
import { EGRESS_METHODS } from './egress-service.ts';
import { METHODS } from './room-service.ts';

/** `validate` is the check that clients make of a token when a join failed. */
export const CALLS = [...METHODS, ...EGRESS_METHODS, 'validate'] as const;
export type Call = (typeof CALLS)[number];

const Scope = {
  /** Any of these calls; every call when left out. */
  methods: z.array(z.enum(CALLS)).nonempty().optional(),
  /** The next so many of them; until cleared when left out. */
  times: z.int().positive().optional(),
};
/** With `after` the work is done and only its answer suffers: the caller cannot know. */
const When = { when: z.enum(['before', 'after']).default('before') };

export const Fault = z.discriminatedUnion('kind', [
  /** The answer comes, but late. A caller that gave up changes nothing about the work. */
  z.strictObject({ kind: z.literal('delay'), milliseconds: z.int().positive(), ...When, ...Scope }),
  z.strictObject({
    kind: z.literal('fail'),
    status: z.int().min(400).max(599),
    /** Twirp's code: the answer is JSON then, and text without. */
    code: z.string().optional(),
    message: z.string().default('a fault of the stand-in'),
    ...When,
    ...Scope,
  }),
  /** The connection ends without an answer. */
  z.strictObject({ kind: z.literal('drop'), ...When, ...Scope }),
  /** ListRooms and ListParticipants answer 200 with nothing in it. */
  z.strictObject({ kind: z.literal('empty'), ...Scope }),
  /** The port is closed, for the control endpoints too: hence the limit. */
  z.strictObject({ kind: z.literal('refuse'), milliseconds: z.int().positive() }),
]);
export type Fault = z.infer<typeof Fault>;
export type FaultInput = z.input<typeof Fault>;
export type CallFault = Exclude<Fault, { kind: 'refuse' }>;

export type FaultTable = ReturnType<typeof createFaultTable>;

export function createFaultTable() {
  let faults: CallFault[] = [];

  return {
    add(fault: CallFault): void {
      faults.push(fault);
    },
    clear(): void {
      faults = [];
    },
    list: (): readonly CallFault[] => faults,
    /** Those that hit this call, in the order in which they were set; each is used up by one. */
    take(call: Call): CallFault[] {
      const hits = faults.filter(({ methods }) => methods === undefined || methods.includes(call));
      faults = faults.flatMap((fault) => {
        if (fault.times === undefined || !hits.includes(fault)) return [fault];
        return fault.times > 1 ? [{ ...fault, times: fault.times - 1 }] : [];
      });
      return hits;
    },
  };
}
