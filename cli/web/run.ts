import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudFrontClient, CreateInvalidationCommand } from '@aws-sdk/client-cloudfront';
import { S3Client } from '@aws-sdk/client-s3';
import * as z from 'zod/mini';
import { parseOptions, UsageError } from '../../local/options.ts';
import { COMMON, deploymentOf } from '../arguments.ts';
import { readOutputs } from '../outputs.ts';
import { printable } from '../printable.ts';
import { accountOf, type Deployment, stackNameOf } from '../targets.ts';
import { uploadPage } from './upload.ts';

export const HELP = `Builds the page of web/ and puts it where a stage serves it.

  npm run web:deploy -- --stage <stage> [options]

The stage must have been deployed with the parameter web=true.

Options
  --region <region>     Else AWS_REGION, else eu-central-1, as for \`serverless deploy\`.
  --profile <profile>   As for AWS's own tools.
  --help

Exit codes
  0  done
  1  refused, or failed: the sentence says why. It can be repeated
  2  not understood: an unknown option, a missing or bad value
`;

export const EXIT = { done: 0, failed: 1, usage: 2 } as const;

/** What it needs of the stack. */
const Outputs = z.object({
  ApiUrl: z.string(),
  Issuer: z.string(),
  RecordingDefault: z.string(),
  UserPoolClientIds: z.string(),
  UserPoolDomain: z.string(),
  WebBucket: z.string(),
  WebDistributionId: z.string(),
  WebOrigins: z.string(),
  WebUrl: z.string(),
});
type Outputs = z.infer<typeof Outputs>;

export interface Io {
  /** Builds the page, and gives the folder that it is in. */
  build(): Promise<string>;
  env: NodeJS.ProcessEnv;
  out(text: string): void;
  err(text: string): void;
}

/** Does what was asked for, and gives the exit code. */
export async function run(args: string[], io: Io): Promise<number> {
  let deployment: Deployment | undefined;
  try {
    const { json: _, ...options } = COMMON;
    const { values } = parseOptions('web:deploy', { args, options }, io.env);
    if (values.help) {
      io.out(HELP);
      return EXIT.done;
    }
    deployment = deploymentOf(values, io.env);
    if (!deployment) throw new UsageError('--stage is missing: a stage that is deployed');
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    io.err(`${printable(error.message)}\nnpm run web:deploy -- --help\n`);
    return EXIT.usage;
  }
  try {
    await deploy(deployment, io);
    return EXIT.done;
  } catch (error) {
    io.err(`${printable(error instanceof Error ? error.message : String(error))}\n`);
    return EXIT.failed;
  }
}

async function deploy(deployment: Deployment, { build, out }: Io): Promise<void> {
  const account = accountOf(deployment);
  const cloudFormation = new CloudFormationClient(account);
  const cloudFront = new CloudFrontClient(account);
  const s3 = new S3Client(account);
  try {
    const outputs = await outputsOf(cloudFormation, stackNameOf(deployment));
    const { files, deleted } = await uploadPage(s3, {
      folder: await build(),
      bucket: outputs.WebBucket,
      config: configOf(outputs),
    });
    await cloudFront.send(
      new CreateInvalidationCommand({
        DistributionId: outputs.WebDistributionId,
        InvalidationBatch: {
          CallerReference: new Date().toISOString(),
          Paths: { Quantity: 1, Items: ['/*'] },
        },
      }),
    );
    const old = deleted > 0 ? `, deleted ${deleted} old ones` : '';
    out(`${outputs.WebUrl} serves the page within a minute or two: put ${files} files${old}\n`);
  } finally {
    for (const client of [cloudFormation, cloudFront, s3]) client.destroy();
  }
}

/** @throws Error in a sentence: no such stack, no page in it, or a page that could not call the API */
async function outputsOf(
  cloudFormation: CloudFormationClient,
  stackName: string,
): Promise<Outputs> {
  const { outputs } = await readOutputs(cloudFormation, stackName);
  const parsed = Outputs.safeParse(outputs);
  if (!parsed.success) {
    const missing = parsed.error.issues.map(({ path }) => path.join('.')).join(', ');
    throw new Error(`${stackName} has no output ${missing}: deploy it with the parameter web=true`);
  }
  const { WebUrl, WebOrigins } = parsed.data;
  if (!WebOrigins.split(',').includes(WebUrl)) {
    throw new Error(
      `The page at ${WebUrl} may not call the API or log in: add this origin to webOrigins, and deploy the stage again`,
    );
  }
  return parsed.data;
}

/** The page's config.json: web/src/config.ts. */
const configOf = ({
  ApiUrl,
  Issuer,
  RecordingDefault,
  UserPoolClientIds,
  UserPoolDomain,
}: Outputs) => ({
  apiUrl: ApiUrl,
  identity: {
    issuer: Issuer,
    // With several: the first is the page's.
    clientId: UserPoolClientIds.split(',')[0] ?? '',
    authorizationEndpoint: `${UserPoolDomain}/oauth2/authorize`,
    tokenEndpoint: `${UserPoolDomain}/oauth2/token`,
    logoutEndpoint: `${UserPoolDomain}/logout`,
  },
  livekit: 'server',
  recordingDefault: RecordingDefault,
});
