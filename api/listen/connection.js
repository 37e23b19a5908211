/**
 * Try to open a connection from this part of the page, window or worker. Returns "refused" if the browser's policy stopped
 * it, "open" if nothing did, "unknown" if it failed for another reason.
 */
export async function tryToConnect() {
  let isRefused = false;
  const note = (event) => (isRefused ||= event.effectiveDirective === "connect-src");
  addEventListener("securitypolicyviolation", note);
  const isOpen = await fetch("/listen/", { cache: "no-store" }).then(() => true, () => false);
  await new Promise((resolve) => setTimeout(resolve)); // the event comes after the failure
  removeEventListener("securitypolicyviolation", note);
  if (isRefused) return "refused";
  return isOpen ? "open" : "unknown";
}
