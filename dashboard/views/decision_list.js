// The list of recent decisions. Rows carry their decision's id, so a list that moves on never opens the wrong one;
// and it does not move while somebody points at it. Text goes in as text: nothing of the fleet is read as HTML.
const COLUMNS = [
  ["time", "Time"], ["model", "Model"], ["where", "Asked at → ran at"], ["why", "Why"],
  ["predicted", "Predicted"], ["took", "Took"], ["status", "Status"],
];
const NUMBERS = new Set(["predicted", "took", "status"]);

function element(name, text, parent) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  parent?.appendChild(made);
  return made;
}

function skeleton(parent) {
  const root = element("div", "", parent);
  root.className = "em-list";
  const table = element("table", "", root);
  element("caption", "Recent decisions, newest first", table);
  const headings = element("tr", "", element("thead", "", table));
  for (const [name, label] of COLUMNS) {
    const cell = element("th", label, headings);
    cell.scope = "col";
    if (NUMBERS.has(name)) cell.className = "number";
  }
  const body = element("tbody", "", table);
  const hint = element("p", "", root);
  hint.className = "hint";
  return { root, body, hint, waiting: null };
}

function fill(list, decisions) {
  const focused = list.root.getRootNode().activeElement?.dataset?.id;
  list.waiting = null;
  list.body.replaceChildren();
  for (const decision of decisions) {
    const row = element("tr", "", list.body);
    row.dataset.id = decision.id;
    for (const [name] of COLUMNS) {
      const cell = element("td", name === "time" ? "" : decision[name], row);
      cell.dataset.column = name;
      if (NUMBERS.has(name)) cell.className = "number";
      if (name === "status" && decision.bad) cell.className = "number bad";
      if (name !== "time") continue;
      const button = element("button", decision.time, cell);
      button.dataset.id = decision.id;
      button.setAttribute("aria-label", `Explain the decision of ${decision.time}`);
      if (decision.id === focused) button.focus();
    }
  }
}

function held(list) {
  const pointed = window.matchMedia("(hover: hover)").matches && list.body.matches(":hover");
  return pointed || list.body.querySelector(":focus-visible") !== null;
}

function settle(list) {
  if (list.waiting && !held(list)) fill(list, list.waiting);
  list.hint.textContent = list.waiting ? "Held still while you point at it." : "";
}

const lists = new WeakMap();

export default function (component) {
  const { parentElement, data } = component;
  let list = lists.get(parentElement);
  if (!list) {
    list = skeleton(parentElement);
    lists.set(parentElement, list);
    for (const left of ["mouseleave", "focusout"]) list.body.addEventListener(left, () => setTimeout(() => settle(list)));
    list.body.addEventListener("click", (event) => {
      const id = event.target.closest("[data-id]")?.dataset.id;
      if (id) list.open(id);
    });
  }
  list.open = (id) => component.setTriggerValue("opened", id);
  list.waiting = data.decisions;
  settle(list);
}
