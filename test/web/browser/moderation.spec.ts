/** What moderators do to others, as both sides see and hear it. */
import { AccessToken } from 'livekit-server-sdk';
import { joinAs } from '../../harness/people.ts';
import { chooseFor, displayNameOf, enterMeeting, expect, test, tileOf } from './fixtures.ts';
import { expectFrames, expectSilence, expectSound } from './media.ts';

test('three people meet; a moderator mutes one and all; the owner makes a moderator; a fourth finds it full', async ({
  world,
  join,
  meet,
}) => {
  const { club, olga, cleo } = await meet('dan', 'eva');
  const [cleoAccount, danAccount, evaAccount] = club.members;
  const nameOfCleo = displayNameOf(cleoAccount.username);
  const nameOfDan = displayNameOf(danAccount.username);
  const dan = await join(danAccount);

  await test.step('who comes is announced, seen and heard', async () => {
    await enterMeeting(dan, club, world);
    await expect(olga.page.getByRole('status')).toContainText(`${nameOfDan} joined`);
    for (const other of [cleo, dan]) await expectFrames(tileOf(olga, other));
    await expectSound(olga.page);
    await expect(olga.page.getByRole('button', { name: 'People, 3' })).toBeVisible();
  });

  await test.step('a meeting of three is full; as soon as one of them leaves, another person can join', async () => {
    const eva = await join(evaAccount);
    await eva.page.goto(`${world.url}/clubs/${club.clubId}/meet`);
    await eva.page.getByRole('button', { name: 'Join now' }).click();
    await expect(eva.page.getByRole('heading', { name: 'The meeting is full' })).toBeFocused();
    await dan.page.getByRole('button', { name: 'Leave' }).click();
    await expect(dan.page.getByRole('heading', { name: 'You left the meeting' })).toBeFocused();
    await eva.page.getByRole('button', { name: 'Try again' }).click();
    await eva.page.getByRole('button', { name: 'Join now' }).click();
    await eva.page.getByRole('toolbar', { name: 'Meeting controls' }).waitFor();
    await eva.page.getByRole('button', { name: 'Leave' }).click();
    await dan.page.getByRole('button', { name: 'Join again' }).click();
    await dan.page.getByRole('button', { name: 'Join now' }).click();
    await dan.page.getByRole('toolbar', { name: 'Meeting controls' }).waitFor();
  });

  await test.step('hands go up in order', async () => {
    for (const person of [dan, cleo]) {
      await person.page.getByRole('button', { name: 'Raise your hand' }).click();
    }
    await olga.page.getByRole('button', { name: /^People/ }).click();
    const hands = olga.page.getByRole('region', { name: 'Raised hands' }).getByRole('listitem');
    await expect(hands).toHaveText([new RegExp(`^.*${nameOfDan}`), new RegExp(`^.*${nameOfCleo}`)]);
  });

  await test.step('a person whom a moderator mutes is not heard any more, and sees a notice', async () => {
    await chooseFor(olga, nameOfDan, 'Mute');
    await expect(dan.page.getByText('A moderator muted your microphone.').last()).toBeVisible();
    await expect(olga.page.getByRole('status')).toContainText(`${nameOfDan} is muted.`);
    // Cleo is still heard.
    await expectSound(olga.page);
    await chooseFor(olga, nameOfCleo, 'Mute');
    await expect(olga.page.getByRole('status')).toContainText(`${nameOfCleo} is muted.`);
    await expectSilence(olga.page);
    const microphone = dan.page.getByRole('button', { name: 'Microphone' });
    await expect(microphone).toHaveAttribute('aria-pressed', 'false');
    await microphone.click();
    await expectSound(olga.page);
  });

  await test.step('everybody is muted at once', async () => {
    await olga.page.getByRole('button', { name: 'Mute everybody' }).click();
    await expect(olga.page.getByRole('status')).toContainText('Everybody but the moderators');
    await expectSilence(olga.page);
  });

  await test.step('the owner makes a moderator, who can mute from then on', async () => {
    await chooseFor(olga, nameOfCleo, 'Make moderator');
    await expect(olga.page.getByRole('status')).toContainText(`${nameOfCleo} is a moderator now.`);
    await dan.page.getByRole('button', { name: 'Microphone' }).click();
    await expectSound(cleo.page);
    await chooseFor(cleo, nameOfDan, 'Mute');
    await expect(dan.page.getByRole('button', { name: 'Microphone' })).toHaveAttribute(
      'aria-pressed',
      'false',
    );
  });

  await test.step('when LiveKit does not answer, it is said', async () => {
    await dan.page.getByRole('button', { name: 'Microphone' }).click();
    await olga.page.route('**/mute', (route) =>
      route.fulfill({
        status: 503,
        headers: { 'access-control-allow-origin': '*' },
        json: { error: 'LiveKit is unreachable', code: 'MEDIA_UNAVAILABLE', requestId: '1' },
      }),
    );
    await chooseFor(olga, nameOfDan, 'Mute');
    await expect(
      olga.page.getByText('The meeting server does not answer. Try again in a moment.').last(),
    ).toBeVisible();
  });
});

test('a caller by telephone is seen as a guest, and heard; a moderator mutes and removes them', async ({
  world,
  join,
}) => {
  const club = await world.newClub();
  const olga = await join(club.owner);
  const { page } = olga;
  const { body } = await (await world.apiOf(club.owner)).start(club.clubId);
  await enterMeeting(olga, club, world);

  // As LiveKit's own SIP service joins: by a token of this kind, with a number for a name.
  const { wsUrl, apiKey, apiSecret } = world.stack.livekit;
  const name = 'Phone +49 30 1234567';
  const token = new AccessToken(apiKey, apiSecret, { identity: 'sip_+49301234567', name });
  token.kind = 'sip';
  token.addGrant({ roomJoin: true, room: body.roomName });
  const guest = await joinAs(wsUrl, await token.toJwt());
  try {
    await guest.speak();
    await expectSound(page);
    await page.getByRole('button', { name: 'People, 2' }).click();
    const row = page.getByRole('listitem').filter({ hasText: name }).filter({ hasText: 'Guest' });
    await expect(row).toBeVisible();
    await row.getByRole('button', { name: `Moderate ${name}` }).click();
    // They have no account that could be one.
    await expect(page.getByRole('menuitem', { name: 'Make moderator' })).toBeHidden();
    await page.keyboard.press('Escape');

    await chooseFor(olga, name, 'Mute');
    await expect(page.getByRole('status')).toContainText(`${name} is muted.`);
    await expectSilence(page);

    await chooseFor(olga, name, 'Remove …');
    await expect(page.getByText('A guest can call again at once.')).toBeVisible();
    await expect(page.getByRole('button', { name: 'Remove and keep out' })).toBeHidden();
    await page.getByRole('button', { name: 'Remove', exact: true }).click();
    expect((await guest.isOut()).reason).toBe('PARTICIPANT_REMOVED');
    await expect(row).toBeHidden();
  } finally {
    await guest.leave();
  }
});
