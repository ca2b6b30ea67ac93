(function () {
  const { message, origin } = document.currentScript.dataset;
  const client = window.parent === window ? window.opener : window.parent;
  client?.postMessage(JSON.parse(message), origin);
})();
