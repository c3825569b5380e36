/** The API as a client sees it: one function a route, for the demo and the tests. */
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
} from '../lib/contract/answers.ts';
import type { ErrorCode } from '../lib/errors.ts';
import type { Role } from '../lib/meetings/model.ts';

/** More than the function's own 12 s. */
const ANSWER_WITHIN_MS = 15_000;
/** Starting a recording has 29 s. */
const RECORDS_WITHIN_MS = 32_000;

/** `message` alone is the gateway's own answer; the caller knows which of these to expect. */
export interface Failure {
  error: string;
  code: ErrorCode;
  requestId: string;
  message: string;
}

export interface Reply<T> {
  status: number;
  headers: Headers;
  /** The route's answer or a failure: read the fields of what you expect. */
  body: T & Failure;
}

/** What each route answers with 200. */
export interface Answers {
  token: JoinToken;
  start: StartedMeeting;
  end: EndAnswer;
  status: MeetingStatus;
  meetings: MeetingList;
  meeting: MeetingDetails;
  myClubs: ClubList;
  members: MemberList;
  participants: ParticipantList;
  mute: Muted;
  muteAll: MutedEverybody;
  remove: Removed;
  readmit: Readmitted;
  setRole: RoleSet;
  recordingStart: RecordingAnswer;
  recordingStop: RecordingAnswer;
  recordingConsent: ConsentAnswer;
  recordings: RecordingList;
  recordingDownload: RecordingDownload;
  recordingDelete: RecordingDeleted;
}

export type ApiClient = ReturnType<typeof apiClient>;

/** What one person can ask of the API, by their access token. */
export function apiClient(apiUrl: string, accessToken: string, send = fetch) {
  const call = async <T>(
    path: string,
    body?: object,
    method = 'GET',
    withinMs = ANSWER_WITHIN_MS,
  ): Promise<Reply<T>> => {
    const response = await send(`${apiUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(withinMs),
    });
    const answer: T & Failure = JSON.parse(await response.text());
    return { status: response.status, headers: response.headers, body: answer };
  };
  return {
    token: (
      readingClubId: string,
      options: { participantName?: string; roomMissing?: boolean; consent?: boolean } = {},
    ) => call<Answers['token']>('/token', { readingClubId, ...options }, 'POST'),
    start: (clubId: string) => call<Answers['start']>(`/${clubId}/start`, undefined, 'POST'),
    end: (clubId: string, body?: { meetingId: string }) =>
      call<Answers['end']>(`/${clubId}/end`, body, 'POST'),
    status: (clubId: string) => call<Answers['status']>(`/${clubId}/status`),
    meetings: (clubId: string, query = '') =>
      call<Answers['meetings']>(`/${clubId}/meetings${query}`),
    meeting: (clubId: string, meetingId: string) =>
      call<Answers['meeting']>(`/${clubId}/meetings/${meetingId}`),
    myClubs: (query = '') => call<Answers['myClubs']>(`/clubs${query}`),
    members: (clubId: string, query = '') => call<Answers['members']>(`/${clubId}/members${query}`),
    participants: (clubId: string) => call<Answers['participants']>(`/${clubId}/participants`),
    muteAll: (clubId: string) =>
      call<Answers['muteAll']>(`/${clubId}/participants/mute`, undefined, 'POST'),
    mute: (clubId: string, userId: string) =>
      call<Answers['mute']>(`/${clubId}/participants/${userId}/mute`, undefined, 'POST'),
    remove: (clubId: string, userId: string, body?: { allowRejoin: boolean }) =>
      call<Answers['remove']>(`/${clubId}/participants/${userId}/remove`, body, 'POST'),
    readmit: (clubId: string, userId: string) =>
      call<Answers['readmit']>(`/${clubId}/participants/${userId}/removal`, undefined, 'DELETE'),
    setRole: (clubId: string, userId: string, role: Role) =>
      call<Answers['setRole']>(`/${clubId}/members/${userId}/role`, { role }, 'PUT'),
    recordingStart: (clubId: string, body?: { audioOnly: boolean }) =>
      call<Answers['recordingStart']>(
        `/${clubId}/recording/start`,
        body,
        'POST',
        RECORDS_WITHIN_MS,
      ),
    recordingStop: (clubId: string, body?: { recordingId: string }) =>
      call<Answers['recordingStop']>(`/${clubId}/recording/stop`, body, 'POST'),
    recordingConsent: (clubId: string) =>
      call<Answers['recordingConsent']>(`/${clubId}/recording/consent`, undefined, 'POST'),
    recordings: (clubId: string, meetingId: string) =>
      call<Answers['recordings']>(`/${clubId}/meetings/${meetingId}/recordings`),
    recordingDownload: (clubId: string, meetingId: string, recordingId: string) =>
      call<Answers['recordingDownload']>(
        `/${clubId}/meetings/${meetingId}/recordings/${recordingId}/download`,
      ),
    recordingDelete: (clubId: string, meetingId: string, recordingId: string) =>
      call<Answers['recordingDelete']>(
        `/${clubId}/meetings/${meetingId}/recordings/${recordingId}`,
        undefined,
        'DELETE',
      ),
  };
}
