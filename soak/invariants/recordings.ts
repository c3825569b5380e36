import { fileKeyOf, isOpen } from '../../lib/meetings/recording/model.ts';
import type { RecordingsOfClub, SeenEgress } from '../recordings.ts';
import { type Case, each, instant, type Promised, told } from './invariant.ts';

const claimed = ({ outcome }: Case) => outcome.recordings.claimed;
const settled = ({ outcome }: Case) => outcome.recordings.settled;
const rowsOf = (run: Case) =>
  settled(run).flatMap(({ rows, ...club }) =>
    rows.map((row) => ({ ...club, row, key: fileKeyOf({ clubId: club.clubId, ...row }, row) })),
  );

const egressOf = ({ egresses }: Pick<RecordingsOfClub, 'egresses'>, recordingId: string) =>
  egresses.find(({ key }) => key.includes(recordingId));
const isUploading = (egress: SeenEgress | undefined) => egress?.status === 'stopping';

/** What is recorded, and what is said of it. */
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
    'Once two cleanups ran, what is claimed is recorded, or its file is yet to come',
    (run) => claimed(run).filter(({ claim }) => claim !== undefined),
    ({ claim, ...club }) => {
      const egress = claim && egressOf(club, claim.recordingId);
      return egress?.isInRoom || isUploading(egress)
        ? undefined
        : JSON.stringify({ claim, egress });
    },
  ),
  each(
    'What records is claimed by the meeting that is on',
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
    'Every file is that of a complete recording',
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
    'Every complete recording has its file, unless somebody asked to delete it',
    (run) => rowsOf(run).filter(({ row }) => row.state === 'completed'),
    ({ row, key, files }, { history }) => {
      const isAsked = history
        .of('recordingDelete')
        .some(({ recordingId }) => recordingId === row.recordingId);
      return files.includes(key) || isAsked ? undefined : `there is no ${key}`;
    },
  ),
  each(
    'A recording is open while it is claimed or its file is yet to come, and no longer, and is settled then',
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
    'Whatever somebody was told of starts to be recorded is in the list of recordings',
    ({ history }) =>
      history.of('recordingStart').filter(({ answer }) => answer && answer.status < 300),
    (entry, run) => {
      const id = entry.answer?.body.recordingId;
      return rowsOf(run).some(({ row }) => row.recordingId === id) ? undefined : told(entry);
    },
  ),
  each(
    'What was deleted stays deleted',
    ({ history }) => history.of('recordingDelete').filter(({ answer }) => answer?.status === 200),
    (entry, run) => {
      const found = rowsOf(run).find(({ row }) => row.recordingId === entry.recordingId);
      return found?.row.state === 'deleted' && !found.files.includes(found.key)
        ? undefined
        : `${told(entry)}, and there is ${JSON.stringify(found?.row)}`;
    },
  ),
];
