// What graph.dot says of each stage, channel and group, read from the lines that
// the server writes: one statement a line, texts as quoted strings.

const attribute = /(\w+)=(?:"((?:[^"\\]|\\.)*)"|([\d.]+))/g;

// partsOf returns a map from id to {id, class, label (its lines), tooltip, penwidth}.
export function partsOf(dot) {
  const parts = new Map();
  for (const line of dot.split("\n")) {
    const part = {};
    for (const [, name, quoted, plain] of line.matchAll(attribute)) part[name] = plain ?? textOf(quoted);
    if (part.id) parts.set(part.id, { ...part, label: (part.label ?? "").split("\n") });
  }
  return parts;
}

const textOf = (quoted) => quoted.replace(/\\(.)/g, (_, c) => (c === "n" ? "\n" : c)).replaceAll("&amp;", "&");

const roomy = 22, spare = 8; // characters

// fits says that a drawing of some parts can show others: the same things, with
// texts that are not much longer.
export function fits(drawn, parts) {
  if (drawn.size !== parts.size) return false;
  for (const [id, part] of parts) {
    const was = drawn.get(id);
    if (was?.label.length !== part.label.length || was.label[0] !== part.label[0]) return false;
    if (part.label.some((line, k) => line.length > Math.max(was.label[k].length + spare, roomy))) return false;
  }
  return true;
}
