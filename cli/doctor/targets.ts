/** What is examined: the development stack of this checkout, or a deployed one. */
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { GetParameterCommand, type Parameter, SSMClient } from '@aws-sdk/client-ssm';
import * as z from 'zod/mini';
import type { TableOptions } from '../../lib/dynamodb/table.ts';
import { LiveKitSettings, parseSettings } from '../../lib/livekit/settings.ts';
import { localClient } from '../../local/dynamodb.ts';
import { issuerOf } from '../../local/identity.ts';
import type { StackDescription } from '../../local/stack-file.ts';
import { readOutputs, type Stack } from '../outputs.ts';
import { accountOf, type Deployment, STACK_NAME, stackNameOf } from '../targets.ts';
import { startFunctions } from './functions.ts';
import { reasonOf } from './reasons.ts';
import type { Recordings } from './recordings.ts';
import type { Finding, Found } from './runner.ts';

const REQUESTS = {
  connectionTimeout: 3_000,
  requestTimeout: 5_000,
  throwOnRequestTimeout: true,
};

/** A function's own 12 s, the start before them, and a margin. */
const INVOCATIONS = { ...REQUESTS, requestTimeout: 20_000 };

/** Where everything is. */
export interface Configuration {
  /** The routes that people call begin with it. */
  apiUrl: string;
  webhookUrl: string;
  /** Of the pages that may call. */
  webOrigins: string[];
  issuer: string;
  clientIds: string[];
  /** Of the stage, where it has one. */
  page: { url: string; livekitOrigins: string[] } | undefined;
  table: TableOptions;
  /** Of the stage: the development stack's S3 has one account, and keeps nothing. */
  recordings: Recordings | undefined;
}

export interface Target {
  name: string;
  /** Its database is on this machine. */
  isLocal: boolean;
  readConfiguration(): Promise<Found<Configuration>>;
  startFunctions(): Promise<Finding>;
  readSettings(): Promise<Found<LiveKitSettings>>;
  dynamodb: DynamoDBClient;
  /** With the rights of the person who runs the doctor. */
  s3: S3Client | undefined;
  close(): void;
}

export function stackTarget(
  stack: Pick<StackDescription, 'webUrl' | 'apiUrl' | 'livekit' | 'cognito' | 'dynamodb'>,
): Target {
  const { webUrl, apiUrl, livekit, cognito, dynamodb: table } = stack;
  const dynamodb = localClient(table.endpoint);
  return {
    name: STACK_NAME,
    isLocal: true,
    readConfiguration: async () => ({
      outcome: 'ok',
      sentence: 'The development stack of this checkout',
      found: {
        apiUrl,
        webhookUrl: new URL('/api/livekit/webhook', apiUrl).href,
        webOrigins: [webUrl],
        issuer: issuerOf(cognito),
        clientIds: [cognito.clientId],
        page: undefined,
        table,
        recordings: undefined,
      },
    }),
    startFunctions: async () => ({
      outcome: 'skipped',
      sentence: 'The development stack starts each when it is called',
    }),
    readSettings: async () => ({
      outcome: 'skipped',
      sentence: "The development stack keeps LiveKit's settings in .local/stack.json",
      found: LiveKitSettings.parse(livekit),
    }),
    dynamodb,
    s3: undefined,
    close: () => dynamodb.destroy(),
  };
}

/** The stack's outputs. */
const Outputs = z.object({
  ApiUrl: z.string(),
  WebhookUrl: z.string(),
  WebOrigins: z.string(),
  TableName: z.string(),
  Issuer: z.string(),
  UserPoolClientIds: z.string(),
  WebUrl: z.optional(z.string()),
  LiveKitOrigins: z.optional(z.string()),
  LiveKitParameter: z.string(),
  RecordingsBucketName: z.string(),
  RecordingRetentionDays: z.coerce.number(),
});

