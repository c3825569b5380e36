import { createContext, useContext } from 'react';
import type { Config } from './config.ts';

const ConfigContext = createContext<Config | undefined>(undefined);
export const ConfigProvider = ConfigContext.Provider;

export function useConfig(): Config {
  const config = useContext(ConfigContext);
  if (!config) throw new Error('There is no ConfigProvider');
  return config;
}
