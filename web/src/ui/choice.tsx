import { Check } from 'lucide-react';
import type { ReactNode } from 'react';
import { Checkbox } from 'react-aria-components/Checkbox';
import { Radio, RadioGroup } from 'react-aria-components/RadioGroup';
import './choice.css';

/** One of few, each with what it means. */
export function Choices<Id extends string>({
  label,
  options,
  selected,
  onSelect,
}: {
  label: string;
  options: { id: Id; name: string; meaning: string }[];
  selected: Id;
  onSelect: (id: Id) => void;
}) {
  return (
    <RadioGroup
      className="choices"
      aria-label={label}
      value={selected}
      onChange={(id) => onSelect(id as Id)}
    >
      {options.map(({ id, name, meaning }) => (
        <Radio key={id} value={id} className="choice">
          <span className="choice__mark" aria-hidden="true">
            <Check size={14} strokeWidth={3} />
          </span>
          <span className="choice__text">
            <strong>{name}</strong>
            <span className="soft small">{meaning}</span>
          </span>
        </Radio>
      ))}
    </RadioGroup>
  );
}

/** Yes or not. */
export function Tick({
  isOn,
  onTurn,
  isInvalid = false,
  describedBy,
  children,
}: {
  isOn: boolean;
  onTurn: (isOn: boolean) => void;
  isInvalid?: boolean;
  describedBy?: string | undefined;
  children: ReactNode;
}) {
  return (
    <Checkbox
      className="choice choice--plain"
      isSelected={isOn}
      onChange={onTurn}
      isInvalid={isInvalid}
      {...(describedBy && { 'aria-describedby': describedBy })}
    >
      <span className="choice__mark choice__mark--square" aria-hidden="true">
        <Check size={14} strokeWidth={3} />
      </span>
      {children}
    </Checkbox>
  );
}
