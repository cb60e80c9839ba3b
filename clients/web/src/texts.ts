/** Figures as people read them. */

import type { Date as CalendarDate } from "@abs-finance/client/google/type/date";

const DAY = 86_400_000;
const plain = new Intl.NumberFormat("en", { maximumFractionDigits: 4 });
const money = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });

/** A fraction in per cent; an en dash where there is none. */
export function percent(fraction: number | undefined, digits = 1): string {
  return fraction === undefined ? "–" : `${(100 * fraction).toFixed(digits)} %`;
}

/** A number with four decimals at most; an en dash where there is none. */
export function figure(value: number | undefined): string {
  return value === undefined ? "–" : plain.format(value);
}

/** An amount with two decimals at most; an en dash where there is none. */
export function amount(value: number | undefined): string {
  return value === undefined ? "–" : money.format(value);
}

/** A date as days since 1970-01-01, in ISO form. */
export function isoDay(day: number): string {
  return new Date(day * DAY).toISOString().slice(0, 10);
}

/** A time in seconds since 1970-01-01, in UTC. */
export function isoTime(seconds: number): string {
  return `${new Date(1000 * seconds).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** A date of the contract in ISO form; empty where there is none. */
export function isoDate(date: CalendarDate | undefined): string {
  return date === undefined ? "" : [date.year, date.month, date.day].map((part) => String(part).padStart(2, "0")).join("-");
}

/** A span of time in its two largest units. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  if (hours > 0) {
    return `${hours} h ${minutes} min`;
  }
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}
