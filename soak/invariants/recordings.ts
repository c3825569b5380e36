import { fileKeyOf, isOpen } from '../../lib/meetings/recording/model.ts';
import type { RecordingsOfClub, SeenEgress } from '../recordings.ts';
import { type Case, each, instant, type Promised, requestOf } from './invariant.ts';

const claimed = ({ outcome }: Case) => outcome.recordings.claimed;
const settled = ({ outcome }: Case) => outcome.recordings.settled;
const rowsOf = (run: Case) =>
  settled(run).flatMap(({ rows, ...club }) =>
    rows.map((row) => ({ ...club, row, key: fileKeyOf({ clubId: club.clubId, ...row }, row) })),
  );

const egressOf = ({ egresses }: Pick<RecordingsOfClub, 'egresses'>, recordingId: string) =>
  egresses.find(({ key }) => key.includes(recordingId));
const isUploading = (egress: SeenEgress | undefined) => egress?.status === 'stopping';

/** Recordings at LiveKit and in the bucket, compared with the record and the answers. */
export const RECORDINGS: Promised[] = [
  each(
    'At most one recorder records a meeting at a time',
    (run) =>
      settled(run).flatMap(({ clubId, egresses }) => egresses.map((one) => ({ clubId, ...one }))),
    (one, run) => {
      const { deaths } = run.history;
      const endOf = ({ fromMs, toMs }: SeenEgress) =>
        Math.min(toMs, ...deaths.filter((at) => at >= fromMs));
      const other = settled(run)
        .flatMap(({ egresses }) => egresses)
        .find(
          (each) =>
            each.egressId !== one.egressId &&
            each.roomName === one.roomName &&
            each.fromMs <= one.fromMs &&
            one.fromMs < endOf(each),
        );
      return (
        other &&
        `${other.egressId} recorded until ${instant(endOf(other))}, ${one.egressId} from ${instant(one.fromMs)}`
      );
    },
  ),
  each(
    'After two cleanups every claimed recording has a recorder, or its file is being uploaded',
    (run) => claimed(run).filter(({ claim }) => claim !== undefined),
    ({ claim, ...club }) => {
      const egress = claim && egressOf(club, claim.recordingId);
      return egress?.isInRoom || isUploading(egress)
        ? undefined
        : JSON.stringify({ claim, egress });
    },
  ),
  each(
    'Every recorder in a room is claimed by the active meeting',
    (run) => [...claimed(run), ...settled(run)],
    ({ claim, meetingId, egresses }) => {
      const others = egresses.filter(
        ({ key, isInRoom, roomName }) =>
          isInRoom &&
          !(claim && key.includes(claim.recordingId) && meetingId && roomName.endsWith(meetingId)),
      );
      return others.length === 0 ? undefined : JSON.stringify({ claim, others });
    },
  ),
  each(
    'Every file belongs to a complete recording',
    (run) =>
      settled(run).flatMap(({ clubId, rows, files }) =>
        files.map((key) => ({ clubId, key, rows })),
      ),
    ({ clubId, key, rows }) => {
      const row = rows.find((each) => fileKeyOf({ clubId, ...each }, each) === key);
      return row?.state === 'completed' ? undefined : `${key} is of ${JSON.stringify(row)}`;
    },
  ),
  each(
    'Every complete recording has its file, unless a request to delete it was sent',
    (run) => rowsOf(run).filter(({ row }) => row.state === 'completed'),
    ({ row, key, files }, { history }) => {
      const isAsked = history
        .of('recordingDelete')
        .some(({ recordingId }) => recordingId === row.recordingId);
      return files.includes(key) || isAsked ? undefined : `there is no ${key}`;
    },
  ),
  each(
    'A recording is open only while it is claimed or its file is being uploaded, and is settled after that',
    rowsOf,
    ({ row, claim, ...club }) => {
      const isOn = claim?.recordingId === row.recordingId;
      const isWaited = isOn || isUploading(egressOf(club, row.recordingId));
      const isKept = isOpen(row.state) && row.activeShard !== undefined;
      const isDone = !isOpen(row.state) && row.activeShard === undefined;
      return (isWaited ? isKept || isDone : isDone) ? undefined : JSON.stringify({ row, claim });
    },
  ),
  each(
    'Every recording that a start answered as known to LiveKit has a row',
    // 202: it may be claimed by a start that broke off before its row.
    ({ history }) => history.of('recordingStart').filter(({ answer }) => answer?.status === 200),
    (entry, run) => {
      const id = entry.answer?.body.recordingId;
      return rowsOf(run).some(({ row }) => row.recordingId === id) ? undefined : requestOf(entry);
    },
  ),
  each(
    'A deleted recording stays deleted',
    ({ history }) => history.of('recordingDelete').filter(({ answer }) => answer?.status === 200),
    (entry, run) => {
      const found = rowsOf(run).find(({ row }) => row.recordingId === entry.recordingId);
      return found?.row.state === 'deleted' && !found.files.includes(found.key)
        ? undefined
        : `${requestOf(entry)}, and there is ${JSON.stringify(found?.row)}`;
    },
  ),
];
