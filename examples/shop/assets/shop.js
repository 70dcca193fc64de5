// Adds to the cart without leaving the page. Every form here also works without this script.

const button = document.querySelector("[data-cart-button]");
const status = document.querySelector("[data-cart-status]");

const show = (items) => {
  button.textContent = `🛒 ${items} items`;
};

let clearing;
const announce = (text) => {
  clearTimeout(clearing);
  status.textContent = text;
  clearing = setTimeout(() => (status.textContent = ""), 6000);
};

const refresh = async () => {
  const response = await fetch("/api/cart", { headers: { Accept: "application/json" } });
  if (response.ok) show((await response.json()).length);
};

// A prerendered page knows no session, and a page from the back-forward cache knows an old one.
if (button.hasAttribute("data-deferred")) refresh();
addEventListener("pageshow", (event) => {
  if (event.persisted) refresh();
});

addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-add-to-cart]");
  if (!form) return;
  event.preventDefault();

  let response;
  try {
    response = await fetch("/_actions/cart.add", {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new FormData(form),
      // Arrives even if the visitor has gone on to the next page.
      keepalive: true,
    });
  } catch {
    announce("The shop did not answer. Please try again.");
    return;
  }
  // The form's own way shows what is wrong, on a page of its own.
  if (!response.ok) return form.submit();
  // The devalue text of a number is an array of it.
  const [items] = await response.json();
  show(items);
  announce(`${form.dataset.addToCart} added. ${items} items in your cart.`);
});
