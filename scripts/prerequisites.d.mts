export const PACKAGES: Record<string, string[]>;
export function has(command: string): boolean;
export function missingPackages(): string[];
export function labObstacle(): string | undefined;