export function deployedTarget(deployment: Deployment): Target {
  const account = accountOf(deployment);
  const options = { ...account, requestHandler: REQUESTS };
  const cloudFormation = new CloudFormationClient(options);
  const ssm = new SSMClient(options);
  const dynamodb = new DynamoDBClient(options);
  const s3 = new S3Client(options);
  const lambda = new LambdaClient({ ...options, requestHandler: INVOCATIONS });
  const StackName = stackNameOf(deployment);
  const name = `${StackName} in ${deployment.region}`;

  let reading: Promise<Stack> | undefined;
  const stack = () => {
    reading ??= readOutputs(cloudFormation, StackName);
    return reading;
  };

  return {
    name,
    isLocal: false,
    dynamodb,
    s3,

    async readConfiguration() {
      let described: Stack;
      try {
        described = await stack();
      } catch (error) {
        return {
          outcome: 'failure',
          sentence: `${name} cannot be described: ${reasonOf(error)}`,
          remedy:
            'Are --stage, --region and --profile right, and may you do cloudformation:DescribeStacks?',
        };
      }
      const { status, outputs } = described;
      const result = Outputs.safeParse(outputs);
      if (!result.success) {
        const missing = result.error.issues.map(({ path }) => path.join('.')).join(', ');
        return {
          outcome: 'failure',
          sentence: `${name} is ${status}, and has no output ${missing}`,
          remedy: 'Deploy this version of the service',
        };
      }
      const { ApiUrl, WebhookUrl, WebOrigins, TableName, Issuer, UserPoolClientIds, ...rest } =
        result.data;
      const found = {
        apiUrl: ApiUrl,
        webhookUrl: WebhookUrl,
        webOrigins: WebOrigins.split(','),
        issuer: Issuer,
        clientIds: UserPoolClientIds.split(','),
        page: rest.WebUrl
          ? { url: rest.WebUrl, livekitOrigins: rest.LiveKitOrigins?.split(' ') ?? [] }
          : undefined,
        table: { tableName: TableName, account },
        recordings: {
          bucket: rest.RecordingsBucketName,
          retentionDays: rest.RecordingRetentionDays,
        },
      };
      if (status?.endsWith('_COMPLETE')) {
        return { outcome: 'ok', sentence: `${name} is ${status}`, found };
      }
      return {
        outcome: 'warning',
        sentence: `${name} is ${status}: the deployment may change during the checks`,
        remedy: 'Wait for the deployment, or look at the events of the stack',
        found,
      };
    },

    startFunctions: () => startFunctions(lambda, StackName),

    async readSettings() {
      const { outputs } = await stack();
      return readParameter(ssm, Outputs.parse(outputs).LiveKitParameter);
    },

    close() {
      for (const client of [cloudFormation, ssm, dynamodb, s3, lambda]) client.destroy();
    },
  };
}

async function readParameter(ssm: SSMClient, Name: string): Promise<Found<LiveKitSettings>> {
  const failure = (sentence: string, remedy: string): Found<LiveKitSettings> => ({
    outcome: 'failure',
    sentence,
    remedy,
  });
  let parameter: Parameter | undefined;
  try {
    ({ Parameter: parameter } = await ssm.send(
      new GetParameterCommand({ Name, WithDecryption: true }),
    ));
  } catch (error) {
    return failure(
      error instanceof Error && error.name === 'ParameterNotFound'
        ? `There is no parameter ${Name}`
        : `${Name} cannot be read: ${reasonOf(error)}`,
      'Write it as in docs/deploy.md, and let the functions and yourself read and decrypt it',
    );
  }
  let settings: LiveKitSettings;
  try {
    settings = parseSettings(Name, parameter?.Value ?? '');
  } catch (error) {
    return failure(
      reasonOf(error),
      'Write it as in docs/deploy.md: JSON with wsUrl, apiKey, apiSecret, and previous or not',
    );
  }
  if (parameter?.Type !== 'SecureString') {
    return {
      outcome: 'warning',
      sentence: `${Name} is a ${parameter?.Type}, which shows the secret to everyone who may read parameters`,
      remedy: 'Delete it, write it as SecureString, and rotate the key in LiveKit',
      found: settings,
    };
  }
  const { previous } = settings;
  return {
    outcome: 'ok',
    sentence: `${Name} holds LiveKit's settings${previous ? ', with a previous key' : ''}`,
    found: settings,
  };
}
