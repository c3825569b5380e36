import { Check, ChevronDown } from 'lucide-react';
import { Button } from 'react-aria-components/Button';
import { ListBox, ListBoxItem } from 'react-aria-components/ListBox';
import { Popover } from 'react-aria-components/Popover';
import { Select as AriaSelect, Label, SelectValue } from 'react-aria-components/Select';
import './select.css';

export interface Option {
  id: string;
  name: string;
}

/** One of several, by name. */
export function Select({
  label,
  options,
  selected,
  onSelect,
  placeholder,
}: {
  label: string;
  options: Option[];
  selected: string | undefined;
  onSelect: (id: string) => void;
  placeholder: string;
}) {
  return (
    <AriaSelect
      className="select"
      value={options.some(({ id }) => id === selected) ? (selected ?? null) : null}
      onChange={(id) => typeof id === 'string' && onSelect(id)}
      isDisabled={options.length === 0}
      placeholder={placeholder}
    >
      <Label className="field__label">{label}</Label>
      <Button className="select__button">
        <SelectValue className="select__value" />
        <ChevronDown size={18} aria-hidden="true" />
      </Button>
      <Popover className="popover select__popover">
        <ListBox className="menu" items={options}>
          {({ id, name }) => (
            <ListBoxItem id={id} textValue={name} className="menu__item">
              {({ isSelected }) => (
                <>
                  <Check
                    size={18}
                    aria-hidden="true"
                    className={isSelected ? '' : 'menu__unchecked'}
                  />
                  {name}
                </>
              )}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </AriaSelect>
  );
}
