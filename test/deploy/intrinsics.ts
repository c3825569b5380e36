/** As much of CloudFormation's own functions as our template uses. */

// biome-ignore lint/suspicious/noExplicitAny: a template is whatever its author wrote
type Template = any;

/**
 * The value with every intrinsic function in it replaced by what it stands for.
 * @param refs what `Ref` and `Fn::Sub` stand for; by default their own names
 */
export function resolveTemplate(value: Template, refs: Record<string, string> = {}): Template {
  const resolve = (inner: Template): Template => resolveTemplate(inner, refs);

  if (Array.isArray(value)) return value.map(resolve);
  if (typeof value !== 'object' || value === null) return value;
  const [[key, input] = ['', undefined], ...others] = Object.entries<Template>(value);
  if (others.length === 0) {
    switch (key) {
      case 'Ref':
        return refs[input] ?? input;
      case 'Fn::GetAtt':
        return [input].flat().join('.');
      case 'Fn::Join':
        return resolve(input[1]).join(input[0]);
      case 'Fn::Split':
        return resolve(input[1]).split(input[0]);
      case 'Fn::Select':
        return resolve(input[1])[input[0]];
      case 'Fn::Sub': {
        const [text, own = {}] = [input].flat();
        return text.replace(/\$\{([^}]+)\}/g, (_: string, name: string) =>
          Object.hasOwn(own, name) ? resolve(own[name]) : (refs[name] ?? name),
        );
      }
      default:
        if (key.startsWith('Fn::')) throw new Error(`Unknown function ${key}`);
    }
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, resolve(inner)] as const),
  );
}
