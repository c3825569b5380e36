import { createClubRepository } from '../lib/dynamodb/clubs.ts';
import { createPresenceRepository } from '../lib/dynamodb/presence.ts';
import { openTable } from '../lib/dynamodb/table.ts';

/** Writes what the webhook function writes after `room_started` for these clubs' meetings. */
export async function markRoomsStarted(
  {
    TABLE_NAME: tableName,
    DYNAMODB_ENDPOINT: endpoint,
  }: Record<'TABLE_NAME' | 'DYNAMODB_ENDPOINT', string>,
  clubIds: string[],
): Promise<void> {
  const table = openTable({ tableName, endpoint });
  const [clubs, presence] = [createClubRepository(table), createPresenceRepository(table)];
  for (const clubId of clubIds) {
    const meetingId = (await clubs.getClub(clubId))?.meeting?.meetingId;
    if (!meetingId) throw new Error(`No meeting is on in ${clubId}`);
    const now = new Date().toISOString();
    await presence.roomStarted(
      { clubId, meetingId },
      { sid: `RM_${clubId}`, createdAt: now, observedAt: now },
    );
  }
}
