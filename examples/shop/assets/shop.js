// Adds to the cart without leaving the page. Every form here also works without this script.

const button = document.querySelector("[data-cart-button]");
const status = document.querySelector("[data-cart-status]");

const show = (cart) => {
  button.textContent = `🛒 ${cart.length} items`;
};

let clearing;
const announce = (text) => {
  clearTimeout(clearing);
  status.textContent = text;
  clearing = setTimeout(() => (status.textContent = ""), 6000);
};

const refresh = async () => {
  const response = await fetch("/api/cart", { headers: { Accept: "application/json" } });
  if (response.ok) show(await response.json());
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

  const fields = new FormData(form);
  const item = fields.get("item");
  const size = fields.has("size") ? Number(fields.get("size")) : undefined;
  let response;
  try {
    response = await fetch("/api/addToCart", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify({ item, size }),
      // Arrives even if the visitor has gone on to the next page.
      keepalive: true,
    });
  } catch {
    announce("The shop did not answer. Please try again.");
    return;
  }
  // The form's own way shows what is wrong, on a page of its own.
  if (!response.ok) return form.submit();
  const cart = await response.json();
  show(cart);
  announce(`${form.dataset.addToCart} added. ${cart.length} items in your cart.`);
});
