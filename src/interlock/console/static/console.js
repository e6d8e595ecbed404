// What pages gain by a script. Each of them works without: links are links, and forms are forms.
"use strict";
(() => {
  const html = document.documentElement;
  html.classList.add("js");

  // -- News: one stream a page. A region is asked for again when one of its topics changed. --------------------
  // <section id="inbox" data-topics="approvals" hx-get hx-trigger="news" hx-swap="innerMorph">
  const regions = () => [...document.querySelectorAll("[data-topics]")];
  const mark = document.getElementById("live");
  const seen = new Map(); // region id -> ETag of what stands there
  let stale = 0;

  const say = (live) => {
    if (!mark) return;
    mark.hidden = false;
    if (live) stale = 0;
    else stale ||= Date.now();
    mark.classList.toggle("stale", !live);
    const words = live ? "live" : `stale since ${new Date(stale).toISOString().slice(11, 19)}`;
    if (mark.textContent !== words) mark.textContent = words;
  };

  const refresh = (topics) => {
    for (const region of regions()) {
      if (!topics || region.dataset.topics.split(",").some((each) => topics.includes(each))) {
        htmx.trigger(region, "news");
      }
    }
  };

  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
    const tag = ctx.target && seen.get(ctx.target.id);
    if (tag && ctx.sourceElement === ctx.target) ctx.request.headers["If-None-Match"] = tag;
  });
  document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
    const { status, headers, raw } = ctx.response;
    // A session that is over answers with another page; whoever looks at this one is sent there. The address is opened and not
    // loaded again: that would send the form once more on a page that answered one.
    if (raw.redirected || status === 401) location.replace(location.pathname + location.search);
    const tag = headers.get("ETag");
    if (tag && ctx.target?.id) seen.set(ctx.target.id, tag);
  });
  document.addEventListener("htmx:before:swap", (event) => {
    const { ctx } = event.detail;
    // An error, or a whole page, is not what stands in a region: what was there stays, and is marked as old.
    if (ctx.response && (ctx.response.status >= 400 || !ctx.response.headers.get("ETag"))) {
      event.preventDefault();
      say(false);
    }
  });

  const wanted = () => [...new Set(regions().flatMap((each) => each.dataset.topics.split(",")))];
  let source = null;
  const listen = () => {
    const topics = wanted();
    if (!topics.length) return;
    source?.close();
    source = new EventSource(`/live?topics=${encodeURIComponent(topics.join(","))}`);
    source.addEventListener("open", () => say(true));
    source.addEventListener("changed", (event) => refresh(event.data.split(",")));
    source.onerror = () => {
      say(false);
      // The browser tries again by itself, except after an answer that was not a stream.
      if (source.readyState === EventSource.CLOSED) setTimeout(listen, 3000 + Math.random() * 4000);
    };
  };
  const begin = () => {
    // Between drawing the page and hearing of news something may have changed.
    listen();
    refresh();
  };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      source?.close();
      source = null;
    } else if (!source) begin();
  });

  // -- Time that is left, counted on. -----------------------------------------------------------------------------
  const sizes = [["d", 864e5], ["h", 36e5], ["min", 6e4], ["s", 1e3]];
  const words = (ms) => {
    const apart = Math.abs(ms);
    if (apart < 1000) return "now";
    const parts = [];
    let left = apart;
    for (const [unit, size] of sizes) {
      if (unit === "s" && apart >= 6e4) break;
      if (left >= size && parts.length < 2) {
        parts.push(`${Math.floor(left / size)} ${unit}`);
        left %= size;
      } else if (parts.length) break;
    }
    return ms > 0 ? `in ${parts.join(" ")}` : `${parts.join(" ")} ago`;
  };
  const ahead = Number(document.body.dataset.now || Date.now()) - Date.now();
  const count = () => {
    for (const each of document.querySelectorAll("time[data-due]")) {
      const left = Number(each.dataset.due) - Date.now() - ahead;
      const text = words(left);
      if (each.textContent !== text) each.textContent = text;
      each.classList.toggle("soon", left < 3e5);
    }
  };

  // -- Menus close when one goes elsewhere. -------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    for (const each of document.querySelectorAll("details.menu[open]")) {
      if (!each.contains(event.target)) each.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const each of document.querySelectorAll("details.menu[open]")) {
      each.open = false;
      each.querySelector("summary").focus();
    }
  });

  // -- Single keys, which can be turned off (WCAG 2.1.4), and never act while somebody types. ---------------------
  let keys = true;
  try {
    keys = localStorage.getItem("keys") !== "off";
  } catch {}
  const turn = (on) => {
    keys = on;
    html.classList.toggle("keys-off", !on);
    try {
      localStorage.setItem("keys", on ? "on" : "off");
    } catch {}
  };
  const typing = (element) => element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName);
  const help = () => {
    const dialog = document.getElementById("keys");
    if (!dialog) return;
    dialog.querySelector("[data-keys-on]").checked = keys;
    if (!dialog.open) dialog.showModal();
  };
  const move = (by) => {
    const rows = [...document.querySelectorAll("a[data-row]")];
    if (!rows.length) return;
    const at = rows.findIndex((each) => each.hasAttribute("aria-current"));
    const to = rows[Math.min(rows.length - 1, Math.max(0, at + by))];
    if (to && !(to.hasAttribute("aria-current") && document.querySelector(".panes.chosen"))) location.assign(to.href);
  };
  const shown = (element) => element && element.getClientRects().length > 0;
  // The first press goes to the button, the second presses it: one slip of a finger decides nothing.
  const press = (name) => {
    const button = document.querySelector(`[data-key="${name}"]`);
    if (!shown(button) || button.disabled) return;
    if (name === "e") button.click();
    else if (document.activeElement === button) button.click();
    else if (name === "r" && !document.getElementById("note").value.trim()) document.getElementById("note").focus();
    else if (name === "a" && shown(document.getElementById("target")) && !document.getElementById("target").value) {
      document.getElementById("target").focus();
    } else button.focus();
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape" && typing(event.target)) event.target.blur();
    if ((typing(event.target) && event.target.type !== "checkbox") || !keys) return;
    const act = { j: () => move(1), k: () => move(-1), a: () => press("a"), r: () => press("r"), e: () => press("e"), x: pick, "?": help };
    const found = act[event.key.toLowerCase()];
    if (found && !event.repeat) {
      event.preventDefault();
      found();
    }
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-keys-on]")) turn(event.target.checked);
  });

  // -- Several chosen, to be decided on together. They stay chosen from page to page, and when the list is drawn anew. ----
  const CHOSEN = "chosen";
  const chosen = () => {
    try {
      return new Set(JSON.parse(sessionStorage.getItem(CHOSEN) || "[]"));
    } catch {
      return new Set();
    }
  };
  const choose = () => {
    const form = document.getElementById("together");
    if (!form) return;
    const boxes = [...document.querySelectorAll("[data-choose]")];
    const names = chosen();
    for (const each of boxes) each.checked = names.has(each.value);
    const on = boxes.filter((each) => each.checked);
    for (const each of boxes) {
      each.closest("li").classList.toggle("unlike", on.length > 0 && each.dataset.choose !== on[0].dataset.choose);
    }
    form.hidden = on.length === 0;
    const button = form.querySelector("button");
    button.disabled = on.length < 2;
    button.textContent = on.length < 2 ? "Decide together" : `Decide on ${on.length} together`;
    const text = on.length < 2 ? "Choose one more that is like it." : on[0].dataset.choose;
    if (form.querySelector("[data-chosen]").textContent !== text) form.querySelector("[data-chosen]").textContent = text;
  };
  const keep = () => {
    const names = [...document.querySelectorAll("[data-choose]")].filter((each) => each.checked).map((each) => each.value);
    try {
      sessionStorage.setItem(CHOSEN, JSON.stringify(names));
    } catch {}
    choose();
  };
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-choose]")) keep();
  });
  document.addEventListener("htmx:after:swap", choose);
  const pick = () => {
    const box = document.querySelector("a[data-row][aria-current]")?.closest("li").querySelector("[data-choose]");
    if (box && !box.closest(".unlike")) box.click();
  };

  // -- What is decided on changed while somebody was looking: the word waits until they say they read it. ---------
  const look = () => {
    const now = document.getElementById("now-shown");
    const form = document.getElementById("decide");
    const notice = document.getElementById("changed");
    if (!now || !form || !notice) return;
    const view = now.dataset.view;
    const changed = view !== form.elements.view.value;
    notice.hidden = !changed;
    for (const each of form.querySelectorAll("button")) each.disabled = changed;
    if (changed && !view) {
      notice.querySelector("p").textContent = "It does not wait any more. What you typed was not sent.";
      notice.querySelector("[data-accept]").hidden = true;
    }
  };
  document.addEventListener("htmx:after:swap", look);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-keys]")) help();
    if (event.target.closest("[data-accept]")) {
      document.getElementById("decide").elements.view.value = document.getElementById("now-shown").dataset.view;
      look();
    }
  });

  document.addEventListener("DOMContentLoaded", () => {
    html.classList.toggle("keys-off", !keys);
    choose();
    count();
    setInterval(count, 1000);
    // htmx begins in a task of its own after this event: a stream before that would find regions that do not listen yet.
    setTimeout(begin, 0);
  });
})();
