/**
 * The project's own plugin of osls. It refuses wrong parameters before anything is packaged, and computes
 * what YAML cannot: `${derived:callbackUrls}`.
 */
import { contentSecurityPolicy } from '../web/policy.ts';
import { listOf, problemsOf, type Values } from './parameters.ts';

/** As much of osls as this plugin uses: https://github.com/oss-serverless/osls */
interface Serverless {
  configurationInput: { params: Record<string, Values | null> };
  processedInput: { commands: string[]; options: { param?: string[] } };
  service: {
    provider: { environment: Values };
    functions: Record<string, { name: string; environment?: Values }>;
  };
  getProvider(name: 'aws'): { getStage(): string };
  classes: { Error: new (message: string, code: string) => Error };
}

interface VariableRequest {
  address: string;
  resolveVariable: Resolve;
}

type Resolve = (variable: string) => Promise<unknown>;

const COMMANDS = ['package', 'deploy', 'deploy function'];

// Names that Fn::Sub replaces in deploy/web.yml.
// biome-ignore-start lint/suspicious/noTemplateCurlyInString: they are CloudFormation's
const API = '${HttpApi.ApiEndpoint}';
const USER_POOL = '${userPoolDomain}';
const RECORDINGS = '${RecordingsBucket.RegionalDomainName}';
const DISTRIBUTION = '${WebDistribution.DomainName}';
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: they are CloudFormation's

const isTrue = (value: unknown): boolean => String(value) === 'true';
const originsOf = async (resolve: Resolve) => listOf(await resolve('param:webOrigins'));

const DERIVED: Record<string, (resolve: Resolve) => Promise<unknown>> = {
  environment: async (resolve) => ((await resolve('sls:stage')) === 'local' ? 'local' : 'aws'),
  userPool: async (resolve) => {
    if ((await resolve('sls:stage')) === 'local') return 'local';
    return (await resolve('param:userPoolId')) === 'new' ? 'new' : 'existing';
  },
  userPoolClientIds: async (resolve) => listOf(await resolve('param:userPoolClientIds')),
  userPoolRegion: async (resolve) => String(await resolve('param:userPoolId')).split('_')[0],
  userPoolOutputs: async (resolve) => {
    const Value = await resolve('param:userPoolDomain');
    return Value === '' ? {} : { UserPoolDomain: { Value } };
  },
  userPoolProtection: async (resolve) =>
    isTrue(await resolve('param:isTableProtected')) ? 'ACTIVE' : 'INACTIVE',
  isSignUpClosed: async (resolve) => !isTrue(await resolve('param:selfSignUp')),
  webOrigins: originsOf,
  callbackUrls: async (resolve) => (await originsOf(resolve)).map((origin) => `${origin}/callback`),
  logoutUrls: async (resolve) => (await originsOf(resolve)).map((origin) => `${origin}/`),
  allowedHeaders: async (resolve) => [
    'authorization',
    'content-type',
    'if-none-match',
    ...listOf(await resolve('param:tracingHeaders')),
  ],
  webTemplate: async (resolve) =>
    isTrue(await resolve('param:web')) ? resolve('file(deploy/web.yml)') : {},
  webUrl: async (resolve) => {
    const domain = await resolve('param:webDomain');
    return domain === '' ? { 'Fn::Sub': `https://${DISTRIBUTION}` } : `https://${domain}`;
  },
  webAliases: async (resolve) => listOf(await resolve('param:webDomain')),
  webViewerCertificate: async (resolve) => {
    const AcmCertificateArn = await resolve('param:webCertificate');
    return AcmCertificateArn === ''
      ? { CloudFrontDefaultCertificate: true }
      : { AcmCertificateArn, SslSupportMethod: 'sni-only', MinimumProtocolVersion: 'TLSv1.2_2021' };
  },
  livekitOrigins: async (resolve) => listOf(await resolve('param:livekitOrigins')),
  contentSecurityPolicy: async (resolve) =>
    contentSecurityPolicy({
      api: API,
      identity: USER_POOL,
      livekit: listOf(await resolve('param:livekitOrigins')),
      recordings: `https://${RECORDINGS}`,
    }),
  // CloudFormation takes these as JSON: it makes no number of the text that `--param` gives.
  recordingRetentionDays: async (resolve) => Number(await resolve('param:recordingRetentionDays')),
  throttlingRate: async (resolve) => Number(await resolve('param:throttlingRate')),
  throttlingBurst: async (resolve) => Number(await resolve('param:throttlingBurst')),
};

export default class MeetingsPlugin {
  readonly hooks: Record<string, () => void>;

  readonly configurationVariablesSources = {
    derived: {
      async resolve({ address, resolveVariable }: VariableRequest) {
        return { value: await DERIVED[address]?.(resolveVariable) };
      },
    },
  };

  constructor(serverless: Serverless) {
    this.hooks = { initialize: () => check(serverless) };
  }
}

/** @throws osls's own error, which it prints without a stack */
function check(serverless: Serverless): void {
  const { configurationInput, processedInput, service, classes } = serverless;
  const command = processedInput.commands.join(' ');
  if (!COMMANDS.includes(command)) return;
  const refuse = (problems: string[]) => {
    const sentences = problems.map((problem) => `\n  ${problem}`).join('');
    const message = `Nothing was made. docs/configuration.md explains every parameter.${sentences}`;
    throw new classes.Error(message, 'WRONG_PARAMETERS');
  };
  const stage = serverless.getProvider('aws').getStage();
  if (stage === 'local') {
    if (command === 'package') return;
    refuse(['stage "local" is the development stack: name another --stage']);
  }
  const problems = problemsOf({
    stage,
    defaults: configurationInput.params['default'] ?? {},
    ofStage: configurationInput.params[stage] ?? {},
    given: Object.fromEntries((processedInput.options.param ?? []).map(partsOf)),
    functions: Object.values(service.functions).map((each) => ({
      name: each.name,
      environment: { ...service.provider.environment, ...each.environment },
    })),
  });
  if (problems.length > 0) refuse(problems);
}

/** osls has refused any other shape before. */
function partsOf(param: string): [string, string] {
  const at = param.indexOf('=');
  return [param.slice(0, at), param.slice(at + 1).trimEnd()];
}
