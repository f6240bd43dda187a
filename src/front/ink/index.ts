/** The Ink front-end, for commands. Light: Ink itself is loaded when one of these is called. */
export { openApp, openHealthPane } from './app.ts';
