// Elements. Text from the logs goes in as text only: as a child, a property or an attribute, never as markup.

const byId = (id) => document.getElementById(id);

/** Create an element. A property that the element has is set; any other becomes an attribute. */
function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in made) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** Create a button that does something. */
function button(properties, action, ...children) {
  const made = element("button", { type: "button", ...properties }, ...children);
  made.addEventListener("click", action);
  return made;
}

/** Let an action run once before the next frame, however often it is asked for. */
function beforeNextFrame(action) {
  let waits = false;
  return () => {
    if (waits) return;
    waits = true;
    requestAnimationFrame(() => {
      waits = false;
      action();
    });
  };
}
