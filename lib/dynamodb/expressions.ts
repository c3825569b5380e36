import type { UpdateCommandInput } from '@aws-sdk/lib-dynamodb';

/** Attributes of an item by name; undefined stands for one that the item does not have. */
export type Attributes = Record<string, unknown>;

type Placeholders = Pick<
  UpdateCommandInput,
  'ExpressionAttributeNames' | 'ExpressionAttributeValues'
>;

/** Names stand behind `#`, since DynamoDB reserves some, such as `name` and `role`. */
const namesOf = (attributes: Attributes): Record<string, string> =>
  Object.fromEntries(Object.keys(attributes).map((name) => [`#${name}`, name]));

const given = (attributes: Attributes): [string, unknown][] =>
  Object.entries(attributes).filter(([, value]) => value !== undefined);

/** An update that sets the attributes, and removes those that are undefined. */
export function assign(attributes: Attributes): Placeholders & { UpdateExpression: string } {
  const set = given(attributes).map(([name]) => `#${name} = :${name}`);
  const remove = Object.keys(attributes)
    .filter((name) => attributes[name] === undefined)
    .map((name) => `#${name}`);
  return {
    UpdateExpression: [
      ...(set.length > 0 ? [`SET ${set.join(', ')}`] : []),
      ...(remove.length > 0 ? [`REMOVE ${remove.join(', ')}`] : []),
    ].join(' '),
    ExpressionAttributeNames: namesOf(attributes),
    ExpressionAttributeValues: Object.fromEntries(
      given(attributes).map(([name, value]) => [`:${name}`, value]),
    ),
  };
}

export type Conditions = Placeholders & { conditions: string[] };

/** Conditions that the item has the attributes as they were seen, and lacks those that are undefined. */
export function unchanged(seen: Attributes): Conditions {
  return {
    conditions: Object.entries(seen).map(([name, value]) =>
      value === undefined ? `attribute_not_exists(#${name})` : `#${name} = :seen_${name}`,
    ),
    ExpressionAttributeNames: namesOf(seen),
    ExpressionAttributeValues: Object.fromEntries(
      given(seen).map(([name, value]) => [`:seen_${name}`, value]),
    ),
  };
}

/** The names and values of several expressions together. DynamoDB takes neither when there are none. */
export function together(...parts: Placeholders[]): Placeholders {
  const names = Object.assign({}, ...parts.map((part) => part.ExpressionAttributeNames));
  const values = Object.assign({}, ...parts.map((part) => part.ExpressionAttributeValues));
  return {
    ...(Object.keys(names).length > 0 && { ExpressionAttributeNames: names }),
    ...(Object.keys(values).length > 0 && { ExpressionAttributeValues: values }),
  };
}
