// Returns what text is seen with too little contrast to what it stands on, as
// lines, and how many texts were looked at.
(() => {
  const rgba = (color) => {
    const [r, g, b, a = 1] = color.match(/[\d.]+/g).map(Number);
    return { r, g, b, a };
  };
  const over = (top, below) => ({ r: top.r * top.a + below.r * (1 - top.a), g: top.g * top.a + below.g * (1 - top.a), b: top.b * top.a + below.b * (1 - top.a), a: 1 });
  const luminance = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((c) => ((c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const contrast = (a, b) => {
    const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  };
  // What is behind an element: a box of the graph, or the backgrounds of what it is in.
  const behind = (e) => {
    const layers = [];
    const node = e.closest("g.node");
    if (node) layers.push(rgba(getComputedStyle(node.querySelector("path")).fill));
    for (let at = e instanceof SVGElement ? e.ownerSVGElement.parentElement : e; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      layers.push(rgba(style.backgroundColor));
      const painted = style.backgroundImage.match(/rgba?\([^)]*\)/);
      if (painted) layers.push(rgba(painted[0]));
    }
    return layers.reverse().reduce((below, top) => over(top, below), { r: 255, g: 255, b: 255, a: 1 });
  };
  const wrong = [];
  let seen = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement, said = walker.currentNode.textContent.trim();
    if (!said || !e.checkVisibility({ visibilityProperty: true, opacityProperty: true }) || e.closest("title, script, option, :disabled")) continue;
    const style = getComputedStyle(e), size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const color = rgba(e instanceof SVGElement ? style.fill : style.color), below = behind(e);
    const is = contrast(over(color, below), below);
    seen++;
    if (is < (large ? 3 : 4.5)) wrong.push(`${is.toFixed(2)}: ${e.tagName}.${e.className.baseVal ?? e.className} ${said.slice(0, 40)}`);
  }
  for (const input of document.querySelectorAll("input[placeholder]")) {
    if (!input.checkVisibility()) continue;
    const below = behind(input), is = contrast(over(rgba(getComputedStyle(input, "::placeholder").color), below), below);
    seen++;
    if (is < 4.5) wrong.push(`${is.toFixed(2)}: placeholder ${input.placeholder}`);
  }
  return { seen, wrong: [...new Set(wrong)] };
})()
