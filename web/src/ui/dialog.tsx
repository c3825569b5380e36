import type { ReactNode } from 'react';
import { Dialog as AriaDialog, Heading } from 'react-aria-components/Dialog';
import { Modal, ModalOverlay } from 'react-aria-components/Modal';
import './dialog.css';

/** Asks, and waits for the answer. Escape and a press outside close it, where it may be closed. */
export function Dialog({
  title,
  isOpen,
  onClose,
  children,
  actions,
  role = 'dialog',
}: {
  title: string;
  isOpen: boolean;
  /** Undefined: one of the actions has to be chosen. */
  onClose?: (() => void) | undefined;
  children?: ReactNode;
  actions?: ReactNode;
  /** `alertdialog`: a decision that cannot be undone. */
  role?: 'dialog' | 'alertdialog';
}) {
  return (
    <ModalOverlay
      isOpen={isOpen}
      onOpenChange={(open) => open || onClose?.()}
      isDismissable={onClose !== undefined}
      isKeyboardDismissDisabled={onClose === undefined}
      className="dialog-overlay"
    >
      <Modal className="dialog">
        <AriaDialog role={role} className="dialog__content">
          <Heading slot="title" level={2}>
            {title}
          </Heading>
          {children && <div className="dialog__text">{children}</div>}
          {actions && <div className="dialog__actions">{actions}</div>}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}
