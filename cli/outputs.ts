/** The outputs of a stage's stack. */
import { type CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';

export interface Stack {
  status: string | undefined;
  outputs: Record<string, string | undefined>;
}

/** @throws what CloudFormation answers, also when there is no such stack */
export async function readOutputs(
  cloudFormation: CloudFormationClient,
  StackName: string,
): Promise<Stack> {
  const { Stacks: [stack] = [] } = await cloudFormation.send(
    new DescribeStacksCommand({ StackName }),
  );
  const outputs = stack?.Outputs?.map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]);
  return { status: stack?.StackStatus, outputs: Object.fromEntries(outputs ?? []) };
}
