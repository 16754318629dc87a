// Keeps the view fresh: the box names a fragment, it is fetched and replaced. Without this script the page
// still works and reloads itself. Plain ES2020, no library.
"use strict";
(() => {
  const { events, patience } = document.body.dataset;
  const stale = document.getElementById("stale");
  const spoken = document.getElementById("spoken");
  const SPEAK_EVERY_MS = 10000;
  const RETRY_MS = 3000;
  let alarm = 0;
  let said = document.getElementById("view").dataset.spoken;
  let saidAt = 0;
  let speaking = 0;
  let fetching = false;
  let again = "";

  const fresh = (is) => {
    stale.hidden = is;
    document.documentElement.classList.toggle("old", !is);
  };
  const heard = () => {
    fresh(true);
    clearTimeout(alarm);
    alarm = setTimeout(() => fresh(false), Number(patience) * 1000);
  };

  // A screen reader hears a change once, and at most every ten seconds.
  const speak = (text) => {
    clearTimeout(speaking);
    if (text === said) return;
    speaking = setTimeout(() => {
      said = text;
      saidAt = Date.now();
      spoken.textContent = text;
    }, Math.max(0, saidAt + SPEAK_EVERY_MS - Date.now()));
  };

  // What the person had opened and where the focus was must survive.
  const replace = (html) => {
    const old = document.getElementById("view");
    const next = new DOMParser().parseFromString(html, "text/html").getElementById("view");
    if (!next) throw new Error("no view in the answer");
    for (const details of old.querySelectorAll("details[open][id]")) {
      const twin = next.querySelector("#" + CSS.escape(details.id));
      if (twin) twin.open = true;
    }
    const focused = document.activeElement.closest("details[id]");
    old.replaceWith(next);
    if (focused && !focused.isConnected) {
      const twin = document.getElementById(focused.id);
      if (twin) twin.querySelector("summary").focus({ preventScroll: true });
    }
    document.title = next.dataset.title;
    document.getElementById("icon").href = next.dataset.icon;
    speak(next.dataset.spoken);
  };

  const load = async (name) => {
    if (fetching) {
      again = name;
      return;
    }
    fetching = true;
    try {
      const answer = await fetch(name, { cache: "no-store", credentials: "omit" });
      if (!answer.ok) throw new Error(String(answer.status));
      replace(await answer.text());
      heard();
    } catch (_) {
      fresh(false);
    }
    fetching = false;
    const next = again;
    again = "";
    if (next) load(next);
  };

  const listen = () => {
    const source = new EventSource(events);
    source.addEventListener("fetch", (event) => load(event.data));
    source.addEventListener("stale", () => fresh(false));
    source.addEventListener("error", () => {
      if (source.readyState !== EventSource.CLOSED) return;
      setTimeout(listen, RETRY_MS);
    });
  };
  heard();
  listen();
})();
