// The sites on a map. The land is drawn once for each window; sites are drawn anew at each refresh, text as text.
const SVG = "http://www.w3.org/2000/svg";
const SHAPES = {
  ok: (x, y) => ["circle", { cx: x, cy: y, r: 7 }],
  info: (x, y) => ["rect", { x: x - 6, y: y - 6, width: 12, height: 12, transform: `rotate(45 ${x} ${y})` }],
  warning: (x, y) => ["path", { d: `M${x} ${y - 9}l9 16h-18z` }],
  critical: (x, y) => ["path", { d: `M${x - 8} ${y - 8}l16 16m0-16l-16 16` }],
  unknown: (x, y) => ["circle", { cx: x, cy: y, r: 6 }],
};

function element(name, attributes, parent) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent?.appendChild(made);
  return made;
}

const maps = new WeakMap();

export default function (component) {
  const { parentElement, data } = component;
  let map = maps.get(parentElement);
  if (!map) {
    const root = element("svg", { class: "em-map", role: "img" }, parentElement);
    map = { root, title: element("title", {}, root), land: element("path", { class: "land" }, root), sites: element("g", {}, root) };
    maps.set(parentElement, map);
  }
  map.root.setAttribute("viewBox", `0 0 ${data.wide} ${data.tall}`);
  map.title.textContent = data.said;
  if (map.drawn !== data.land) map.land.setAttribute("d", (map.drawn = data.land));
  map.sites.replaceChildren();
  for (const site of data.sites) {
    const group = element("g", { class: `site ${site.level}` }, map.sites);
    element("title", {}, group).textContent = site.title;
    const [name, attributes] = (SHAPES[site.level] ?? SHAPES.unknown)(site.x, site.y);
    element(name, { ...attributes, class: "sign" }, group);
    if (!site.label) continue;
    const left = site.x > data.wide - 110;
    const at = { x: site.x + (left ? -13 : 13), y: site.y + 5, "text-anchor": left ? "end" : "start" };
    element("text", at, group).textContent = site.label;
  }
}
