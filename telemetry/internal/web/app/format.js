// Numbers and times as people read them.

const steps = ["", "k", "M", "G", "T"];

export function number(n) {
  if (n === undefined || n === null || Number.isNaN(n)) return "–";
  if (Math.abs(n) < 999.5) return Number.isInteger(n) ? String(n) : n.toFixed(n < 9.95 ? 1 : 0);
  let k = 0;
  while (Math.abs(n) >= 999.5 && k < steps.length - 1) { n /= 1000; k++; }
  return n.toFixed(n < 10 ? 2 : n < 100 ? 1 : 0) + " " + steps[k];
}

export const exact = (n) => (n ?? 0).toLocaleString("en-US").replaceAll(",", "\u2009");

export function bytes(n) {
  if (!n) return "0 B";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let k = 0;
  while (n >= 1024 && k < units.length - 1) { n /= 1024; k++; }
  return (n < 10 && k > 0 ? n.toFixed(1) : n.toFixed(0)) + " " + units[k];
}

export function seconds(s) {
  if (!s || s <= 0) return "–";
  if (s < 1e-3) return (s * 1e6).toFixed(0) + " µs";
  if (s < 1) return (s * 1e3).toFixed(s < 1e-2 ? 1 : 0) + " ms";
  if (s < 120) return s.toFixed(s < 10 ? 1 : 0) + " s";
  if (s < 7200) return (s / 60).toFixed(0) + " min";
  return (s / 3600).toFixed(0) + " h";
}

export const percent = (share) => ((share ?? 0) * 100).toFixed(share < 0.1 ? 1 : 0) + " %";
export const rate = (n) => number(n) + "/s";

export function clock(time) {
  const t = new Date(time);
  return Number.isNaN(t.getTime()) ? "–" : t.toLocaleTimeString([], { hour12: false });
}

export function moment(time) {
  const t = new Date(time);
  return Number.isNaN(t.getTime()) ? "–" : t.toISOString().replace("T", " ").replace("Z", " UTC");
}
