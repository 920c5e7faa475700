// Browsers start no worker on a page that was opened from the disk, and the search is one: a hidden
// frame of the page's own origin runs its script instead. The search looks for this class's name.
if (location.protocol === "file:") {
  window.IFrameWorker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      frame.title = "search";
      document.body.append(frame);
      this.inside = frame.contentWindow;
      const script = frame.contentDocument.createElement("script");
      script.src = String(url);
      this.inside.importScripts = (...urls) =>
        Promise.all(
          urls.map(
            (one) =>
              new Promise((done, failed) => {
                const part = frame.contentDocument.createElement("script");
                part.src = new URL(one, script.src).href;
                part.onload = done;
                part.onerror = failed;
                frame.contentDocument.body.append(part);
              }),
          ),
        );
      this.inside.postMessage = (data) => {
        const event = new MessageEvent("message", { data });
        this.dispatchEvent(event);
        if (this.onmessage) this.onmessage(event);
      };
      this.ready = new Promise((done) => (script.onload = done));
      frame.contentDocument.body.append(script);
    }
    postMessage(data) {
      this.ready.then(() => this.inside.dispatchEvent(new MessageEvent("message", { data })));
    }
    terminate() {}
  };
  window.Worker = window.IFrameWorker;
}
