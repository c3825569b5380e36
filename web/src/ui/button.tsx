import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import {
  Button as AriaButton,
  type ButtonProps as AriaButtonProps,
} from 'react-aria-components/Button';
import { Link } from 'wouter';
import './button.css';

type Look = 'primary' | 'secondary' | 'quiet' | 'danger';

const classOf = (look: Look, more?: string) =>
  ['button', `button--${look}`, more].filter(Boolean).join(' ');

export interface ButtonProps extends Omit<AriaButtonProps, 'children' | 'className' | 'style'> {
  look?: Look;
  icon?: LucideIcon;
  className?: string;
  children: ReactNode;
}

/** A button with a word. While `isPending` it stays focusable and does nothing. */
export function Button({
  look = 'secondary',
  icon: Icon,
  className,
  children,
  ...props
}: ButtonProps) {
  return (
    <AriaButton {...props} className={classOf(look, className)}>
      {props.isPending ? (
        <span className="spinner" aria-hidden="true" />
      ) : (
        Icon && <Icon size={20} aria-hidden="true" />
      )}
      {children}
    </AriaButton>
  );
}

/** A link that looks like a button. */
export function LinkButton({
  to,
  look = 'secondary',
  icon: Icon,
  children,
}: {
  to: string;
  look?: Look;
  icon?: LucideIcon;
  children: ReactNode;
}) {
  return (
    <Link href={to} className={classOf(look)}>
      {Icon && <Icon size={20} aria-hidden="true" />}
      {children}
    </Link>
  );
}

export const Spinner = () => <span className="spinner" aria-hidden="true" />;
