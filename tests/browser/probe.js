// Injected into the page before anything else: records every shown frame of every <video>, with the capture time
// read from the strip in the picture itself (geometry: simulator/strip.py). Knows nothing of the page's own age.
(() => {
  const COLUMNS = 40, ROWS = 2, HEIGHT = 3 / 64, CELLS = COLUMNS * ROWS;
  const START = "1010", STOP = "1100";
  // The page may be given a wrong clock after this script; the probe keeps the true one.
  const originMs = performance.timeOrigin;
  const now = performance.now.bind(performance);
  const canvas = new OffscreenCanvas(640, 24);
  const pen = canvas.getContext("2d", { willReadFrequently: true });

  const crc8 = (bytes) => {
    let crc = 0;
    for (const byte of bytes) {
      crc ^= byte;
      for (let i = 0; i < 8; i++) crc = crc & 0x80 ? ((crc << 1) ^ 0x07) & 0xff : (crc << 1) & 0xff;
    }
    return crc;
  };

  const readStrip = (picture, w, h) => {
    if (!w) return null;
    pen.drawImage(picture, 0, h * (1 - HEIGHT), w, h * HEIGHT, 0, 0, canvas.width, canvas.height);
    const data = pen.getImageData(0, 0, canvas.width, canvas.height).data;
    const cellW = canvas.width / COLUMNS, cellH = canvas.height / ROWS;
    const means = [];
    for (let i = 0; i < CELLS; i++) {
      const x = ((i % COLUMNS) + 0.5) * cellW, y = (Math.floor(i / COLUMNS) + 0.5) * cellH;
      let sum = 0, count = 0;
      for (let v = Math.round(y - cellH / 4); v < Math.round(y + cellH / 4); v++)
        for (let u = Math.round(x - cellW / 4); u < Math.round(x + cellW / 4); u++, count++)
          sum += data[(v * canvas.width + u) * 4 + 1];
      means.push(sum / count);
    }
    const marks = [...means.slice(0, 4), ...means.slice(-4)];
    if (Math.max(...marks) - Math.min(...marks) < 30) return null;
    const threshold = marks.reduce((a, b) => a + b) / marks.length;
    const bits = means.map((m) => (m > threshold ? "1" : "0")).join("");
    if (!bits.startsWith(START) || !bits.endsWith(STOP)) return null;
    const body = bits.slice(4, -4).match(/.{8}/g).map((b) => parseInt(b, 2));
    if (crc8(body.slice(0, 8)) !== body[8]) return null;
    return { captureMs: body.slice(0, 6).reduce((a, b) => a * 256 + b, 0), counter: body[6] * 256 + body[7] };
  };

  const frames = [];
  const watched = new WeakSet();
  let every = 1, seen = 0;
  const watch = (video) => {
    if (watched.has(video)) return;
    watched.add(video);
    const onFrame = (at, meta) => {
      video.requestVideoFrameCallback(onFrame);
      const { videoWidth: w, videoHeight: h } = video;
      // What is painted from a recording may be a later picture than the one told of: this one says which it is.
      const painted = meta.rtpTimestamp === undefined && w && window.VideoFrame ? new VideoFrame(video) : null;
      const strip = seen++ % every === 0 ? readStrip(video, w, h) : null;
      const lateMs = painted ? painted.timestamp / 1000 - meta.mediaTime * 1000 : null;
      painted?.close();
      const t = now();
      const feed = video.closest("[data-feed]")?.dataset.feed ?? "";
      const believed = window.lagebild?.feed(feed);
      const frame = {
        feed, strip, t, lateMs,
        shownMs: originMs + meta.expectedDisplayTime, // the true wall clock at which the frame is on screen
        nowMs: originMs + t,
        rtp: meta.rtpTimestamp ?? null,
        ageMs: believed?.age_ms ?? null, // what the page's badge counts at this moment
        state: believed?.state ?? null,
        // Of a recorded picture: the moment that the page says it shows.
        past: meta.rtpTimestamp === undefined ? (window.lagebild?.past() ?? null) : null,
        review: null, // on the page of a recorded flight: the telemetry that is drawn with it
      };
      frames.push(frame);
      // Whoever is told of a picture has drawn what belongs to it by then.
      if (window.lagebildReview) setTimeout(() => (frame.review = { sample: window.lagebildReview.sample }));
      if (frames.length > 20000) frames.shift();
    };
    video.requestVideoFrameCallback(onFrame);
  };
  new MutationObserver(() => document.querySelectorAll("video").forEach(watch)).observe(document, {
    childList: true, subtree: true,
  });

  window.__probe = {
    frames,
    take: () => frames.splice(0),
    readEvery: (n) => { every = n; },
    nowMs: () => originMs + now(),
  };
})();
