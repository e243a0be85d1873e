// Keys press what the page already has: every element says its own keys in data-key, and works without this file.
"use strict";
const dialog = document.getElementById("keys");
const choice = document.getElementById("keys-on");
const kept = "tdlab-keys";

function writes(element) {
  return element.matches("textarea, input:not([type=checkbox])");
}

function press(element) {
  if (writes(element)) {
    element.focus();
    element.scrollIntoView({ block: "center" });
  } else if (element.dataset.dialog && dialog) {
    dialog.showModal();
  } else {
    element.click();
  }
}

if (choice) {
  choice.checked = localStorage.getItem(kept) !== "off";
  choice.addEventListener("change", () => localStorage.setItem(kept, choice.checked ? "on" : "off"));
}

for (const link of document.querySelectorAll("a[data-dialog]")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    dialog.showModal();
  });
}

document.addEventListener("keydown", (event) => {
  const here = event.target;
  if (here.matches("textarea, input") && writes(here)) {
    if (event.key === "Escape") here.blur();
    // From a text, the first button gives: what is ticked, or full points; from the points, those.
    if (event.key === "Enter" && (event.ctrlKey || here.id === "points")) {
      event.preventDefault();
      const give = here.id === "points" || here.form.points.value ? "points" : "ideas";
      const button = here.form.querySelector(`button[value=${give}]`) || here.form.querySelector("button");
      button.click();
    }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || dialog.open || !choice.checked) return;
  const found = [...document.querySelectorAll("[data-key]")]
    .find((element) => element.dataset.key.split(" ").includes(event.key));
  if (found) {
    event.preventDefault();
    press(found);
  }
});
