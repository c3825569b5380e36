/** What `dynalite` 4.0.0 is made of, as far as it is called without a server. */
declare module 'dynalite/db/index.js' {
  const db: { create(options: { createTableMs: number }): object };
  export = db;
}

declare module 'dynalite/validations/index.js' {
  const validations: {
    checkTypes(data: object, types: object): object;
    checkValidations(data: object, types: object, custom: unknown, store: object): void;
  };
  export = validations;
}
