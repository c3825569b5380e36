import type { Answer } from '../harness/http-server.ts';

const xml = (status: number, body: string): Answer => ({
  status,
  headers: { 'content-type': 'text/xml' },
  body,
});

const NAMESPACE = 'xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"';

/** What CloudFormation answers to DescribeStacks. */
export function describedStack(
  name: string,
  status: string,
  outputs: Record<string, string>,
): Answer {
  const members = Object.entries(outputs).map(
    ([key, value]) =>
      `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`,
  );
  return xml(
    200,
    `<DescribeStacksResponse ${NAMESPACE}><DescribeStacksResult><Stacks><member><StackName>${name}</StackName><CreationTime>2026-11-22T20:00:00Z</CreationTime><StackStatus>${status}</StackStatus><Outputs>${members.join('')}</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`,
  );
}

export const refusedByCloudFormation = (code: string, message: string): Answer =>
  xml(
    code === 'AccessDenied' ? 403 : 400,
    `<ErrorResponse ${NAMESPACE}><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
  );
