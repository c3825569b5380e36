export function Meet({ clubId }: { clubId: string }) {
  return <main>{clubId}</main>;
}
