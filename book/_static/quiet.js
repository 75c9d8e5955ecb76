// The theme and its toggle buttons log their settings on every page. The console is kept free for
// real messages: a test counts them.
const log = console.log;
console.log = (...parts) => /^\[(PST|togglebutton)\]/.test(parts[0]) || log(...parts);
