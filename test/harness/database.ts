import { type Database, startDatabase } from '../../local/dynamodb.ts';

/** dynalite, or a table of our own at the database for which `npm run test:dynamodb-local` runs us. */
export function startTestDatabase(): Promise<Database> {
  const { TEST_DYNAMODB_ENDPOINT: endpoint } = process.env;
  return startDatabase(endpoint ? { endpoint } : { port: 0 });
}
