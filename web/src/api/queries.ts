/** Server state: what is asked, how often, and when it is asked again. */
import {
  MutationCache,
  QueryCache,
  QueryClient,
  useInfiniteQuery,
  useQuery,
} from '@tanstack/react-query';
import { createContext, useContext } from 'react';
import type { Api } from './client.ts';
import { isTransient, retryDelayMs, SessionEnded } from './errors.ts';

const ATTEMPTS = 3;
/** Until the API has said how often its status is asked for. */
const FIRST_POLL_SECONDS = 5;
/** A meeting that starts appears within ten seconds. */
const CLUBS_POLL_MS = 8_000;
const PARTICIPANTS_POLL_MS = 5_000;
/** The page is hidden. */
const HIDDEN_POLL_MS = 60_000;
/** Past meetings and members change seldom. */
const CALM_MS = 30_000;

const ApiContext = createContext<Api | undefined>(undefined);
export const ApiProvider = ApiContext.Provider;

export function useApi(): Api {
  const api = useContext(ApiContext);
  if (!api) throw new Error('There is no ApiProvider');
  return api;
}

/** @param onSessionOver when the API takes the caller's token no more */
export function createQueryClient(onSessionOver: () => void): QueryClient {
  const onError = (error: unknown) => {
    if (error instanceof SessionEnded) onSessionOver();
  };
  return new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: {
        retry: (failures, error) => isTransient(error) && failures + 1 < ATTEMPTS,
        retryDelay: retryDelayMs,
        staleTime: 2_000,
      },
      mutations: {
        retry: (failures, error) => isTransient(error) && failures + 1 < ATTEMPTS,
        retryDelay: retryDelayMs,
        // By themselves, mutations would wait for a network that the browser believes to be away.
        networkMode: 'always',
      },
    },
  });
}

interface Polled {
  state: { error: Error | null; fetchFailureCount: number };
}

/** The next poll: as often as asked for, seldom when hidden, later when the API is in trouble. */
export const pollEvery =
  (intervalMs: number) =>
  ({ state: { error, fetchFailureCount } }: Polled): number => {
    const usual = document.visibilityState === 'visible' ? intervalMs : HIDDEN_POLL_MS;
    return error ? Math.max(usual, retryDelayMs(fetchFailureCount, error)) : usual;
  };

export const keys = {
  clubs: ['clubs'] as const,
  club: (clubId: string) => ['club', clubId] as const,
  status: (clubId: string) => ['club', clubId, 'status'] as const,
  members: (clubId: string) => ['club', clubId, 'members'] as const,
  participants: (clubId: string) => ['club', clubId, 'participants'] as const,
  meetings: (clubId: string) => ['club', clubId, 'meetings'] as const,
  meeting: (clubId: string, meetingId: string) => ['club', clubId, 'meeting', meetingId] as const,
  recordings: (clubId: string, meetingId: string) =>
    ['club', clubId, 'meeting', meetingId, 'recordings'] as const,
};

/** All of the caller's clubs: pages follow one another, since what is on now comes first here. */
export function useClubs() {
  const api = useApi();
  return useQuery({
    queryKey: keys.clubs,
    queryFn: async ({ signal }) => {
      const clubs = [];
      let cursor: string | undefined;
      do {
        const page = await api.clubs(cursor, signal);
        clubs.push(...page.clubs);
        cursor = page.cursor;
      } while (cursor !== undefined);
      return clubs;
    },
    refetchInterval: pollEvery(CLUBS_POLL_MS),
  });
}

/** The caller's own club, as their list has it. */
export function useClub(clubId: string) {
  const { data, ...query } = useClubs();
  return { ...query, data: data?.find((club) => club.clubId === clubId), isListed: !!data };
}

/** Asked for as often as it says itself. */
export function useStatus(clubId: string) {
  const api = useApi();
  return useQuery({
    queryKey: keys.status(clubId),
    queryFn: ({ signal }) => api.status(clubId, signal),
    refetchInterval: (query) =>
      pollEvery((query.state.data?.pollAfterSeconds ?? FIRST_POLL_SECONDS) * 1000)(query),
  });
}

export function useMembers(clubId: string) {
  const api = useApi();
  return useQuery({
    queryKey: keys.members(clubId),
    queryFn: async ({ signal }) => {
      const members = [];
      let cursor: string | undefined;
      do {
        const page = await api.members(clubId, cursor, signal);
        members.push(...page.members);
        cursor = page.cursor;
      } while (cursor !== undefined);
      return members;
    },
    staleTime: CALM_MS,
  });
}

export function useMeetings(clubId: string) {
  const api = useApi();
  return useInfiniteQuery({
    queryKey: keys.meetings(clubId),
    queryFn: ({ pageParam, signal }) => api.meetings(clubId, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ cursor }) => cursor,
    staleTime: CALM_MS,
  });
}

export function useMeeting(clubId: string, meetingId: string) {
  const api = useApi();
  return useQuery({
    queryKey: keys.meeting(clubId, meetingId),
    queryFn: ({ signal }) => api.meeting(clubId, meetingId, signal),
    staleTime: CALM_MS,
  });
}

export function useParticipantList(clubId: string, { isEnabled }: { isEnabled: boolean }) {
  const api = useApi();
  return useQuery({
    queryKey: keys.participants(clubId),
    queryFn: ({ signal }) => api.participants(clubId, signal),
    refetchInterval: pollEvery(PARTICIPANTS_POLL_MS),
    enabled: isEnabled,
  });
}
