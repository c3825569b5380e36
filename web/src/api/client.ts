import type {
  ClubList,
  ConsentAnswer,
  EndAnswer,
  JoinToken,
  MeetingDetails,
  MeetingList,
  MeetingStatus,
  MemberList,
  Muted,
  MutedEverybody,
  ParticipantList,
  Readmitted,
  RecordingAnswer,
  RecordingDeleted,
  RecordingDownload,
  RecordingList,
  Removed,
  RoleSet,
  StartedMeeting,
} from '../../../lib/contract/answers.ts';
import { ApiError, SessionEnded, Unreachable } from './errors.ts';

/** More than the function's own 12 s. */
const ANSWER_WITHIN_MS = 15_000;
/** More than the 29 s of the function that looks for a recorder. */
const RECORDER_WITHIN_MS = 32_000;

export type Api = ReturnType<typeof createApi>;

/** Who is asking. */
export interface Session {
  /** Undefined when the person is not logged in. */
  accessToken(): Promise<string | undefined>;
  /** A new access token, after the API refused the one before; undefined when there is none to be had. */
  renew(): Promise<string | undefined>;
}

interface Request {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  body?: object;
  accept?: string;
  signal?: AbortSignal | undefined;
  withinMs?: number;
}

/** Which recording of which meeting. */
export interface RecordingRef {
  clubId: string;
  meetingId: string;
  recordingId: string;
}

type Source = 'microphone' | 'camera' | 'screen';

/** One function a route. Each throws ApiError, Unreachable or SessionEnded. */
export function createApi(apiUrl: string, session: Session) {
  async function send(path: string, request: Request, accessToken: string): Promise<Response> {
    const { method = 'GET', body, accept = 'application/json', signal } = request;
    const timeout = AbortSignal.timeout(request.withinMs ?? ANSWER_WITHIN_MS);
    try {
      return await fetch(`${apiUrl}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${accessToken}`,
          accept,
          ...(body && { 'content-type': 'application/json' }),
        },
        ...(body && { body: JSON.stringify(body) }),
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
    } catch (cause) {
      if (signal?.aborted) throw cause;
      throw new Unreachable('The API does not answer', { cause });
    }
  }

  /** With a new token when the one that is there is not good any more, once. */
  async function ask(path: string, request: Request = {}): Promise<Response> {
    const accessToken = await session.accessToken();
    if (accessToken === undefined) throw new SessionEnded();
    let response = await send(path, request, accessToken);
    if (response.status === 401) {
      const renewed = await session.renew();
      if (renewed === undefined) throw new SessionEnded();
      response = await send(path, request, renewed);
      if (response.status === 401) throw new SessionEnded();
    }
    if (!response.ok) throw await errorOf(response);
    return response;
  }

  /** What is answered with success is of the contract's type: the API's own tests hold it to that. */
  const json = async <T>(path: string, request?: Request): Promise<T> =>
    (await ask(path, request)).json() as Promise<T>;

  const post = <T>(path: string, body: object = {}) => json<T>(path, { method: 'POST', body });

  const page = (query: { limit?: number; cursor?: string | undefined }) => {
    const entries = Object.entries(query).filter(([, value]) => value !== undefined);
    const search = new URLSearchParams(entries.map(([name, value]) => [name, String(value)]));
    return search.size > 0 ? `?${search}` : '';
  };

  return {
    clubs: (cursor?: string, signal?: AbortSignal) =>
      json<ClubList>(`/clubs${page({ cursor })}`, { signal }),
    members: (clubId: string, cursor?: string, signal?: AbortSignal) =>
      json<MemberList>(`/${clubId}/members${page({ cursor })}`, { signal }),
    status: (clubId: string, signal?: AbortSignal) =>
      json<MeetingStatus>(`/${clubId}/status`, { signal }),
    meetings: (clubId: string, cursor?: string, signal?: AbortSignal) =>
      json<MeetingList>(`/${clubId}/meetings${page({ cursor })}`, { signal }),
    meeting: (clubId: string, meetingId: string, signal?: AbortSignal) =>
      json<MeetingDetails>(`/${clubId}/meetings/${meetingId}`, { signal }),
    attendanceCsv: async (clubId: string, meetingId: string): Promise<Blob> =>
      (await ask(`/${clubId}/meetings/${meetingId}`, { accept: 'text/csv' })).blob(),

    start: (clubId: string) => post<StartedMeeting>(`/${clubId}/start`),
    /** Only that meeting: a repetition cannot end the next one. */
    end: (clubId: string, meetingId: string) => post<EndAnswer>(`/${clubId}/end`, { meetingId }),
    /**
     * `isRoomMissing`: LiveKit refused the join, since there is no room; the API makes one.
     * `hasConsent`: the person agrees to be recorded in this meeting.
     */
    token: (
      readingClubId: string,
      participantName: string | undefined,
      { isRoomMissing = false, hasConsent = false } = {},
    ) =>
      post<JoinToken>('/token', {
        readingClubId,
        ...(participantName && { participantName }),
        ...(isRoomMissing && { roomMissing: true }),
        ...(hasConsent && { consent: true }),
      }),

    startRecording: (clubId: string, audioOnly: boolean) =>
      json<RecordingAnswer>(`/${clubId}/recording/start`, {
        method: 'POST',
        body: { audioOnly },
        withinMs: RECORDER_WITHIN_MS,
      }),
    /** Only that recording: a repetition cannot stop the next one. */
    stopRecording: (clubId: string, recordingId: string) =>
      post<RecordingAnswer>(`/${clubId}/recording/stop`, { recordingId }),
    consent: (clubId: string) => post<ConsentAnswer>(`/${clubId}/recording/consent`),
    recordings: (clubId: string, meetingId: string, signal?: AbortSignal) =>
      json<RecordingList>(`/${clubId}/meetings/${meetingId}/recordings`, { signal }),
    recordingAddress: ({ clubId, meetingId, recordingId }: RecordingRef) =>
      json<RecordingDownload>(
        `/${clubId}/meetings/${meetingId}/recordings/${recordingId}/download`,
      ),
    deleteRecording: ({ clubId, meetingId, recordingId }: RecordingRef) =>
      json<RecordingDeleted>(`/${clubId}/meetings/${meetingId}/recordings/${recordingId}`, {
        method: 'DELETE',
      }),

    participants: (clubId: string, signal?: AbortSignal) =>
      json<ParticipantList>(`/${clubId}/participants`, { signal }),
    mute: (clubId: string, userId: string, source: Source) =>
      post<Muted>(`/${clubId}/participants/${userId}/mute`, { source }),
    muteAll: (clubId: string, source: Source) =>
      post<MutedEverybody>(`/${clubId}/participants/mute`, { source }),
    remove: (clubId: string, userId: string, allowRejoin: boolean) =>
      post<Removed>(`/${clubId}/participants/${userId}/remove`, { allowRejoin }),
    readmit: (clubId: string, userId: string) =>
      json<Readmitted>(`/${clubId}/participants/${userId}/removal`, { method: 'DELETE' }),
    setRole: (clubId: string, userId: string, role: 'member' | 'moderator') =>
      json<RoleSet>(`/${clubId}/members/${userId}/role`, { method: 'PUT', body: { role } }),
  };
}

async function errorOf(response: Response): Promise<ApiError> {
  const retryAfter = Number(response.headers.get('retry-after'));
  const body = await response.json().catch(() => ({}));
  return new ApiError(
    response.status,
    body ?? {},
    Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter : undefined,
  );
}
