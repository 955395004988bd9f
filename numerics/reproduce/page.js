// Thumbnails: each figure once more, small; its image is held by the page only once.
"use strict";
addEventListener("DOMContentLoaded", () => {
  for (const link of document.querySelectorAll(".thumbs a")) {
    const image = document.querySelector(`${link.hash} img`);
    if (!image) continue;
    const small = new Image();
    small.src = image.src;
    small.alt = `Thumbnail: ${image.alt}`;
    link.prepend(small);
  }
});
