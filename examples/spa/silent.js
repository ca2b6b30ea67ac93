// The answer goes to this app's own origin only: in a stranger's frame this page says nothing.
// Without a frame around it (somebody opened it by hand) there is nobody to tell.
if (window.parent !== window) {
  window.parent.postMessage({ type: "silent-answer", query: location.search }, location.origin);
}
