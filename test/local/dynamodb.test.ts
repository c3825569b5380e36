import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeTableCommand, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { openTable } from '../../lib/dynamodb/table.ts';
import { createClub } from '../../local/demo-data.ts';
import { documentClient, readItems, startDatabase, type Table } from '../../local/dynamodb.ts';
import { freePort } from '../../local/stack.ts';

const getClub = async (table: Table, clubId: string) =>
  (await readItems(table, `CLUB#${clubId}`)).find(({ sk }) => sk === 'CLUB');

const tablesAt = async (endpoint: string) => {
  const client = documentClient(endpoint);
  const { TableNames } = await client.send(new ListTablesCommand());
  client.destroy();
  return TableNames;
};

describe('the local database', () => {
  let database: Awaited<ReturnType<typeof startDatabase>>;

  beforeAll(async () => {
    database = await startDatabase({ port: 0 });
  });
  afterAll(() => database.stop());

  it('has the table that is deployed', async () => {
    const client = documentClient(database.endpoint);
    const { Table } = await client.send(
      new DescribeTableCommand({ TableName: database.tableName }),
    );
    client.destroy();
    expect(Table?.KeySchema?.map(({ AttributeName }) => AttributeName)).toEqual(['pk', 'sk']);
    const indexes = Table?.GlobalSecondaryIndexes?.map(({ IndexName }) => IndexName);
    expect(indexes).toContain('activeMeetings');
  });

  it('survives a client that goes away in the middle of a request', async () => {
    await createClub(database, { clubId: 'a', name: 'A', moderatorId: 'u', members: [] });
    const socket = connect(Number(new URL(database.endpoint).port), '127.0.0.1');
    await once(socket, 'connect');
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"TableName');
    await sleep(50);
    socket.resetAndDestroy();
    await sleep(50);
    expect(await getClub(database, 'a')).toMatchObject({ name: 'A' });
  });

  it('that is stopped with a request under way answers it, and its stop waits for that', async () => {
    const short = await startDatabase({ port: 0 });
    const socket = connect(Number(new URL(short.endpoint).port), '127.0.0.1');
    await once(socket, 'connect');
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{');
    await sleep(50);
    const stopped = short.stop();
    await sleep(50);
    socket.write('}');
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toContain('UnknownOperationException');
    await stopped;
  });

  it('stops listening when it cannot be started', async () => {
    const port = await freePort();
    const giveUp = AbortSignal.abort(new Error('never mind'));
    await expect(startDatabase({ port }, giveUp)).rejects.toThrow('never mind');
    await expect(once(connect(port, '127.0.0.1'), 'connect')).rejects.toThrow('ECONNREFUSED');
  });

  it('is reached despite AWS settings in the environment', async () => {
    vi.stubEnv('AWS_USE_FIPS_ENDPOINT', 'true');
    vi.stubEnv('AWS_USE_DUALSTACK_ENDPOINT', 'true');
    onTestFinished(() => void vi.unstubAllEnvs());
    await createClub(database, { clubId: 'c', name: 'C', moderatorId: 'u', members: [] });
    const club = await openTable(database).get({ pk: 'CLUB#c', sk: 'CLUB' });
    expect(club).toMatchObject({ name: 'C' });
  });

  it('uses another one with its own table, and deletes only that', async () => {
    const guest = await startDatabase({ endpoint: database.endpoint });
    await createClub(guest, { clubId: 'b', name: 'B', moderatorId: 'u', members: [] });
    expect(await getClub(guest, 'b')).toMatchObject({ name: 'B' });
    expect(await getClub(database, 'b')).toBeUndefined();
    await guest.stop();
    expect(await tablesAt(database.endpoint)).toEqual([database.tableName]);
  });
});
