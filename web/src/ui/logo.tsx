/** An open book, which is also two people who face each other. */
export const Logo = ({ size = 32 }: { size?: number }) => (
  <svg
    className="logo"
    width={size}
    height={size}
    viewBox="0 0 32 32"
    aria-hidden="true"
    focusable="false"
  >
    <rect width="32" height="32" rx="9" className="logo__ground" />
    <path
      d="M6.5 9.2c3.4-.9 6.6-.4 9.5 1.5 2.9-1.9 6.1-2.4 9.5-1.5v13.300c-3.4-.9-6.6-.4-9.5 1.5-2.9-1.9-6.1-2.4-9.5-1.5Z M16 10.7V24"
      className="logo__book"
    />
  </svg>
);
