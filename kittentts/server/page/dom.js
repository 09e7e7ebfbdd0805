// What all modules use of the document.

export const $ = (id) => document.getElementById(id);

export function say(message, wrong = false) {
  $("message").textContent = message;
  $("message").className = wrong ? "wrong" : "";
}

// Lets an element refer to bytes that the page has made.
export function refer(element, attribute, blob) {
  if (element[attribute]) URL.revokeObjectURL(element[attribute]);
  element[attribute] = URL.createObjectURL(blob);
}
