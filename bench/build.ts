import { readFile, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';
import { parse } from 'yaml';

const project = fileURLToPath(new URL('..', import.meta.url));

interface Bundle {
  name: string;
  path: string;
  bytes: number;
}

interface ServerlessFile {
  functions: Record<string, { handler: string }>;
  custom: { esbuild: BuildOptions & { exclude: string[]; outputFileExtension: string } };
}

/** What serverless-esbuild keeps for itself; the rest goes to esbuild as it is. */
const PLUGIN_OPTIONS = [
  'concurrency',
  'exclude',
  'outputBuildFolder',
  'outputFileExtension',
  'outputWorkFolder',
  'packager',
  'watch',
];

/**
 * Every function's bundle as `serverless package` makes it: by the same bundler with the options of
 * serverless.yml, but in a folder of our own, since others may be packaging in the same tree.
 */
export async function buildFunctions(outdir: string): Promise<Bundle[]> {
  const { functions, custom }: ServerlessFile = parse(
    await readFile(join(project, 'serverless.yml'), 'utf8'),
    { logLevel: 'error' },
  );
  const { exclude, outputFileExtension } = custom.esbuild;
  const options = Object.entries(custom.esbuild).filter(([name]) => !PLUGIN_OPTIONS.includes(name));
  const files = Object.entries(functions).map(([name, { handler }]) => ({
    name,
    file: handler.slice(0, handler.lastIndexOf('.')),
  }));
  await build({
    ...Object.fromEntries(options),
    external: exclude,
    outExtension: { '.js': outputFileExtension },
    absWorkingDir: project,
    entryPoints: files.map(({ file }) => `${file}.ts`),
    outbase: project,
    outdir,
  });
  return Promise.all(
    files.map(async ({ name, file }) => {
      const path = join(outdir, `${file}${outputFileExtension}`);
      return { name, path, bytes: (await stat(path)).size };
    }),
  );
}

/** The plain way's own code as JavaScript, its dependencies left in node_modules. */
export async function buildPlain(outdir: string): Promise<string> {
  await symlink(join(project, 'node_modules'), join(outdir, 'node_modules'));
  return compile('bench/plain/app.ts', outdir, 'cjs');
}

export const buildProbe = (outdir: string): Promise<string> =>
  compile('bench/cold-probe.ts', outdir, 'esm');

async function compile(entry: string, outdir: string, format: 'cjs' | 'esm'): Promise<string> {
  const extension = format === 'esm' ? '.mjs' : '.cjs';
  await build({
    absWorkingDir: project,
    entryPoints: { compiled: entry },
    bundle: true,
    packages: 'external',
    format,
    platform: 'node',
    target: 'node24',
    outExtension: { '.js': extension },
    outdir,
  });
  return join(outdir, `compiled${extension}`);
}
