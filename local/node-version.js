// Preloaded by the npm scripts (node --import), before Node reads any TypeScript: older ones cannot.
const NEEDED_MAJOR = 24;

const { node } = process.versions;
if (Number.parseInt(node, 10) < NEEDED_MAJOR) {
  console.error(
    `Node ${NEEDED_MAJOR} is needed, and this is ${node}: \`npm ci\` installs one for npm run and npx, unless it ignores install scripts. Then run \`npm rebuild node --ignore-scripts=false\`.`,
  );
  process.exit(1);
}
