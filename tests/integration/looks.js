// Evaluates to what is wrong with the looks of a page: a list of sentences, empty for a page that can be read.
(() => {
  const wrong = [];
  const wide = document.documentElement.scrollWidth - window.innerWidth;
  if (wide > 0) {
    wrong.push(`the page is ${wide} pixels wider than the window`);
  }

  const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
  const luminance = ([red, green, blue]) => {
    // WCAG 2.2, "relative luminance".
    const [r, g, b] = [red, green, blue].map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let place = element; place; place = place.parentElement) {
      const colour = channels(getComputedStyle(place).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) {
        return colour;
      }
    }
    return [255, 255, 255];
  };

  const seen = new Set();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    const style = getComputedStyle(element);
    const shown = element.checkVisibility({ visibilityProperty: true });
    if (!texts.currentNode.data.trim() || !shown || style.clipPath !== "none") {
      continue;
    }
    const [one, other] = [luminance(channels(style.color)), luminance(behind(element))];
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    const sentence = `${element.tagName} .${element.className}: ${style.color} has a contrast of ${contrast.toFixed(2)}`;
    if (contrast < 4.5 && !seen.has(sentence)) {
      seen.add(sentence);
      wrong.push(`${sentence} in "${texts.currentNode.data.trim().slice(0, 40)}"`);
    }
  }
  return wrong;
})()
