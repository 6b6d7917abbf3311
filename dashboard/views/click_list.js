// A list whose rows open. Rows carry their ids, so a list that moves on never opens the wrong one; and it does not
// move while somebody points at it. Text goes in as text: nothing of the fleet is read as HTML.
function element(name, text, parent) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  parent?.appendChild(made);
  return made;
}

function skeleton(parent, data) {
  const root = element("div", "", parent);
  root.className = "em-list";
  const table = element("table", "", root);
  element("caption", data.caption, table);
  const headings = element("tr", "", element("thead", "", table));
  for (const column of data.columns) {
    const cell = element("th", column.label, headings);
    cell.scope = "col";
    if (column.number) cell.className = "number";
  }
  const body = element("tbody", "", table);
  const hint = element("p", "", root);
  hint.className = "hint";
  return { root, body, hint, columns: data.columns, waiting: null };
}

function fill(list, rows) {
  const focused = list.root.getRootNode().activeElement?.dataset?.id;
  list.waiting = null;
  list.body.replaceChildren();
  for (const data of rows) {
    const row = element("tr", "", list.body);
    row.dataset.id = data.id;
    list.columns.forEach((column, place) => {
      const cell = element("td", place ? data[column.name] : "", row);
      cell.dataset.column = column.name;
      cell.dataset.label = column.label;
      if (column.number) cell.classList.add("number");
      if (!column.narrow) cell.classList.add("wide-only");
      if (data.bad && data.bad === column.name) cell.classList.add("bad");
      if (place) return;
      const button = element("button", data[column.name], cell);
      button.dataset.id = data.id;
      button.setAttribute("aria-label", `Open ${column.label.toLowerCase()} ${data[column.name]}`);
      if (data.id === focused) button.focus();
    });
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
    list = skeleton(parentElement, data);
    lists.set(parentElement, list);
    for (const left of ["mouseleave", "focusout"]) list.body.addEventListener(left, () => setTimeout(() => settle(list)));
    list.body.addEventListener("click", (event) => {
      const id = event.target.closest("[data-id]")?.dataset.id;
      if (id) list.open(id);
    });
  }
  list.open = (id) => component.setTriggerValue("opened", id);
  list.waiting = data.rows;
  settle(list);
}
