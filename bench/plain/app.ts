/**
 * The four routes the plain way of the service that this project replaces: what a competent team
 * writes first, with its contract (docs/benchmarks.md). Without the original's mistakes that would
 * only make it slower or wrong; without anything that the original did not do.
 */
import express, { type RequestHandler } from 'express';
import { authenticate } from './auth.ts';
import { getClub, isMember, setMeetingEnded, setMeetingStarted } from './clubs.ts';
import { LiveKitService } from './livekit-service.ts';

const livekit = new LiveKitService();
const roomNameOf = (clubId: string) => `reading-club-${clubId}`;

const generateToken: RequestHandler = async (req, res) => {
  try {
    const { readingClubId, participantName } = req.body;
    const userId: string = res.locals['userId'];
    const club = await getClub(readingClubId);
    if (!club) {
      res.status(404).json({ error: 'Reading club not found' });
      return;
    }
    if (!(await isMember(readingClubId, userId))) {
      res.status(403).json({ error: 'Not a member of this reading club' });
      return;
    }
    const isModerator = club.moderatorId === userId;
    const roomName = roomNameOf(readingClubId);
    const token = await livekit.createToken(roomName, participantName, userId, {
      isModerator,
      canRecord: isModerator,
    });
    res.json({ token, roomName, participantName, isModerator });
  } catch (error) {
    console.error('Error generating token:', error);
    res.status(500).json({ error: 'Failed to generate token' });
  }
};

const startMeeting: RequestHandler<{ clubId: string }> = async (req, res) => {
  try {
    const { clubId } = req.params;
    const club = await getClub(clubId);
    if (!club || club.moderatorId !== res.locals['userId']) {
      res.status(403).json({ error: 'Only moderators can start meetings' });
      return;
    }
    const roomName = roomNameOf(clubId);
    const startedAt = new Date().toISOString();
    await livekit.createRoom(roomName, {
      emptyTimeout: 600,
      maxParticipants: 50,
      metadata: { clubId, clubName: club.name, moderatorId: club.moderatorId, startedAt },
    });
    await setMeetingStarted(clubId, startedAt);
    res.json({ success: true, roomName, startedAt });
  } catch (error) {
    console.error('Error starting meeting:', error);
    res.status(500).json({ error: 'Failed to start meeting' });
  }
};

const endMeeting: RequestHandler<{ clubId: string }> = async (req, res) => {
  try {
    const { clubId } = req.params;
    const club = await getClub(clubId);
    if (!club || club.moderatorId !== res.locals['userId']) {
      res.status(403).json({ error: 'Only moderators can end meetings' });
      return;
    }
    const success = await livekit.deleteRoom(roomNameOf(clubId));
    const endedAt = new Date();
    const startedAt = club.meetingStartedAt ? new Date(club.meetingStartedAt) : endedAt;
    const duration = Math.floor((endedAt.getTime() - startedAt.getTime()) / 1000);
    await setMeetingEnded(clubId, endedAt.toISOString(), duration);
    res.json({ success, endedAt: endedAt.toISOString(), duration });
  } catch (error) {
    console.error('Error ending meeting:', error);
    res.status(500).json({ error: 'Failed to end meeting' });
  }
};

const getMeetingStatus: RequestHandler<{ clubId: string }> = async (req, res) => {
  try {
    const { clubId } = req.params;
    const club = await getClub(clubId);
    const roomName = roomNameOf(clubId);
    const status = await livekit.getRoomStatus(roomName);
    res.json({
      isActive: status.isActive,
      participantCount: status.participantCount,
      startedAt: club?.meetingStartedAt ?? null,
      roomName: status.exists ? roomName : null,
    });
  } catch (error) {
    console.error('Error getting meeting status:', error);
    res.status(500).json({ error: 'Failed to get meeting status' });
  }
};

const routes = express.Router();
routes.use(authenticate);
routes.post('/token', generateToken);
routes.post('/:clubId/start', startMeeting);
routes.post('/:clubId/end', endMeeting);
routes.get('/:clubId/status', getMeetingStatus);

export const app = express();
app.use(express.json());
app.use('/api/reading-clubs/meeting', routes);
