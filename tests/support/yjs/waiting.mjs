/** Resolves as soon as `holds()` is true, looked at whenever `emitter` changes. */
export function until(emitter, holds, what, seconds = 120) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => end(() => reject(new Error(`It never came true: ${what}.`))), seconds * 1000);
    const look = () => holds() && end(resolve);
    const end = (then) => {
      clearTimeout(timer);
      emitter.off("change", look);
      then();
    };
    emitter.on("change", look);
    look();
  });
}
