/** Whether this part of the page, window or worker, can open a connection to anywhere. Where audio is known, it must not. */
export const canConnect = () => fetch("/listen/").then(() => true, () => false);
