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
    // A session that is over answers with another page; whoever looks at this one is sent there.
    if (raw.redirected || status === 401) location.reload();
    const tag = headers.get("ETag");
    if (tag && ctx.target?.id) seen.set(ctx.target.id, tag);
  });
  document.addEventListener("htmx:before:swap", (event) => {
    const { ctx } = event.detail;
    // An error is not what stands in a region: what was there stays, and is marked as old.
    if (ctx.response && ctx.response.status >= 400) {
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

  document.addEventListener("DOMContentLoaded", () => {
    count();
    setInterval(count, 1000);
    // htmx begins in a task of its own after this event: a stream before that would find regions that do not listen yet.
    setTimeout(begin, 0);
  });
})();
