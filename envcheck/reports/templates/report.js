"use strict";
// What a page can do besides being read: filters, sorting, copying, a choice of colours. Text is only ever set as text.
(() => {
  const spoken = document.querySelector("[data-spoken]");
  const say = (words) => { spoken.textContent = ""; setTimeout(() => { spoken.textContent = words; }, 50); };
  const told = JSON.parse(document.body.dataset.words ?? "{}");
  const tell = (text, values = {}) => (told[text] ?? text).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  const button = (words, action) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = words;
    made.addEventListener("click", action);
    return made;
  };

  // Colours: the system's, until somebody chooses.
  const root = document.documentElement;
  const stored = (value) => {
    try {
      if (value === undefined) return localStorage.getItem("envcheck-theme");
      localStorage.setItem("envcheck-theme", value);
    } catch { /* no storage here: the choice holds for this page */ }
    return null;
  };
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  const chosen = stored();
  if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;
  const theme = button("", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    stored(root.dataset.theme);
    label();
  });
  const label = () => { theme.textContent = tell(dark() ? "Light colours" : "Dark colours"); };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", label);
  label();
  document.querySelector("[data-tools]").append(theme);

  // Copying; where a page may not write to the clipboard, the words are selected for the reader to do it.
  for (const code of document.querySelectorAll("[data-copy]")) {
    const copy = button(tell("Copy"), async () => {
      try {
        await navigator.clipboard.writeText(code.textContent);
        copy.textContent = tell("Copied");
        say(tell("Copied"));
      } catch {
        getSelection().selectAllChildren(code);
        copy.textContent = tell("Selected");
        say(tell("Selected, ready to be copied"));
      }
      setTimeout(() => { copy.textContent = tell("Copy"); }, 2000);
    });
    copy.setAttribute("aria-label", `${tell("Copy")} ${code.textContent}`);
    code.after(copy);
  }

  // Filters.
  const filters = new Map();
  for (const form of document.querySelectorAll("[data-filters]")) {
    const target = document.getElementById(form.dataset.filters);
    const items = [...target.querySelectorAll("[data-item]")].map((element) => ({
      element,
      text: element.textContent.toLowerCase(),
      weight: Number(element.dataset.weight ?? 1),
      chips: [...element.querySelectorAll("[data-chip]")].map((chip) => ({ chip, text: chip.textContent.toLowerCase() })),
      rest: [...element.children].filter((child) => !child.querySelector("[data-chip]"))
        .map((child) => child.textContent.toLowerCase()).join(" "),
    }));
    const groups = [...target.querySelectorAll("[data-group]")];
    const whole = items.reduce((sum, item) => sum + item.weight, 0);
    const tally = form.querySelector("[data-tally]");
    const boxes = [...form.querySelectorAll("input[type=checkbox]")];
    const selects = [...form.querySelectorAll("select")];
    const search = form.querySelector("input[type=search]");
    const apply = () => {
      const off = new Map();
      for (const box of boxes) if (!box.checked) off.set(box.dataset.by, [...(off.get(box.dataset.by) ?? []), box.value]);
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const item of items) {
        const data = item.element.dataset;
        const kept = [...off].every(([by, values]) => !values.includes(data[by]))
          && selects.every((select) => !select.value || data[select.dataset.by] === select.value)
          && words.every((word) => item.text.includes(word));
        item.element.hidden = !kept;
        if (!kept) continue;
        // Words that are not of the message pick those it is about.
        const picking = words.filter((word) => !item.rest.includes(word));
        let chips = 0;
        for (const { chip, text } of item.chips) {
          chip.hidden = !picking.every((word) => text.includes(word));
          chips += chip.hidden ? 0 : 1;
        }
        if (item.chips.length && !chips) for (const { chip } of item.chips) { chip.hidden = false; chips += 1; }
        shown += item.chips.length ? chips : item.weight;
      }
      for (const group of groups) group.hidden = !group.querySelector("[data-item]:not([hidden])");
      const noun = form.dataset.noun + (whole === 1 || root.lang !== "en" ? "" : "s");
      tally.textContent = tell(shown === whole ? "All {whole} {noun} shown" : "{shown} of {whole} {noun} shown", { shown, whole, noun });
    };
    const clear = () => {
      for (const box of boxes) box.checked = true;
      for (const select of selects) select.value = "";
      search.value = "";
      apply();
    };
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("keydown", (event) => { if (event.key === "Escape") clear(); });
    filters.set(target, clear);
    for (const box of boxes) box.checked = !("quiet" in box.dataset);
    form.hidden = false;
    apply();
  }

  // A link to what a filter hides shows it, and a link into a fold unfolds it.
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (const [element, clear] of filters) if (element.contains(target) && target.closest("[hidden]")) clear();
    const fold = target.closest("details");
    if (fold) fold.open = true;
    target.scrollIntoView({ block: "center" });
    if (target.matches("[tabindex]")) target.focus({ preventScroll: true });
  };
  addEventListener("hashchange", reveal);
  if (location.hash) reveal();

  // Sorting.
  const collator = new Intl.Collator(root.lang, { numeric: true, sensitivity: "base" });
  for (const table of document.querySelectorAll("[data-sortable]")) {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const sort = button(head.textContent, () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
        const keyed = [...body.rows].map((row) => [value(row), row]);
        keyed.sort(([one], [other]) => collator.compare(one, other) * (down ? -1 : 1));
        body.append(...keyed.map(([, row]) => row));
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        say(tell(down ? "Sorted by {name}, descending" : "Sorted by {name}, ascending", { name: sort.textContent }));
      });
      head.replaceChildren(sort);
    });
  }

  // On paper everything is open.
  addEventListener("beforeprint", () => { for (const fold of document.querySelectorAll("details")) fold.open = true; });
})();
