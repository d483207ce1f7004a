// Replaces the live part of a transfer's page whenever the server says that the transfer
// has changed. Without scripts the page shows what was so when it was loaded.
(() => {
  const live = document.getElementById("live");
  if (!live || !live.dataset.events) return;
  let busy = false, again = false;
  const refresh = async () => {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const answer = await fetch(location.pathname + "?part", { cache: "no-store" });
      if (answer.ok) live.innerHTML = await answer.text();
    } catch { /* the events reconnect, and bring the next state */ }
    busy = false;
    if (again) { again = false; refresh(); }
  };
  const watch = () => {
    const events = new EventSource(live.dataset.events);
    events.addEventListener("summary", refresh);
    events.addEventListener("end", () => { events.close(); location.reload(); });
    events.addEventListener("error", () => {
      // A broken connection is made again by the browser, a refused one is not.
      if (events.readyState === EventSource.CLOSED) { refresh(); setTimeout(watch, 5000); }
    });
  };
  watch();
})();
