/* What is done to an element once, however often the page is wired; attributes would not outlive a swap. */
export const once = (action) => {
  const done = new WeakSet();
  return (element) => {
    if (done.has(element)) return;
    done.add(element);
    action(element);
  };
};
