// Preloaded (node --import) into the stack's own Node children. Their parent stops them by signal;
// this covers a parent that was killed outright and could not: the IPC channel closes with it.
process.once('disconnect', () => process.kill(-process.pid, 'SIGKILL'));
process.channel?.unref();
