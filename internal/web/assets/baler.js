// Keeps pages live. What a page shows comes from the server as HTML; htmx fetches it and
// idiomorph changes only what differs, so that focus, selection and open parts stay.
// Without scripts each page shows what was so when it was loaded.
(() => {
  "use strict";
  // A part that a person has opened or closed stays so.
  Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) =>
    !(node.tagName === "DETAILS" && name === "open") && !(node.matches("input:not([type=hidden]),select") && (name === "value" || name === "checked"));

  // On a narrow screen the navigation scrolls.
  const current = document.querySelector(".top nav [aria-current]");
  if (current) current.scrollIntoView({ inline: "nearest", block: "nearest" });

  const away = document.getElementById("away");
  const show = (isAway) => {
    if (!away || away.hidden === !isAway) return;
    if (isAway) away.querySelector("time").textContent = new Date().toLocaleTimeString();
    away.hidden = !isAway;
  };

  const polls = (detail) => detail.elt.id === "live";
  document.addEventListener("htmx:beforeRequest", (e) => {
    if (polls(e.detail) && document.hidden) e.preventDefault(); // nobody looks
  });
  document.addEventListener("htmx:sendError", () => show(true));
  document.addEventListener("htmx:timeout", () => show(true));
  document.addEventListener("htmx:afterRequest", (e) => {
    const status = e.detail.xhr.status;
    if (status) show(status >= 500);
    const said = e.detail.xhr.getResponseHeader("Baler-Notice"), notice = document.getElementById("notice");
    if (polls(e.detail) && notice && notice.textContent !== decodeURIComponent(said || "")) {
      notice.textContent = decodeURIComponent(said || "");
      notice.hidden = !said;
    }
  });

  // Server-sent events say when there is something new. A hidden page lets go of its
  // connection, of which a browser has few.
  let events = null, again = 0;
  const watch = () => {
    const live = document.getElementById("live");
    const url = live && live.dataset.events;
    if (!url || document.hidden) { close(); return; }
    if (events) return;
    events = new EventSource(url);
    const refresh = () => htmx.trigger("#live", "refresh");
    events.addEventListener("open", () => show(false));
    events.addEventListener("summary", refresh);
    events.addEventListener("end", () => { close(); refresh(); });
    events.addEventListener("error", () => {
      show(true);
      // The browser connects again after a broken connection, and not after a refusal.
      if (events && events.readyState === EventSource.CLOSED) { close(); clearTimeout(again); again = setTimeout(watch, 3000); }
    });
  };
  const close = () => { if (events) { events.close(); events = null; } };
  document.addEventListener("visibilitychange", () => {
    watch();
    if (!document.hidden && document.getElementById("live")) htmx.trigger("#live", "refresh");
  });
  document.addEventListener("htmx:afterSettle", watch);
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", (e) => {
    watch();
    if (e.persisted && document.getElementById("live")) htmx.trigger("#live", "refresh"); // it is as old as when it was left
  });
  watch();

  // Keys: / searches, j and k go through a list, n starts a transfer, ? says so.
  const typing = (t) => t.matches("input,select,textarea,[contenteditable]");
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || typing(e.target)) return;
    const find = (selector) => document.querySelector(selector);
    if (e.key === "/" && find("[data-search]")) { e.preventDefault(); find("[data-search]").focus(); }
    if (e.key === "n" && find("[data-new]")) { e.preventDefault(); find("[data-new]").click(); }
    if (e.key === "?" && find("#keys")) { e.preventDefault(); find("#keys").showModal(); }
    if (e.key === "j" || e.key === "k") {
      const rows = [...document.querySelectorAll("[data-row]")];
      if (!rows.length) return;
      const at = rows.indexOf(document.activeElement);
      rows[Math.max(0, Math.min(rows.length - 1, at + (e.key === "j" ? 1 : -1)))].focus();
    }
  });

  // A form that was sent is not sent twice, and a filter applies when it is chosen.
  document.addEventListener("submit", (e) => {
    if (e.target.method === "post") for (const b of e.target.querySelectorAll("button")) setTimeout(() => { b.disabled = true; });
  });
  window.addEventListener("pageshow", () => { for (const b of document.querySelectorAll("form[method=post] button")) b.disabled = b.hasAttribute("data-off"); });
  document.addEventListener("change", (e) => {
    if (e.target.matches("[data-apply]")) e.target.form.requestSubmit();
  });
})();
